"""Errors that the user can correct."""

from domain import errors
from schema.enums import UserErrorCode
from schema.field_builders import attribute, resolved
from schema.relay import value


@value(errors.ErrorParameter, "A value that the message of an error contains.")
class ErrorParameter:
    name: str = attribute("The name of the value, such as `most`; `docs/api.md` lists those of each reason.")
    value: str = attribute(
        "The value as a program writes it: a number without separators, a day as in 2026-11-28, the name of an enum "
        "value; entries of a list are separated by commas."
    )


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
    message: str = resolved(
        "What is wrong and what to do, as text for the user, in the language of the header `Accept-Language` that the "
        "installation has; else in English.",
        lambda error, info: info.context.client.language.say(error.message),
    )
    reason: str = attribute("A stable name of exactly this refusal, to act on or to translate: `DAY_IN_FUTURE`.")
    parameters: list[ErrorParameter] = attribute("The values that the message contains, by name.", list_size=2)
