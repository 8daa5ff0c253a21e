"""Every limit of the protocol in one dataclass, and where each is read from in the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self

SETTING_PREFIX = "WAYMARK_LIMIT_"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request, one document, one viewer and one socket may ask for.

    A document's sizes are those it has once its fragments are spread. Cost: an object is 1 (or its entry in `weights`),
    a leaf 0, a list its length times one element; the length of a connection is its `first`, of any other list
    `list_size` (or its entry in `list_sizes`). Both are keyed "Type.field".
    """

    # The request.
    body_bytes: int = 1_000_000
    # A body over the cap is read up to here and thrown away: most clients read no answer before they have sent all.
    discard_bytes: int = 16_000_000
    body_seconds: float = 20.0
    json_depth: int = 64
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
    # How often one response key may stand in one place; and pairs of such, of which checking costs their square.
    repeats: int = 30
    repeat_pairs: int = 500
    errors: int = 5

    # The cost. A budget is a number of points a minute; 0 sets none.
    page_size: int = 100
    page_size_default: int = 20
    list_size: int = 10
    mutation_cost: int = 10
    introspection_cost: int = 100
    operation_cost: int = 50_000
    budget: int = 500_000
    budget_anonymous: int = 20_000
    weights: Mapping[str, int] = field(default_factory=dict)
    list_sizes: Mapping[str, int] = field(default_factory=dict)

    # What is kept: valid documents by their characters, refused ones and registered hashes by their number.
    kept_characters: int = 2_000_000
    kept_refusals: int = 256
    kept_hashes: int = 1_000

    # Sockets and streams.
    sockets: int = 2_000
    socket_operations: int = 50
    socket_queue: int = 32
    init_seconds: float = 10.0
    slow_reader_seconds: float = 30.0
    keep_alive_seconds: float = 12.0
    sign_in_check_seconds: float = 15.0

    @classmethod
    def read(cls, settings: Mapping[str, str]) -> Self:
        """The limits with what `settings` (usually the environment) says otherwise, such as WAYMARK_LIMIT_DEPTH=10.

        Raises ValueError, naming the setting, for what is no number of 0 or more.
        """
        changed: dict[str, float] = {}
        for each in fields(cls):
            text = settings.get(SETTING_PREFIX + each.name.upper())
            if text is None or each.type not in (int, float):
                continue
            try:
                changed[each.name] = each.type(text)
                if not changed[each.name] >= 0:
                    raise ValueError
            except ValueError:
                raise ValueError(f"{SETTING_PREFIX}{each.name.upper()} must be a number of 0 or more") from None
        return cls(**changed)
