"""Mutations of employers: create and update."""

import strawberry

from loaders.employer import EmployerLoader
from resolvers import employer as employers
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.employer import Employer


@strawberry.input(description="An employer: a site where learners work, or a head office.")
class EmployerInput:
    name: str = attribute("The name: one line, up to 200 characters, unique among the sites of the same parent.")
    parent_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The employer above it; null for a head office. Not changed if omitted in an update. Employers "
        "have up to 5 levels.",
    )


@payload("The result of a change of an employer.")
class EmployerPayload:
    employer: Employer | None = changed(EmployerLoader, "The employer after the change.")


@strawberry.type
class EmployerMutations:
    employer_create = mutation(
        EmployerPayload, employers.create, "Adds an employer.", input=required(EmployerInput, "The employer.")
    )
    employer_update = mutation(
        EmployerPayload,
        employers.update,
        "Renames an employer, or moves it with its sites below another employer.",
        id=Id,
        input=required(EmployerInput, "The new name and parent."),
    )
