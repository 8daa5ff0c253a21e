"""Which media type an answer has, and whether a request could have come from a page of another origin unasked."""

from functools import lru_cache

from transport.graphql.errors import BAD_REQUEST, HttpError

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
OFFERED = (GRAPHQL_JSON, JSON, EVENT_STREAM)

# A browser asks the other origin before it sends any of these, which a form or an image cannot set.
PREFLIGHT_HEADERS = (b"apollo-require-preflight", b"x-apollo-operation-name", b"graphql-preflight", b"x-requested-with")


@lru_cache(maxsize=256)
def acceptable(accept: bytes | None) -> tuple[str, ...]:
    """The offered media types that an Accept header takes, the most wanted first; empty where it takes none.

    Order is by q, then as listed: urql lists text/event-stream last and is not to be answered as a stream. A missing
    header and a wildcard mean application/json, as GraphQL-over-HTTP has it; neither ever means a stream.
    """
    if accept is None or not accept.strip():
        return (JSON,)
    wanted: list[tuple[float, int, str]] = []
    for index, part in enumerate(accept.decode("latin-1").split(",")[:50]):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = _quality(parameters)
        if quality <= 0 or not _takes_utf8(parameters):
            continue
        if name in OFFERED:
            wanted.append((-quality, index, name))
        elif name in ("*/*", "application/*"):
            wanted.append((-quality, index, JSON))
    return tuple(dict.fromkeys(name for _, _, name in sorted(wanted)))


@lru_cache(maxsize=256)
def prefers_html(accept: bytes | None) -> bool:
    """Whether an Accept header names text/html and wants it more than any offered type that it names: a browser's page."""
    wanted = {"text/html": 0.0}
    for part in (accept or b"").decode("latin-1").split(",")[:50]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        wanted[name] = max(wanted.get(name, 0.0), _quality(parameters))
    return wanted["text/html"] > max(wanted.get(name, 0.0) for name in OFFERED)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


def _takes_utf8(parameters: list[str]) -> bool:
    return all(
        each.partition("=")[2].strip('"') in ("utf-8", "utf8") for each in parameters if each.startswith("charset=")
    )


@lru_cache(maxsize=256)
def is_json(content_type: bytes | None) -> bool:
    """Whether a body is declared as JSON in UTF-8: the media type itself, not a parameter that mentions it."""
    if content_type is None:
        return False
    name, *parameters = (piece.strip().lower() for piece in content_type.decode("latin-1").split(";"))
    return name == JSON and _takes_utf8(parameters)


def check_body_type(headers: dict[bytes, bytes]) -> None:
    """Raises TurnedAway with 415 for a body that is not plain JSON; that also keeps other origins' forms out."""
    if not is_json(headers.get(b"content-type")):
        raise HttpError(
            415,
            BAD_REQUEST,
            "Send the operation as application/json in UTF-8. Files are not sent here: ask fileUploadCreate for a "
            "place to PUT them.",
        )
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise HttpError(415, BAD_REQUEST, "Send the body without Content-Encoding.")


def check_preflight(headers: dict[bytes, bytes]) -> None:
    """Raises TurnedAway with 403 for a GET that a page of another origin could have sent without being asked."""
    if is_json(headers.get(b"content-type")) or any(name in headers for name in PREFLIGHT_HEADERS):
        return
    raise HttpError(
        403,
        BAD_REQUEST,
        "A GET runs only with a header that no other site can send unasked: Apollo-Require-Preflight: true, or "
        "Content-Type: application/json.",
    )
