"""Reads a GraphQL request: the body up to a limit, its JSON, and the types of its parameters."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.types import Receive

from transport.graphql.errors import BAD_REQUEST, HttpError, bad_request
from transport.limits import Limits

MAX_QUERY_PARAMETERS = 20
_PARAMETERS = ("query", "operationName", "variables", "extensions", "documentId")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
# How clients say what they are: the header of the name and that of the version, of Apollo and of the others.
_CLIENT_HEADERS = (
    (b"graphql-client-name", b"graphql-client-version"),
    (b"apollographql-client-name", b"apollographql-client-version"),
)
# The unread rest of a body would be taken for the next request.
_CLOSE = (b"connection", b"close")


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation: by its text, by the id of a saved or trusted document, or by the hash of a persisted query.

    `client`: the name of the client and its version, if its headers say them.
    """

    query: str | None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None
    client: tuple[str, str | None] | None = None

    @property
    def persisted_hash(self) -> str | None:
        """The hash in Apollo's persisted-query extension. Raises HttpError 400 for a wrong shape.

        It is the SHA-256 of the text, or what a client's manifest has in its place.
        """
        persisted = (self.extensions or {}).get("persistedQuery")
        if persisted is None:
            return None
        hashed = persisted.get("sha256Hash") if isinstance(persisted, dict) and persisted.get("version") == 1 else None
        if not isinstance(hashed, str):
            raise bad_request("extensions.persistedQuery must have version 1 and a string sha256Hash.")
        return identity(hashed)


def identity(document_id: str) -> str:
    """Returns the id of a document as it is compared: a hash in lower-case digits, without the name of its function."""
    plain = document_id.removeprefix("sha256:")
    return plain.lower() if _HEXADECIMAL.fullmatch(plain) else document_id


def client_of(headers: Mapping[bytes, bytes]) -> tuple[str, str | None] | None:
    """Returns the name and the version of the client that the headers of a request give; None without a name."""
    for name, version in _CLIENT_HEADERS:
        if name in headers:
            given = headers.get(version)
            return headers[name].decode("latin-1"), given.decode("latin-1") if given is not None else None
    return None


class ClientDisconnected(Exception):
    """The client closed the connection before the end of its body, so there is no response to send."""


async def read_body(receive: Receive, declared: bytes | None, limits: Limits) -> bytes:
    """Reads the whole body; `declared` is the value of Content-Length.

    Raises HttpError 413 over `body_bytes`, 408 after `body_seconds` and 400 for a wrong Content-Length, and
    ClientDisconnected. A body that is too large is read up to `discard_bytes` and dropped, because most clients read
    the response only after they have sent everything.
    """
    length = 0
    if declared is not None:
        if not declared.isdigit() or len(declared) > 15:
            raise bad_request("Content-Length must be a non-negative integer.")
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
        text = f"The body must arrive within {limits.body_seconds:g} seconds."
        raise HttpError(408, BAD_REQUEST, text, (_CLOSE,)) from None
    raise _too_large(limits, _CLOSE)


def _too_large(limits: Limits, *headers: tuple[bytes, bytes]) -> HttpError:
    return HttpError(413, BAD_REQUEST, f"The body must be at most {limits.body_bytes} bytes.", headers)


def decode(text: bytes | str, limits: Limits, name: str = "The body") -> Any:
    """Decodes JSON. Raises HttpError 400 with `name` in its message if it is invalid or nested too deep."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"{name} must be JSON in UTF-8: {_position(error)}.") from None
    # Fewer brackets than the limit cannot be nested deeper than the limit.
    brackets = text.count(b"[") + text.count(b"{") if isinstance(text, bytes) else text.count("[") + text.count("{")
    if brackets > limits.json_depth and _is_deeper(value, limits.json_depth):
        raise bad_request(f"{name} must not be nested deeper than {limits.json_depth} levels.")
    return value


def _position(error: orjson.JSONDecodeError) -> str:
    # Only the position, because the text may hold passwords.
    at_start = error.lineno == 1 and error.colno == 1
    return error.msg.partition(":")[0] if at_start else f"see character {error.pos}"


def _is_deeper(value: Any, limit: int) -> bool:
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
    """Returns the request in a decoded body. Raises HttpError 400 for a wrong shape."""
    if isinstance(value, list):
        raise bad_request("The body must be one JSON object: arrays of operations are not supported.")
    if not isinstance(value, dict):
        raise bad_request(f"The body must be a JSON object with {', '.join(_PARAMETERS[:-1])} or {_PARAMETERS[-1]}.")
    request = GraphQLRequest(
        query=value.get("query"),
        operation_name=value.get("operationName"),
        variables=value.get("variables"),
        extensions=value.get("extensions"),
        document_id=value.get("documentId"),
    )
    return _checked(request)


def from_query_string(query_string: bytes, limits: Limits) -> GraphQLRequest:
    """Returns the request in a query string, where variables and extensions are JSON. Raises HttpError 400 or 414."""
    if len(query_string) > limits.document_characters:
        raise HttpError(414, BAD_REQUEST, f"The query string must be at most {limits.document_characters} characters.")
    try:
        found = parse_qs(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_PARAMETERS
        )
    except ValueError:
        raise bad_request(
            f"The query string must be percent-encoded UTF-8 with at most {MAX_QUERY_PARAMETERS} parameters."
        ) from None
    for name, values in found.items():
        if len(values) > 1:
            raise bad_request(f"{name if name in _PARAMETERS else 'Each parameter'} must be given only once.")
    given = {name: values[0] for name, values in found.items()}
    request = GraphQLRequest(
        query=given.get("query"),
        operation_name=given.get("operationName"),
        variables=decode(given["variables"], limits, "variables") if given.get("variables") else None,
        extensions=decode(given["extensions"], limits, "extensions") if given.get("extensions") else None,
        document_id=given.get("documentId"),
    )
    return _checked(request)


def _checked(request: GraphQLRequest) -> GraphQLRequest:
    for name, value, type_, expected in (
        ("query", request.query, str, "a string"),
        ("documentId", request.document_id, str, "a string"),
        ("operationName", request.operation_name, str, "a string or null"),
        ("variables", request.variables, dict, "an object or null"),
        ("extensions", request.extensions, dict, "an object or null"),
    ):
        if value is not None and not isinstance(value, type_):
            raise bad_request(f"{name} must be {expected}.")
    persisted_hash = request.persisted_hash
    if not request.query and not request.document_id and persisted_hash is None:
        raise bad_request("query is required, or documentId, or extensions.persistedQuery.")
    return request
