"""The rows that move with a provider, in an order in which each can refer to the ones before, and as lines of JSON."""

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache, partial
from typing import Any, cast, get_args, get_origin

from sqlalchemy import JSON, Boolean, Column, Date, Float, Integer, Select, String, Table, func, select, text
from sqlalchemy import Enum as EnumType
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit_event import AuditEvent
from db.models.base import Base, UtcDateTime, referred_table, table_of_each
from db.models.growth import Sweep
from db.models.personal_data import Reason, declaration, is_of_installation
from db.models.provider import Provider
from db.models.provider_keys import PROVIDER, SAME_PROVIDER
from db.models.provider_move import shifted
from db.models.registry import mapped_classes
from db.models.updated_at import is_updated_at
from domain import global_id
from services.audit.moved_keys import shifted_event, subject_tables

ID = "id"
# No table has given so many numbers, and each installation that a provider moves to adds as many again.
LARGEST_KEY = 10**15


class MoveError(Exception):
    """A provider was not exported or not imported; the message says why and what to do. Nothing was changed."""


def moved_tables() -> list[Table]:
    """The provider's own table, and every one with a provider unless its rows stay."""
    return [each.__table__ for each in mapped_classes() if _has_provider(each) and not stays(each)]


def stays(entity: type[Base]) -> bool:
    """Whether a class says why its rows stay, or the server deletes them by itself: links, codes, sessions, mail."""
    is_passing = isinstance(entity.__growth__, Sweep) and entity.__entity__ is None
    return is_passing or entity.__stays__ is not None


def numbered_tables() -> list[Table]:
    """Every table with the provider's rows that numbers them, also those whose rows stay: the trail has their keys."""
    return [each.__table__ for each in mapped_classes() if _has_provider(each) and _own_number(each.__table__)]


def _has_provider(entity: type[Any]) -> bool:
    return entity is Provider or PROVIDER in entity.__table__.columns


def _own_number(table: Table) -> bool:
    return ID in table.primary_key.columns


def select_rows(table: Table, provider_key: int) -> Select[Any]:
    """Selects the rows of a table that move, without secrets of the installation; the trail in its own order."""
    order = [table.c.sequence] if table is AuditEvent.__table__ else list(table.primary_key.columns)
    return select(*moved_columns(table)).where(_owner(table) == provider_key).order_by(*order)


def moved_columns(table: Table) -> list[Column[Any]]:
    """The columns of an export."""
    return [each for each in table.columns if not is_of_installation(each)]


def _owner(table: Table) -> Column[Any]:
    return table.columns[ID if table is Provider.__table__ else PROVIDER]


def storage_columns(table: Table) -> list[str]:
    """The columns that hold the key of a file in the store."""
    return [each.name for each in table.columns if declaration(each) is Reason.STORAGE_KEY]


def own_references(table: Table) -> list[str]:
    """The columns with a foreign key to the same table, whose row may come later."""
    return [each.name for each in table.columns if SAME_PROVIDER in each.info and referred_table(each) == table.name]


def line_of(values: Mapping[str, Any]) -> bytes:
    """Returns a row as a line of JSON, by the names of the columns."""
    return json.dumps(values, default=_plain, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} cannot be exported")


def row_of(table: Table, line: bytes) -> dict[str, Any]:
    """Returns the row of a line. Raises MoveError."""
    readers = _readers(table)
    try:
        values = json.loads(line)
        if values.keys() != readers.keys():
            raise ValueError
        return {name: readers[name](value) for name, value in values.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise MoveError(f"The export is damaged: a row of {table.name} is not one of this version.") from None


@cache
def _readers(table: Table) -> dict[str, Callable[[Any], Any]]:
    return {column.name: partial(_read, bool(column.nullable), _reader(column)) for column in moved_columns(table)}


def _read(nullable: bool, reader: Callable[[Any], Any], value: Any) -> Any:
    # A database takes the null of JSON for a value.
    if value is None and not nullable:
        raise ValueError
    return None if value is None else reader(value)


def _reader(column: Column[Any]) -> Callable[[Any], Any]:
    """Returns what makes a value of JSON one of a column. SQLite would store one of another type, or a longer text."""
    match column.type:
        case EnumType():
            return cast(type[Enum], column.type.enum_class).__getitem__
        case UtcDateTime():
            return _moment
        case Date():
            return dt.date.fromisoformat
        case Boolean():
            return partial(_of_type, bool)
        case String(length=length):
            return partial(_text, length)
        case Integer():
            return _whole_number
        case Float():
            return _real_number
        case JSON():
            return partial(_json, _json_type(column))
    raise TypeError(f"columns of {column.type!r} cannot be imported")


def _of_type(type_: type, value: Any) -> Any:
    if type(value) is not type_:
        raise TypeError
    return value


def _text(most: int | None, value: Any) -> str:
    text_ = cast(str, _of_type(str, value))
    # Neither can be stored in PostgreSQL, nor answered from SQLite.
    if "\0" in text_ or not text_.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text_):
        raise ValueError
    if most is not None and len(text_) > most:
        raise ValueError
    return text_


def _json(type_: type, value: Any) -> Any:
    """Checks what a column of JSON holds: an object, or a list of texts."""
    _check_texts(_of_type(type_, value))
    if type_ is list and any(type(each) is not str for each in value):
        raise TypeError
    return value


def _check_texts(value: Any) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            _text(None, key)
            _check_texts(each)
    elif isinstance(value, list):
        for each in value:
            _check_texts(each)
    elif isinstance(value, str):
        _text(None, value)


def _json_type(column: Column[Any]) -> type:
    """Returns dict or list, as the mapped class says: `Mapped[list[str] | None]`."""
    (entity,) = (each for each in mapped_classes() if each.__table__ is column.table)
    (declared,) = get_args(entity.__annotations__[column.name])
    (type_,) = {get_origin(each) for each in (declared, *get_args(declared))} & {dict, list}
    return cast(type, type_)


def _whole_number(value: Any) -> int:
    if type(value) is not int or abs(value) > LARGEST_KEY:
        raise TypeError
    return value


def _real_number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError
    return float(value)


def _moment(value: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(dt.UTC)


def check_keys(table: Table, values: Mapping[str, Any], provider_key: int, last_numbers: Mapping[str, int]) -> None:
    """Checks that a row is the provider's, and has keys that its tables had given. Raises MoveError.

    Each key moves up by a number of its table: from outside the range it would become that of another provider.
    """
    given = values[_owner(table).name] == provider_key
    for name, target in _keys(table):
        # No row has the key 0.
        given = given and (not values[name] or 1 <= values[name] <= last_numbers[target])
    for name, target in _key_lists(table):
        keys = values[name].split(" ") if values[name] else ()
        given = given and all(1 <= _key_in(each) <= last_numbers[target] for each in keys)
    if not given:
        raise MoveError(f"The export is damaged: a row of {table.name} has keys that are not the provider's.")


@cache
def _keys(table: Table) -> list[tuple[str, str]]:
    """The columns with keys that move, each with the table whose keys they are."""
    own = [(ID, table.name)] if _own_number(table) else []
    named = [(each.name, referred_table(each)) for each in table.columns if each.name != PROVIDER]
    return own + [(name, target) for name, target in named if target is not None]


@cache
def _key_lists(table: Table) -> list[tuple[str, str]]:
    return [(each.name, target) for each in table.columns if (target := table_of_each(each))]


def _key_in(word: str) -> int:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 19 else 0


def moved_row(table: Table, values: dict[str, Any], shifts: Mapping[str, int], now: dt.datetime) -> dict[str, Any]:
    """Returns a row as it is where the provider moves to: with other keys, also in ids within JSON, and changed now."""
    if table is AuditEvent.__table__:
        return {**shifted_event(values, shifts), ID: shifted(table.name, values[ID], shifts)}
    changed = dict(values)
    for column in table.columns:
        if is_of_installation(column):
            changed[column.name] = None
        elif column.name == ID:
            changed[ID] = shifted(table.name, values[ID], shifts)
        elif target := "provider" if column.name == PROVIDER else referred_table(column):
            changed[column.name] = shifted(target, values[column.name], shifts)
        elif (target := table_of_each(column)) and values[column.name]:
            keys = [shifted(target, int(key), shifts) for key in values[column.name].split(" ")]
            changed[column.name] = " ".join(map(str, keys))
        elif is_updated_at(column):
            changed[column.name] = now
        elif isinstance(values[column.name], dict | list):
            changed[column.name] = _with_other_ids(values[column.name], shifts)
    return changed


def _with_other_ids(value: Any, shifts: Mapping[str, int]) -> Any:
    if isinstance(value, dict):
        return {key: _with_other_ids(each, shifts) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_other_ids(each, shifts) for each in value]
    parsed = global_id.parse(value) if isinstance(value, str) else None
    if parsed is None or parsed[0] not in subject_tables():
        return value
    name, first, second = parsed
    table, part = subject_tables()[name]
    first += shifts.get(table, 0)
    if second is None:
        return global_id.encode(name, first)
    return global_id.encode_pair(name, first, second + shifts.get(part or "", 0))


async def last_number(session: AsyncSession, table: Table) -> int:
    """Returns the last number that a table gave to a row, also to one that was deleted since."""
    number = await session.scalar(select(func.coalesce(func.max(table.c[ID]), 0))) or 0
    if session.get_bind().dialect.name == "sqlite":
        given = await session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
    else:
        sequence = await session.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name})
        last = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"
        given = await session.scalar(text(last))
    return max(int(number), int(given or 0))
