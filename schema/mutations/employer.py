"""Mutations of employers: create and update."""

import strawberry

from loaders.employer import EmployerLoader
from resolvers import employer as employers
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.employer import Employer


@strawberry.input(description="An employer: a site, or a head office.")
class EmployerInput:
    name: str = attribute("Its name, in a line of 200 characters at most, which no other site of the same parent has.")
    parent_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The employer that it is a site of; null for a head office. Left out in an update, it stays where it "
        "is. At most 5 levels.",
    )


@payload("The employer, changed.")
class EmployerPayload:
    employer: Employer | None = changed(EmployerLoader, "The employer as it now is.")


@strawberry.type
class EmployerMutations:
    employer_create = mutation(
        EmployerPayload, employers.create, "Adds an employer.", input=required(EmployerInput, "The employer.")
    )
    employer_update = mutation(
        EmployerPayload,
        employers.update,
        "Renames an employer, or moves it together with its sites.",
        id=Id,
        input=required(EmployerInput, "What it is to be."),
    )
