"""The scalars for days and times: what a client may submit, the same for every argument."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.schema.types.base_scalars import DateDefinition, DateTimeDefinition
from strawberry.types.scalar import ScalarDefinition

# Years in which every rule can be computed: with the ends of the calendar neither database can.
MIN_YEAR, MAX_YEAR = 1900, 2200


# One way to write each: no week dates, no dates without hyphens, no times without an offset.
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})", re.ASCII)


def _bounded(
    definition: ScalarDefinition, pattern: re.Pattern[str], description: str, example: str
) -> ScalarDefinition:
    parse: Callable[[Any], Any] | None = definition.parse_value
    assert parse is not None
    message = f"A {definition.name} must be like {example}, in the years {MIN_YEAR} to {MAX_YEAR}."

    def parse_value(value: Any) -> Any:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise StrawberryInputCoercionError(message)
        try:
            parsed = parse(value)
        except StrawberryInputCoercionError:
            # Its message repeats the value.
            raise StrawberryInputCoercionError(message) from None
        if not MIN_YEAR <= parsed.year <= MAX_YEAR:
            raise StrawberryInputCoercionError(message)
        return parsed

    return replace(definition, description=description, parse_value=parse_value)


SCALARS: Mapping[object, ScalarDefinition] = {
    dt.date: _bounded(
        DateDefinition,
        _DATE,
        "A day, such as `2026-11-02`. Submitted days are in the years 1900 to 2200.",
        "2026-11-02",
    ),
    dt.datetime: _bounded(
        DateTimeDefinition,
        _DATE_TIME,
        "A time with its offset, such as `2026-11-02T10:00:00+00:00`. Submitted times are in the years 1900 to 2200.",
        "2026-11-02T10:00:00+00:00",
    ),
}
