"""Why nothing was changed: what a resolver raises when the person can mend it, and the schema answers as `errors`."""

from dataclasses import dataclass

from domain.enums import UserErrorCode


@dataclass(frozen=True, slots=True)
class UserError:
    """One thing to mend: a code, the path of the input field (outermost first, graph spelling) or None, a sentence."""

    code: UserErrorCode
    field: tuple[str, ...] | None
    message: str


class DomainError(Exception):
    """Nothing was changed; `faults` says why, all of them at once."""

    def __init__(self, *faults: UserError) -> None:
        super().__init__("; ".join(f"{'.'.join(f.field or ())}: {f.message}" for f in faults))
        self.errors = faults


def reject(code: UserErrorCode, message: str, *field: str) -> DomainError:
    """A refusal for one reason: `raise reject(UserErrorCode.INVALID, "…", "input", "minutes")`."""
    return DomainError(UserError(code, field or None, message))


def not_found(*field: str) -> DomainError:
    """The one answer for what is not there and for what the viewer may not see."""
    return reject(UserErrorCode.NOT_FOUND, "There is no such record, or you may not see it.", *field)


def not_allowed(message: str = "Your role does not allow this.", *field: str) -> DomainError:
    """For what the viewer may see but not do."""
    return reject(UserErrorCode.NOT_ALLOWED, message, *field)


class PublicError(Exception):
    """A fault of the request whose sentence the client may read: it becomes a top-level error with this code."""

    code = "BAD_REQUEST"

    @property
    def extensions(self) -> dict[str, object]:
        """What GraphQL shows beside the message."""
        return {"code": self.code}


class BadArgument(PublicError):
    """An argument of a query that cannot be used; names it and says how to mend it."""

    code = "BAD_USER_INPUT"

    def __init__(self, argument: str, message: str) -> None:
        super().__init__(f"{argument}: {message}")
        self.argument = argument

    @property
    def extensions(self) -> dict[str, object]:
        return {"code": self.code, "argument": self.argument}
