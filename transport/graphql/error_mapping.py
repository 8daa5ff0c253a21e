"""Which exceptions mean that the database or the disk is away, and which of our own words a client may read."""

import asyncio
import errno
from typing import Any

import structlog
from asyncpg import PostgresError
from graphql import GraphQLError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import DomainError, PublicError
from transport.graphql.errors import (
    BAD_USER_INPUT,
    INTERNAL,
    INTERNAL_MESSAGE,
    NO_SPACE,
    UNAVAILABLE,
    HttpError,
    retry_after,
)

log = structlog.get_logger("waymark.http")

RETRY_SECONDS = 2

_NETWORK_ERRORS = {
    errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.EHOSTUNREACH, errno.ENETUNREACH,
    errno.ETIMEDOUT, errno.EMFILE, errno.ENFILE,
}  # fmt: skip
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT}
# SQLite says these as OperationalError too, but they are a fault of ours, and coming back later mends nothing.
_OUR_SQL = (
    "no such table",
    "no such column",
    "syntax error",
    "has no column",
    "unrecognized token",
    "no such function",
)
# PostgreSQL's classes for a connection that failed, too little of something, and a server that is stopping; and for two
# transactions that got in each other's way.
_AWAY_CLASSES = ("08", "53", "57", "40")
_DISK_FULL_STATE = "53100"


def outage_response(error: BaseException | None) -> HttpError | None:
    """The whole answer where an exception, or what caused it, means that something we stand on is away; else None."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        kind = _outage_kind(error)
        if kind == NO_SPACE:
            return HttpError(507, NO_SPACE, "There is no room left to store this. Nothing was changed.")
        if kind == UNAVAILABLE:
            return HttpError(
                503,
                UNAVAILABLE,
                "The service is not available at the moment. Try again.",
                (retry_after(RETRY_SECONDS),),
            )
        if isinstance(error, DBAPIError):
            return None
        error = error.__cause__ or getattr(error, "original_error", None)
    return None


def _outage_kind(error: BaseException) -> str | None:
    if isinstance(error, DBAPIError):
        text = str(error.orig)
        state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
        if state:
            return _state_kind(state)
        if "is full" in text or "No space left" in text:
            return NO_SPACE
        away = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        return UNAVAILABLE if away and not any(words in text for words in _OUR_SQL) else None
    if isinstance(error, PostgresError):
        return _state_kind(error.sqlstate or "")
    if isinstance(error, PoolTimeout | ConnectionError | asyncio.TimeoutError):
        return UNAVAILABLE
    if isinstance(error, OSError):
        if error.errno in _DISK_ERRORS:
            return NO_SPACE
        return UNAVAILABLE if error.errno in _NETWORK_ERRORS else None
    return None


def _state_kind(state: str) -> str | None:
    if state == _DISK_FULL_STATE:
        return NO_SPACE
    return UNAVAILABLE if state.startswith(_AWAY_CLASSES) else None


def public_message(error: BaseException | None) -> tuple[str, dict[str, Any]] | None:
    """Message and extensions of an exception that is raised to be read by the caller; None for any other."""
    if isinstance(error, PublicError):
        return str(error), dict(error.extensions)
    if isinstance(error, DomainError):
        reasons = [fault.code.value for fault in error.errors]
        return " ".join(fault.message for fault in error.errors), {"code": BAD_USER_INPUT, "reasons": reasons}
    return None


def describe(error: GraphQLError, request_id: str, hide_details: bool = False) -> dict[str, Any]:
    """One error of an answer as the client may read it; what nobody expected is logged and hidden.

    `hide_details` is for callers who are not signed in: a message about their variables would describe the schema.
    """
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    described = error.formatted
    extensions = dict(error.extensions or getattr(original, "extensions", None) or {})
    if (ours := public_message(original)) is not None:
        described["message"], extensions = ours
    elif _is_callers(error, original, extensions):
        extensions.setdefault("code", BAD_USER_INPUT)
        described["message"] = error.message[:400]
        if hide_details and error.path is None:
            described["message"] = "The variables do not fit the operation."
    else:
        log_unhandled(original or error, request_id, error.path)
        described["message"], extensions = INTERNAL_MESSAGE, {"code": INTERNAL, "requestId": request_id}
    described["extensions"] = extensions
    return described


def _is_callers(error: GraphQLError, original: Exception | None, extensions: dict[str, Any]) -> bool:
    """Whether an error speaks to the caller: it is about the request, or a GraphQL error with a code or of an argument.

    graphql-core names the node of an argument that does not fit; of a value of ours that does not fit, it names none.
    """
    if error.path is None or original is None:
        return True
    return isinstance(original, GraphQLError) and ("code" in extensions or original.nodes is not None)


def log_unhandled(error: BaseException, request_id: str, path: Any = None) -> None:
    """A log line with the stack: classes and places, and no message, because messages quote people's data."""
    log.error("unexpected", request_id=request_id, path=path and ".".join(map(str, path)), frames=_frames(error))


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
