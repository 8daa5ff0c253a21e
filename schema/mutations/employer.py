"""Mutations of employers: create and update."""

from typing import Annotated

import strawberry

from loaders.employer import EmployerLoader
from resolvers import employer as employers
from schema.field_builders import Id, Info, attribute
from schema.payload import UserError, answer, errors_field, plain
from schema.types.employer import Employer


@strawberry.input(description="An employer: a site, or a head office.")
class EmployerInput:
    name: str = attribute("Its name, in a line of 200 characters at most, which no other site of the same parent has.")
    parent_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The employer that it is a site of; null for a head office. Left out in an update, it stays where it "
        "is. At most 5 levels.",
    )


@strawberry.type(description="The employer, changed.")
class EmployerPayload:
    employer: Employer | None = attribute("The employer as it now is.")
    errors: list[UserError] = errors_field()


@strawberry.type
class EmployerMutations:
    @strawberry.mutation(description="Adds an employer.")
    async def employer_create(
        self, info: Info, input: Annotated[EmployerInput, strawberry.argument(description="The employer.")]
    ) -> EmployerPayload:
        write = employers.create(info.context, **plain(input))
        return await answer(info, EmployerPayload, write, employer=lambda key, load: load[EmployerLoader].load(key))

    @strawberry.mutation(description="Renames an employer, or moves it together with its sites.")
    async def employer_update(
        self, info: Info, id: Id, input: Annotated[EmployerInput, strawberry.argument(description="What it is to be.")]
    ) -> EmployerPayload:
        write = employers.update(info.context, id=id, changes=plain(input))
        return await answer(info, EmployerPayload, write, employer=lambda key, load: load[EmployerLoader].load(key))
