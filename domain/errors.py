"""Errors that a client may read: rejected writes (`DomainError`) and bad requests (`PublicError`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from domain import enums
from domain.enums import UserErrorCode
from domain.sentences import Sentence, as_text, say


@dataclass(frozen=True, slots=True)
class ErrorParameter:
    """A value that the message of an error contains."""

    name: str
    value: str


# The sentence for a mutation that the role does not allow.
ROLE_NOT_ALLOWED = say("ROLE_NOT_ALLOWED")


@dataclass(frozen=True, slots=True)
class UserError:
    """One error in a mutation's `errors`.

    `field` is the path of the input field in the spelling of the schema, outermost first; None if no field is to blame.
    `message` comes from the catalogue (`domain.sentences.say`), which also gives its reason and its parameters.
    """

    code: UserErrorCode
    field: tuple[str, ...] | None
    message: str

    @property
    def reason(self) -> str:
        """Returns the stable name of the sentence; that of the code for a text from elsewhere."""
        return self.message.reason if isinstance(self.message, Sentence) else self.code.name

    @property
    def parameters(self) -> list[ErrorParameter]:
        """Returns the values that the message contains, as texts."""
        if not isinstance(self.message, Sentence):
            return []
        return [ErrorParameter(name, as_text(value)) for name, value in self.message.parameters.items()]

    def as_json(self) -> dict[str, Any]:
        """Returns the error as JSON, in which the result of a mutation is stored with its Idempotency-Key."""
        said = self.message.parameters if isinstance(self.message, Sentence) else {}
        parameters = {name: _encoded(value) for name, value in said.items()}
        field = list(self.field) if self.field else None
        return {"code": self.code.name, "field": field, "reason": self.reason, "parameters": parameters}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "UserError":
        """Returns the error that was stored as JSON."""
        parameters = {name: _decoded(value) for name, value in stored["parameters"].items()}
        field = stored["field"] and tuple(stored["field"])
        return cls(UserErrorCode[stored["code"]], field, say(stored["reason"], **parameters))


def _encoded(value: Any) -> Any:
    if isinstance(value, Enum):
        return {"enum": type(value).__name__, "name": value.name}
    return value if isinstance(value, int) else as_text(value)


def _decoded(value: Any) -> Any:
    return getattr(enums, value["enum"])[value["name"]] if isinstance(value, dict) else value


class DomainError(Exception):
    """A write was rejected and changed nothing; `errors` holds all the reasons at once."""

    def __init__(self, *errors: UserError) -> None:
        super().__init__("; ".join(f"{'.'.join(error.field or ())}: {error.message}" for error in errors))
        self.errors = errors


def user_error(code: UserErrorCode, message: str, *field: str) -> UserError:
    """Returns one error: `user_error(UserErrorCode.INVALID, say("DAY_IN_FUTURE"), "input", "date")`."""
    return UserError(code, field or None, message)


def reject(code: UserErrorCode, message: str, *field: str) -> DomainError:
    """Returns the exception with one error, whose arguments are those of `user_error`."""
    return DomainError(user_error(code, message, *field))


def not_found(*field: str) -> DomainError:
    """Returns the same error for a record that does not exist and for one that the viewer may not see."""
    return reject(UserErrorCode.NOT_FOUND, say("NO_SUCH_RECORD"), *field)


def not_allowed(message: str = ROLE_NOT_ALLOWED, *field: str) -> DomainError:
    """Returns the error for a record that the viewer may see but not change."""
    return reject(UserErrorCode.NOT_ALLOWED, message, *field)


class PublicError(Exception):
    """An error whose message the client may read; it becomes a top-level GraphQL error with this code."""

    code = "BAD_REQUEST"

    @property
    def extensions(self) -> dict[str, object]:
        """The `extensions` of the GraphQL error."""
        return {"code": self.code}


class BadArgument(PublicError):
    """An argument of a query is invalid; `message` says how to correct it."""

    code = "BAD_USER_INPUT"

    def __init__(self, argument: str, message: str) -> None:
        super().__init__(f"{argument}: {message}")
        self.argument = argument

    @property
    def extensions(self) -> dict[str, object]:
        return {"code": self.code, "argument": self.argument}
