"""Mutations of resources: add to a bucket, take out."""

import strawberry

from loaders.resource import ResourceLoader
from resolvers import resource as resources
from schema.enums import ResourceBucket
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, removed, required
from schema.types.resource import Resource


@strawberry.input(description="Material for one aim.")
class ResourceAddInput:
    aim_id: strawberry.ID = attribute("The component that it is for.")
    title: str = attribute("What it is, in a line of 200 characters at most.")
    file_id: strawberry.ID = attribute("A file that the viewer has uploaded and not used yet.")
    bucket: ResourceBucket = strawberry.field(
        default=ResourceBucket.RESOURCES, description="Where it is shown: among the resources, unless said otherwise."
    )


@payload("The resource, added.")
class ResourcePayload:
    resource: Resource | None = changed(ResourceLoader, "The resource.")


@payload("What was removed.")
class ResourceRemovePayload:
    removed_id: strawberry.ID | None = removed("Resource", "The id that a cache should forget.")


@strawberry.type
class ResourceMutations:
    resource_add = mutation(
        ResourcePayload,
        resources.add,
        "Adds a file to an aim's resources, or to its files from the course.",
        input=required(ResourceAddInput, "The material."),
    )
    resource_remove = mutation(ResourceRemovePayload, resources.remove, "Removes a resource from its aim.", id=Id)
