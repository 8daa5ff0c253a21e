"""What the protocol answers instead of running an operation: a status, a code and a sentence."""

from typing import Any

BAD_REQUEST = "BAD_REQUEST"
BAD_USER_INPUT = "BAD_USER_INPUT"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
UNAUTHENTICATED = "UNAUTHENTICATED"
BUDGET_SPENT = "BUDGET_SPENT"
UNAVAILABLE = "SERVICE_UNAVAILABLE"
NO_SPACE = "INSUFFICIENT_STORAGE"
INTERNAL = "INTERNAL"

INTERNAL_MESSAGE = "Something went wrong on our side."
GENERIC_MESSAGE = "This operation cannot be run. Sign in to be told why."


class HttpError(Exception):
    """The request is answered with an HTTP status of its own, whatever media type was asked for.

    `headers` are further response headers; `extensions` stand beside the code in the one error of the body.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        **extensions: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.errors = [{"message": message, "extensions": {"code": code, **extensions}}]


class OperationRejected(Exception):
    """A well-formed request whose document or variables cannot be run: errors, and no `data`.

    GraphQL-over-HTTP wants 400 for it in application/graphql-response+json and 200 in application/json.
    """

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


def operation_rejected(message: str, code: str = VALIDATION_FAILED, **extensions: Any) -> OperationRejected:
    """An Unrunnable with one error."""
    return OperationRejected([{"message": message, "extensions": {"code": code, **extensions}}])


def retry_after(seconds: float) -> tuple[bytes, bytes]:
    """The header that says when to come back: whole seconds, rounded up, at least 1."""
    return b"retry-after", str(max(1, -int(-seconds // 1))).encode()
