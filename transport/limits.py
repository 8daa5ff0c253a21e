"""The limits of the transport, and how they are read from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

SETTING_PREFIX = "WAYMARK_LIMIT_"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one request, one document, one caller and one connection.

    The sizes of a document are counted with its fragments expanded. The cost of an object is 1 (or its entry in
    `weights`), of a leaf 0, and of a list its length times the cost of one element. The length of a connection is its
    `first` or `last`, and of any other list `list_size` (or its entry in `list_sizes`). The keys of both mappings are
    "Type.field".
    """

    # The request.
    body_bytes: int = 1_000_000
    # A body over the limit is read up to here and dropped: most clients read the response only after sending all.
    discard_bytes: int = 16_000_000
    body_seconds: float = 20.0
    json_depth: int = 64
    # The bytes of a body that are free. Further ones are charged as a document is, before the JSON is decoded.
    free_body_bytes: int = 32_000
    # Values in the variables in all, and characters of one text among them.
    input_values: int = 5_000
    text_characters: int = 50_000
    query_seconds: float = 30.0

    # The document.
    document_characters: int = 30_000
    tokens: int = 2_000
    comments: int = 200
    depth: int = 12
    introspection_depth: int = 20
    aliases: int = 30
    directives: int = 50
    fields: int = 1_000
    operations: int = 20
    fragments: int = 60
    # Fields with the same response key in one selection, and pairs of such fields, all of which validation compares.
    repeats: int = 30
    repeat_pairs: int = 500
    errors: int = 5
    # What anonymous callers may send: sign-in operations.
    document_characters_anonymous: int = 4_000
    tokens_anonymous: int = 400

    # The cost, in points. A budget is the points a minute of one caller; 0 means no limit.
    page_size: int = 100
    page_size_default: int = 20
    list_size: int = 10
    mutation_cost: int = 10
    introspection_cost: int = 100
    operation_cost: int = 50_000
    budget: int = 500_000
    budget_anonymous: int = 20_000
    # A document that is not in the cache, and one that is rejected, costs a point of another budget for each so many
    # characters, before it is parsed.
    characters_per_point: int = 50
    budget_documents: int = 20_000
    # How long the refusal of a spent budget is delayed, so that a caller who sends at once again is slowed down.
    refusal_seconds: float = 1.0
    weights: Mapping[str, int] = field(default_factory=dict)
    list_sizes: Mapping[str, int] = field(default_factory=dict)

    # The caches: valid documents by their characters, rejected ones and registered hashes by their number.
    kept_characters: int = 2_000_000
    kept_refusals: int = 256
    kept_hashes: int = 1_000

    # WebSockets and event streams: with a token in all, of one viewer and of one network (an IPv4 address or an IPv6
    # /64), and WebSockets that have sent none yet, in all and of one network.
    connections: int = 2_000
    connections_viewer: int = 64
    connections_network: int = 500
    connections_anonymous: int = 400
    connections_anonymous_network: int = 100
    socket_operations: int = 50
    socket_queue: int = 32
    init_seconds: float = 10.0
    slow_reader_seconds: float = 30.0
    keep_alive_seconds: float = 12.0
    sign_in_check_seconds: float = 15.0

    @classmethod
    def read(cls, settings: Mapping[str, str]) -> Self:
        """Reads the limits from settings such as WAYMARK_LIMIT_DEPTH=10, usually the environment.

        Raises ValueError with the name of the setting if there is no such limit, or the value is not a number of 0 or
        more.
        """
        limits = {SETTING_PREFIX + each.name.upper(): each for each in fields(cls) if each.type in (int, float)}
        changed: dict[str, Any] = {}
        for setting, value in settings.items():
            if not setting.startswith(SETTING_PREFIX):
                continue
            if setting not in limits:
                raise ValueError(f"{setting} is not a limit: see docs/operations.md for their names")
            changed[limits[setting].name] = _number(setting, value, limits[setting].type)
        return cls(**changed)


def _number(setting: str, text: str, type_: Any) -> float:
    try:
        number = type_(text)
    except ValueError:
        number = -1
    if number >= 0:
        return number
    raise ValueError(f"{setting} must be a number of 0 or more")
