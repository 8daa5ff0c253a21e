"""What an update does with its input: texts that go into columns as they are declared, and values that differ."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import String, Text, inspect

from db.models.base import SHORT_TEXT_LENGTH, Base
from resolvers.core.unit_of_work import UnitOfWork
from resolvers.core.validation import multi_line, optional_line, single_line


class _TextColumn(NamedTuple):
    """A column of text: its name in the input of GraphQL, and what it may contain."""

    field: str
    single_line: bool
    required: bool


def changed_texts(uow: UnitOfWork, entity: type[Base], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the changes of the entity's columns `ShortText` and `LongText`, cleaned, by column.

    So an input field with the name of such a column needs no code of its own. None keeps the text of a column that
    must not be empty, and empties another. Records REQUIRED or INVALID at the field of `input`.
    """
    values: dict[str, Any] = {}
    for name, column in _text_columns(entity).items():
        if name not in changes:
            continue
        text, field = changes[name], ("input", column.field)
        if not column.required:
            empty_or_text = optional_line if column.single_line else _optional_lines
            values[name] = empty_or_text(uow, text, *field)
        elif text is not None:
            values[name] = (single_line if column.single_line else multi_line)(uow, text, *field)
    return values


def assign(record: Base, values: Mapping[str, Any]) -> list[str]:
    """Assigns the values that differ to the record. Returns their names, in the order of `values`."""
    changed = [name for name, value in values.items() if getattr(record, name) != value]
    for name in changed:
        setattr(record, name, values[name])
    return changed


def _optional_lines(uow: UnitOfWork, text: str | None, *field: str) -> str | None:
    return multi_line(uow, text or "", *field, required=False) or None


@cache
def _text_columns(entity: type[Base]) -> dict[str, _TextColumn]:
    """Returns the columns that hold what people write, by attribute."""
    found = {}
    for attribute in inspect(entity).column_attrs:
        column = attribute.columns[0]
        line = type(column.type) is String and column.type.length == SHORT_TEXT_LENGTH
        if line or type(column.type) is Text:
            first, *rest = attribute.key.split("_")
            camel = first + "".join(map(str.title, rest))
            found[attribute.key] = _TextColumn(camel, line, not column.nullable)
    return found
