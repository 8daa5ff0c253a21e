"""What a request asks for: its body read under a cap, its JSON, its shape."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.types import Receive

from transport.graphql.errors import BAD_REQUEST, HttpError
from transport.limits import Limits

# What is left of a body unread would be taken for the next request.
_CLOSE = (b"connection", b"close")


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation as a client names it: by its text, by a saved document's id, or by a persisted query's hash."""

    query: str | None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None

    @property
    def persisted_hash(self) -> str | None:
        """The SHA-256 of Apollo's persisted-query extension."""
        persisted = (self.extensions or {}).get("persistedQuery")
        if persisted is None:
            return None
        found = persisted.get("sha256Hash") if isinstance(persisted, dict) and persisted.get("version") == 1 else None
        if not isinstance(found, str):
            raise bad_request("extensions.persistedQuery needs version 1 and a sha256Hash.")
        return found.lower()


class ClientDisconnected(Exception):
    """The client went away before it had sent its body: there is no one to answer."""


def bad_request(message: str) -> HttpError:
    """The answer to what is no GraphQL request."""
    return HttpError(400, BAD_REQUEST, message)


async def read_body(receive: Receive, declared: bytes | None, limits: Limits) -> bytes:
    """The whole body, of which no more is held than may come: 413 over `body_bytes`, 408 where it is late."""
    length = 0
    if declared is not None:
        if not declared.isdigit() or len(declared) > 15:
            raise bad_request("Content-Length is no number of bytes.")
        length = int(declared)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            while max(length, size) <= limits.discard_bytes:
                message = await receive()
                if message["type"] != "http.request":
                    raise ClientDisconnected
                part = message.get("body", b"")
                size += len(part)
                if length <= limits.body_bytes and size <= limits.body_bytes:
                    parts.append(part)
                if not message.get("more_body"):
                    if size > limits.body_bytes:
                        raise _too_large(limits)
                    return parts[0] if len(parts) == 1 else b"".join(parts)
    except TimeoutError:
        raise HttpError(408, BAD_REQUEST, "The body did not arrive in time.", (_CLOSE,)) from None
    raise _too_large(limits, _CLOSE)


def _too_large(limits: Limits, *headers: tuple[bytes, bytes]) -> HttpError:
    return HttpError(413, BAD_REQUEST, f"A request body may have {limits.body_bytes} bytes.", headers)


def decode(body: bytes | str, limits: Limits) -> Any:
    """The JSON of a body or socket message. Raises TurnedAway with 400 and a sentence."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The request is not JSON in UTF-8: {_reason(error)}.") from None
    # Only what has that many brackets can be nested that deep.
    brackets = (b"[", b"{") if isinstance(body, bytes) else ("[", "{")
    if sum(body.count(bracket) for bracket in brackets) > limits.json_depth and _depth_above(value, limits.json_depth):
        raise bad_request(f"The request's JSON is nested deeper than {limits.json_depth} levels.")
    return value


def _reason(error: orjson.JSONDecodeError) -> str:
    # Where it is, not what stands there: bodies hold passwords.
    return f"{error.msg.partition(':')[0]}" if error.lineno == 1 and error.colno == 1 else f"character {error.pos}"


def _depth_above(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def from_json(value: Any) -> GraphQLRequest:
    """What a JSON body asks for. Raises TurnedAway with 400 for a wrong shape."""
    if isinstance(value, list):
        raise bad_request("Batches are not taken: send one operation a request.")
    if not isinstance(value, dict):
        raise bad_request("The body must be a JSON object with query, operationName, variables and extensions.")
    request = GraphQLRequest(
        query=value.get("query"),
        operation_name=value.get("operationName"),
        variables=value.get("variables"),
        extensions=value.get("extensions"),
        document_id=value.get("documentId"),
    )
    return _checked(request)


def from_query_string(query_string: bytes, limits: Limits) -> GraphQLRequest:
    """What a GET asks for; variables and extensions are JSON text. Raises TurnedAway with 400 or 414."""
    if len(query_string) > limits.document_characters:
        raise HttpError(414, BAD_REQUEST, f"An address may have {limits.document_characters} characters.")
    try:
        found = parse_qs(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise bad_request("The address does not hold parameters in UTF-8.") from None
    if repeated := [name for name, values in found.items() if len(values) > 1]:
        raise bad_request(f"The parameter {repeated[0][:40]} is given more than once.")
    given = {name: values[0] for name, values in found.items()}
    request = GraphQLRequest(
        query=given.get("query"),
        operation_name=given.get("operationName"),
        variables=decode(given["variables"], limits) if given.get("variables") else None,
        extensions=decode(given["extensions"], limits) if given.get("extensions") else None,
        document_id=given.get("documentId"),
    )
    return _checked(request)


def _checked(request: GraphQLRequest) -> GraphQLRequest:
    for name, value, kind, expected in (
        ("query", request.query, str, "a string"),
        ("documentId", request.document_id, str, "a string"),
        ("operationName", request.operation_name, str, "a string or null"),
        ("variables", request.variables, dict, "an object or null"),
        ("extensions", request.extensions, dict, "an object or null"),
    ):
        if value is not None and not isinstance(value, kind):
            raise bad_request(f"{name} must be {expected}.")
    persisted_hash = request.persisted_hash
    if not request.query and not request.document_id and persisted_hash is None:
        raise bad_request("There is no query: send query, documentId, or a persisted query's hash.")
    return request
