"""What $filter compares and calls. A function of null is null."""

import datetime as dt
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "number", "boolean", "date", "time", "null"]
_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Function:
    """A function: the kinds that each argument may have, of which the last `optional` may miss, and its result."""

    takes: tuple[tuple[Kind, ...], ...]
    gives: Kind
    run: Callable[..., Any]
    optional: int = 0


def compare(name: str, one: Any, other: Any) -> bool:
    """Compares two values. Null equals null alone, and is neither before nor after anything."""
    if type(one) is not type(other) and isinstance(one, dt.date) and isinstance(other, dt.date):
        # A day means its beginning, in UTC.
        one, other = _moment(one), _moment(other)
    if name == "eq":
        return bool(one == other)
    if name == "ne":
        return bool(one != other)
    return False if one is None or other is None else _ORDERINGS[name](one, other)


def _moment(value: dt.date) -> dt.datetime:
    return value if isinstance(value, dt.datetime) else dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)


def _utc(value: dt.date) -> dt.date:
    return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else value


def _part(name: str) -> Callable[[dt.date], int]:
    return lambda value: int(getattr(_utc(value), name))


def _day(value: dt.date) -> dt.date:
    value = _utc(value)
    return value.date() if isinstance(value, dt.datetime) else value


def _substring(text: str, start: float, count: float | None = None) -> str:
    begin = max(int(start), 0)
    return text[begin:] if count is None else text[begin : begin + max(int(count), 0)]


def _rounded(value: float) -> int:
    # Halves go away from zero.
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


_TEXT: tuple[Kind, ...] = ("text",)
_NUMBER: tuple[Kind, ...] = ("number",)
_DATE: tuple[Kind, ...] = ("date", "time")
_TIME: tuple[Kind, ...] = ("time",)
FUNCTIONS: Mapping[str, Function] = {
    "contains": Function((_TEXT, _TEXT), "boolean", lambda text, part: part in text),
    "startswith": Function((_TEXT, _TEXT), "boolean", lambda text, part: text.startswith(part)),
    "endswith": Function((_TEXT, _TEXT), "boolean", lambda text, part: text.endswith(part)),
    "tolower": Function((_TEXT,), "text", lambda text: text.lower()),
    "toupper": Function((_TEXT,), "text", lambda text: text.upper()),
    "trim": Function((_TEXT,), "text", lambda text: text.strip()),
    "concat": Function((_TEXT, _TEXT), "text", lambda one, other: one + other),
    "length": Function((_TEXT,), "number", len),
    "indexof": Function((_TEXT, _TEXT), "number", lambda text, part: text.find(part)),
    "substring": Function((_TEXT, _NUMBER, _NUMBER), "text", _substring, optional=1),
    "year": Function((_DATE,), "number", _part("year")),
    "month": Function((_DATE,), "number", _part("month")),
    "day": Function((_DATE,), "number", _part("day")),
    "hour": Function((_TIME,), "number", _part("hour")),
    "minute": Function((_TIME,), "number", _part("minute")),
    "second": Function((_TIME,), "number", _part("second")),
    "date": Function((_DATE,), "date", _day),
    "round": Function((_NUMBER,), "number", _rounded),
    "floor": Function((_NUMBER,), "number", math.floor),
    "ceiling": Function((_NUMBER,), "number", math.ceil),
}
