"""Mutations of resources: add and remove."""

import strawberry

from loaders.aim import AimLoader
from loaders.resource import ResourceLoader
from resolvers import resource as resources
from schema.enums import ResourceBucket
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, removed, required
from schema.types.aim import Aim
from schema.types.resource import Resource


@strawberry.input(description="A file with learning material for one aim.")
class ResourceAddInput:
    aim_id: strawberry.ID = attribute("The aim (component of the programme) that it is for.")
    title: str = attribute("A short title: one line, up to 200 characters.")
    file_id: strawberry.ID = attribute("A file that the viewer has uploaded and not used yet.")
    bucket: ResourceBucket = strawberry.field(
        default=ResourceBucket.RESOURCES, description="The list that shows it; the resources by default."
    )


@payload("The result of adding a resource.")
class ResourcePayload:
    resource: Resource | None = changed(ResourceLoader, "The resource.", of="resource")
    aim: Aim | None = changed(AimLoader, "The aim, with the number of its resources after the change.", of="aim")


@payload("The result of removing a resource.")
class ResourceRemovePayload:
    removed_id: strawberry.ID | None = removed("Resource", "The id of the removed resource.", of="resource")
    aim: Aim | None = changed(AimLoader, "The aim, with the number of its resources after the change.", of="aim")


@strawberry.type
class ResourceMutations:
    resource_add = mutation(
        ResourcePayload,
        resources.add,
        "Adds a file to an aim's resources or to its files from the course.",
        input=required(ResourceAddInput, "The resource."),
    )
    resource_remove = mutation(ResourceRemovePayload, resources.remove, "Removes a resource from its aim.", id=Id)
