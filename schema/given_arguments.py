"""The arguments of a mutation as a client gave them: implausible dates are refused, inputs become dictionaries."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from domain import clock, errors
from domain.sentences import say

# Classes of values that hold no others.
_LEAVES = frozenset({str, int, float, bool, type(None), type(strawberry.UNSET)})


def implausible_dates(value: Any, *path: str) -> Iterator[errors.UserError]:
    """Yields an error for each date of the arguments that is too early or too late to be meant."""
    for name, part in _parts(value):
        if type(part) in _LEAVES:
            continue
        place = (*path, name_of(name) if isinstance(name, str) else str(name))
        if isinstance(part, dt.date):
            day = part.date() if isinstance(part, dt.datetime) else part
            if not clock.is_plausible(day):
                message = say("DATE_OUT_OF_RANGE")
                yield errors.UserError(errors.UserErrorCode.INVALID, place, message)
        else:
            yield from implausible_dates(part, *place)


def _parts(value: Any) -> Iterable[tuple[str | int, Any]]:
    """Returns the values directly below an argument, with their names in Python or their places in a list."""
    if isinstance(value, dict):
        return value.items()
    if isinstance(value, list):
        return enumerate(value)
    if dataclasses.is_dataclass(value):
        return [(name, getattr(value, name)) for name in _names(value.__class__)]
    return ()


@cache
def _names(input_type: Any) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(input_type))


# The name in the schema of an attribute.
name_of = cache(to_camel_case)


def _fields(input: Any) -> dict[str, Any]:
    """Returns the fields of an input that the client gave, by their Python names; nested inputs become dictionaries."""
    return {
        name: plain(value)
        for name in _names(input.__class__)
        if (value := getattr(input, name)) is not strawberry.UNSET
    }


def plain(value: Any) -> Any:
    """Returns the value of an argument: an input as a dictionary of the fields that the client gave."""
    if type(value) in _LEAVES:
        return value
    if isinstance(value, list):
        return [plain(each) for each in value]
    return _fields(value) if dataclasses.is_dataclass(value) else value
