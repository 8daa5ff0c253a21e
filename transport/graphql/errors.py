"""Errors: the responses that are sent instead of a result, and what a client may read of an exception."""

import re
from typing import Any

import structlog
from graphql import GraphQLError

from auth.viewer import NotSignedIn
from auth.wrong_keys import TooManyWrongKeys
from db.outages import Outage, cause_of, outage_of
from domain.errors import DomainError, PublicError

BAD_REQUEST = "BAD_REQUEST"
BAD_USER_INPUT = "BAD_USER_INPUT"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
UNAUTHENTICATED = "UNAUTHENTICATED"
NOT_ALLOWED = "NOT_ALLOWED"
BUDGET_SPENT = "BUDGET_SPENT"
TOO_MANY_CONNECTIONS = "TOO_MANY_CONNECTIONS"
UNAVAILABLE = "SERVICE_UNAVAILABLE"
OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
NO_SPACE = "INSUFFICIENT_STORAGE"
INTERNAL = "INTERNAL"

INTERNAL_MESSAGE = "Something went wrong on our side."
MAX_MESSAGE_CHARACTERS = 400

RETRY_SECONDS = 2
_OUTCOME_UNKNOWN_MESSAGE = (
    "The connection to the database was lost while your change was being saved: it may be saved, or not. Send the same "
    "request again with the same Idempotency-Key, and it is saved once. If you sent no key, read the record first."
)

# graphql-core quotes the submitted value in these messages.
_QUOTED_ENUM_VALUE = re.compile(r"Value '.*' does not exist", re.DOTALL)
_QUOTED_VALUE = re.compile(r"(?:, found|( cannot represent [^:]+)): .*", re.DOTALL)
_QUOTED_TOKEN = re.compile(r"(found|Unexpected) (String|BlockString|Int|Float|Name) '.*'", re.DOTALL)

log = structlog.get_logger("waymark.http")


class HttpError(Exception):
    """The response has an HTTP status of its own, whatever media type the client accepts.

    `headers` are further response headers; `extensions` are added to the code in the one error of the body.
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
        self.errors: list[dict[str, Any]] = [{"message": message, "extensions": {"code": code, **extensions}}]


class OperationRejected(Exception):
    """A well-formed request whose document or variables are invalid: the response has errors and no `data`.

    By the GraphQL-over-HTTP specification its status is 400 in application/graphql-response+json and 200 in
    application/json.
    """

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


def bad_request(message: str) -> HttpError:
    """The response with status 400 to a request that is not a GraphQL request."""
    return HttpError(400, BAD_REQUEST, message)


def operation_rejected(message: str, code: str = VALIDATION_FAILED, **extensions: Any) -> OperationRejected:
    """An OperationRejected with one error."""
    return OperationRejected([{"message": message, "extensions": {"code": code, **extensions}}])


def retry_after(seconds: float) -> tuple[bytes, bytes]:
    """The Retry-After header: whole seconds, rounded up, at least 1."""
    return b"retry-after", str(max(1, -int(-seconds // 1))).encode()


def outage_response(error: BaseException | None) -> HttpError | None:
    """Returns the response if the exception or its cause is an outage of the database, network or disk; else None."""
    outage = outage_of(error)
    if outage is Outage.STORAGE_FULL:
        return HttpError(507, NO_SPACE, "The server's storage is full. Nothing was changed.")
    if outage is Outage.OUTCOME_UNKNOWN:
        return HttpError(503, OUTCOME_UNKNOWN, _OUTCOME_UNKNOWN_MESSAGE, (retry_after(RETRY_SECONDS),))
    if outage is Outage.UNAVAILABLE:
        message = "The service is not available at the moment. Try again."
        return HttpError(503, UNAVAILABLE, message, (retry_after(RETRY_SECONDS),))
    return None


def public_message(error: BaseException | None) -> tuple[str, dict[str, Any]] | None:
    """Returns message and extensions of an exception that is meant for the client; None for any other."""
    if isinstance(error, PublicError):
        return str(error), dict(error.extensions)
    if isinstance(error, DomainError):
        reasons = [each.code.value for each in error.errors]
        return " ".join(each.message for each in error.errors), {"code": BAD_USER_INPUT, "reasons": reasons}
    return None


def format_error(error: GraphQLError, request_id: str, hide_details: bool = False) -> dict[str, Any]:
    """Returns one error of a result for the client. Logs an unexpected exception and masks its message.

    `hide_details` is for anonymous callers: a message about their variables would describe the schema.
    """
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    formatted: dict[str, Any] = {**error.formatted}
    extensions = dict(error.extensions or getattr(original, "extensions", None) or {})
    if (public := public_message(original)) is not None:
        formatted["message"], extensions = public
    elif _is_client_error(error, original, extensions):
        extensions.setdefault("code", BAD_USER_INPUT)
        formatted["message"] = client_message(error)
        if hide_details and error.path is None:
            formatted["message"] = "The variables do not fit the operation."
    else:
        log_unhandled(original or error, request_id, error.path)
        formatted["message"], extensions = INTERNAL_MESSAGE, {"code": INTERNAL, "requestId": request_id}
    formatted["extensions"] = extensions
    return formatted


def _is_client_error(error: GraphQLError, original: Exception | None, extensions: dict[str, Any]) -> bool:
    """Whether the client caused the error: it is about the request, has a code, or is about an argument.

    graphql-core gives the node of an argument whose value does not fit, and none for a resolver's result.
    """
    if error.path is None or original is None:
        return True
    return isinstance(original, GraphQLError) and ("code" in extensions or original.nodes is not None)


def client_message(error: GraphQLError) -> str:
    """Returns the message of a client error without the submitted values that it quotes, and not too long."""
    message = _QUOTED_ENUM_VALUE.sub("The value does not exist", error.message)
    message = _QUOTED_VALUE.sub(lambda found: f"{found[1] or ''}.", message)
    return _QUOTED_TOKEN.sub(r"\1 \2", message)[:MAX_MESSAGE_CHARACTERS]


def response_to(error: BaseException, request_id: str) -> HttpError | OperationRejected:
    """Returns the response to an exception that ended an operation, which is logged if it is not the client's."""
    if isinstance(error, HttpError | OperationRejected):
        return error
    if isinstance(error, TooManyWrongKeys):
        return HttpError(429, error.code, str(error), (retry_after(error.retry_after),))
    if isinstance(error, NotSignedIn):
        return HttpError(401, error.code, str(error), ((b"www-authenticate", b"Bearer"),))
    if (public := public_message(error)) is not None:
        return OperationRejected([{"message": public[0], "extensions": public[1]}])
    log_failure(error, request_id)
    return outage_response(error) or HttpError(500, INTERNAL, INTERNAL_MESSAGE, requestId=request_id)


def log_unhandled(error: BaseException, request_id: str, path: list[str | int] | None = None) -> None:
    """Logs the classes and places of an exception's stack. Leaves the message out, which may quote personal data."""
    log.error(
        "unhandled_exception", request_id=request_id, path=path and ".".join(map(str, path)), frames=_frames(error)
    )


def log_failure(error: BaseException, request_id: str, path: list[str | int] | None = None) -> None:
    """Logs an exception that ended an operation: an outage by its cause in one line, anything else with its stack."""
    if outage_of(error) is None:
        log_unhandled(error, request_id, path)
    else:
        log.warning("request_met_outage", request_id=request_id, cause=cause_of(error))


def _frames(error: BaseException | None) -> list[str]:
    lines: list[str] = []
    while error is not None and len(lines) < 200:
        lines.append(f"{type(error).__module__}.{type(error).__qualname__}")
        frame = error.__traceback__
        while frame is not None:
            code = frame.tb_frame.f_code
            lines.append(f"  {code.co_filename}:{frame.tb_lineno} {code.co_qualname}")
            frame = frame.tb_next
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines
