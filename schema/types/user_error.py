"""Errors that the user can correct."""

from domain import errors
from schema.enums import UserErrorCode
from schema.field_builders import attribute
from schema.relay import value


@value(
    errors.UserError,
    "An error that the user can correct. Invalid requests, a missing login and faults of the server are top-level "
    "errors of the response instead.",
)
class UserError:
    code: UserErrorCode = attribute("The kind of the error.")
    field: list[str] | None = attribute(
        "The path of the argument that is not valid, outermost name first; null if the error is not about one argument."
    )
    message: str = attribute("What is wrong and what to do, as text for the user.")
