"""Reads the query of an address: the system options of OData, and the variables of the report beside them."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import ODataError, unsupported
from .filter import Row, SortKey, parse_filter, parse_order
from .model import EntitySet

_TAKEN = ("$select", "$filter", "$orderby", "$top", "$skip", "$count", "$skiptoken", "$format")
# Options of the standard that are not supported.
_OTHERS = ("$expand", "$search", "$apply", "$compute", "$levels", "$deltatoken", "$index", "$schemaversion", "$id")
_LARGEST = 2**53


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: the cursor of the list, the rows before it, and what is left of $skip and $top."""

    cursor: str | None = None
    number: int = 0
    skip: int = 0
    top: int | None = None


@dataclass(slots=True)
class Options:
    """What a request asks for. `given` has the variables as they were sent, `variables` their values."""

    given: list[tuple[str, str]]
    kept: list[tuple[str, str]]
    position: Position
    select: list[str] | None = None
    filter: Callable[[Row], bool] | None = None
    order: list[SortKey] = field(default_factory=list)
    count: bool = False
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def top(self) -> int | None:
        """The number of rows that are requested, None for all."""
        return self.position.top

    @top.setter
    def top(self, value: int | None) -> None:
        self.position = Position(self.position.cursor, self.position.number, 0, value)

    def after(self, position: Position) -> list[tuple[str, str]]:
        """Returns the query of the address at which the answer continues."""
        values = [position.cursor, position.number, position.skip, position.top]
        token = base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")
        return [*self.given, *self.kept, ("$skiptoken", token)]


def parse_options(entity_set: EntitySet, query: Sequence[tuple[str, str]]) -> Options:
    """Returns what a query asks for. Raises ODataError, 501 for what the standard has and this service has not."""
    system = [(name, value) for name, value in query if name.startswith("$")]
    given = dict(system)
    for name in given:
        if name in _OTHERS:
            raise unsupported(name, f"{name} is not supported. These options are: {', '.join(_TAKEN)}.")
        if name not in _TAKEN:
            raise ODataError(f"There is no such system query option. These are: {', '.join(_TAKEN)}.")
        if sum(name == other for other, _ in system) > 1:
            raise ODataError(f"{name} is given more than once.", name)
    skip, top = _number(given, "$skip") or 0, _number(given, "$top")
    if given.get("$count", "false") not in ("true", "false"):
        raise ODataError("$count: give true or false.", "$count")
    order = parse_order(given["$orderby"], entity_set) if given.get("$orderby", "").strip() else []
    return Options(
        given=[(name, value) for name, value in query if not name.startswith("$")],
        kept=[(name, given[name]) for name in ("$select", "$filter", "$format") if name in given],
        position=_position(given["$skiptoken"]) if "$skiptoken" in given else Position(None, 0, skip, top),
        select=_selected(given["$select"], entity_set) if "$select" in given else None,
        filter=parse_filter(given["$filter"], entity_set) if given.get("$filter", "").strip() else None,
        order=order,
        count=given.get("$count") == "true",
    )


def _number(given: dict[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ODataError(f"{name}: give a whole number that is not negative.", name)
    return int(text)


def _selected(text: str, entity_set: EntitySet) -> list[str] | None:
    names = [name.strip() for name in text.split(",")]
    if "*" in names:
        return None
    if any(name not in entity_set.by_name for name in names):
        message = "$select names a property that this entity set does not have. $metadata lists them."
        raise ODataError(message, "$select")
    return list(dict.fromkeys(names))


def _position(token: str) -> Position:
    try:
        values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        cursor, number, skip, top = values
        numbers = [number, skip, 0 if top is None else top]
        if not isinstance(cursor, str) or any(type(each) is not int or not 0 <= each < _LARGEST for each in numbers):
            raise ValueError
    except (ValueError, TypeError, RecursionError):
        message = "$skiptoken: take the next page's address from @odata.nextLink unchanged."
        raise ODataError(message, "$skiptoken") from None
    return Position(cursor, number, skip, top)
