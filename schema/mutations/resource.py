"""Mutations of resources: add to a bucket, take out."""

from typing import Annotated

import strawberry

from domain import global_id as ids
from loaders.resource import ResourceLoader
from resolvers import resource as resource_
from schema.enums import ResourceBucket
from schema.field_builders import Id, Info, attribute
from schema.payload import UserError, answer, errors_field, plain
from schema.types.resource import Resource


@strawberry.input(description="Material for one aim.")
class ResourceAddInput:
    aim_id: strawberry.ID = attribute("The component that it is for.")
    title: str = attribute("What it is, in a line of 200 characters at most.")
    file_id: strawberry.ID = attribute("A file that the viewer has uploaded and not used yet.")
    bucket: ResourceBucket = strawberry.field(
        default=ResourceBucket.RESOURCES, description="Where it is shown: among the resources, unless said otherwise."
    )


@strawberry.type(description="The resource, added.")
class ResourcePayload:
    resource: Resource | None = attribute("The resource.")
    errors: list[UserError] = errors_field()


@strawberry.type(description="What was taken out.")
class ResourceRemovePayload:
    removed_id: strawberry.ID | None = attribute("The id that a cache should forget.")
    errors: list[UserError] = errors_field()


async def _id_of(key: int, _: object) -> str:
    return ids.encode("Resource", key)


@strawberry.type
class ResourceMutations:
    @strawberry.mutation(description="Adds a file to an aim's resources, or to its files from the course.")
    async def resource_add(
        self, info: Info, input: Annotated[ResourceAddInput, strawberry.argument(description="The material.")]
    ) -> ResourcePayload:
        write = resource_.add(info.context, **plain(input))
        return await answer(info, ResourcePayload, write, resource=lambda key, load: load[ResourceLoader].load(key))

    @strawberry.mutation(description="Takes a resource out of its aim.")
    async def resource_remove(self, info: Info, id: Id) -> ResourceRemovePayload:
        return await answer(info, ResourceRemovePayload, resource_.remove(info.context, id=id), removed_id=_id_of)
