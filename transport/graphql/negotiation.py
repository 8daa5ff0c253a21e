"""Content negotiation, and protection against requests that pages of other origins send without a preflight."""

from functools import lru_cache

from transport.graphql.errors import BAD_REQUEST, HttpError

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
OFFERED = (GRAPHQL_JSON, JSON, EVENT_STREAM)

# Headers that forms and images cannot set: a browser sends them to another origin only after a preflight.
PREFLIGHT_HEADERS = (
    b"apollo-require-preflight", b"x-apollo-operation-name", b"graphql-preflight", b"graphql-require-preflight",
    b"x-requested-with",
)  # fmt: skip


@lru_cache(maxsize=256)
def acceptable(accept: bytes | None) -> tuple[str, ...]:
    """Returns the offered media types that an Accept header allows, in order of preference.

    The order is by q, then as listed: urql lists text/event-stream last and must not get a stream for a query. By the
    GraphQL-over-HTTP specification a missing header means application/json; so does a wildcard.
    """
    if accept is None or not accept.strip():
        return (JSON,)
    found: list[tuple[float, int, str]] = []
    for index, part in enumerate(accept.decode("latin-1").split(",")[:50]):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = _quality(parameters)
        if quality <= 0 or not _allows_utf8(parameters):
            continue
        if name in OFFERED:
            found.append((-quality, index, name))
        elif name in ("*/*", "application/*"):
            found.append((-quality, index, JSON))
    return tuple(dict.fromkeys(name for _, _, name in sorted(found)))


@lru_cache(maxsize=256)
def prefers_html(accept: bytes | None) -> bool:
    """Whether an Accept header prefers text/html to each offered media type, as that of a browser's page does."""
    qualities = {"text/html": 0.0}
    for part in (accept or b"").decode("latin-1").split(",")[:50]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        qualities[name] = max(qualities.get(name, 0.0), _quality(parameters))
    return qualities["text/html"] > max(qualities.get(name, 0.0) for name in OFFERED)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


def _allows_utf8(parameters: list[str]) -> bool:
    return all(
        each.partition("=")[2].strip('"') in ("utf-8", "utf8") for each in parameters if each.startswith("charset=")
    )


@lru_cache(maxsize=256)
def is_json(content_type: bytes | None) -> bool:
    """Whether a Content-Type is application/json in UTF-8."""
    if content_type is None:
        return False
    name, *parameters = (piece.strip().lower() for piece in content_type.decode("latin-1").split(";"))
    return name == JSON and _allows_utf8(parameters)


def check_body_type(headers: dict[bytes, bytes]) -> None:
    """Raises HttpError 415 for a body that is not plain JSON, which also rejects forms of other origins."""
    if not is_json(headers.get(b"content-type")):
        raise HttpError(
            415,
            BAD_REQUEST,
            "Content-Type must be application/json in UTF-8. Files are uploaded with a PUT to an upload URL.",
        )
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise HttpError(415, BAD_REQUEST, "Content-Encoding must be identity.")


def check_preflight(headers: dict[bytes, bytes]) -> None:
    """Raises HttpError 403 for a GET that a page of another origin can send without a preflight."""
    if is_json(headers.get(b"content-type")) or any(name in headers for name in PREFLIGHT_HEADERS):
        return
    # Only a program sends a token, as gateways do that read event streams. A browser sends what it knows of Basic.
    if headers.get(b"authorization", b"")[:7].lower() == b"bearer ":
        return
    raise HttpError(
        403,
        BAD_REQUEST,
        "A GET request needs the header Authorization: Bearer, Apollo-Require-Preflight: true, or Content-Type: "
        "application/json, which other sites cannot send without a preflight.",
    )
