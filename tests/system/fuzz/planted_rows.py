"""Rows with dates and numbers at the ends of what a column can hold, as an old database may have, and reads of them."""

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument
from sqlalchemy import Column, select, update
from sqlalchemy.exc import DBAPIError

from db.database import Database
from db.models.aim import AimProgress
from db.models.auth_session import AuthSession
from db.models.base import Base
from db.models.provider import Provider
from db.models.registry import mapped_classes
from db.models.user import User
from tests.support.argument_values import SCHEMA

NO_SIZES = {
    "WAYMARK_LIMIT_OPERATION_COST": "10000000", "WAYMARK_LIMIT_FIELDS": "100000",
    "WAYMARK_LIMIT_REPEAT_PAIRS": "1000000",
}  # fmt: skip
_EXTREMES: dict[type, tuple[Any, ...]] = {
    dt.date: (dt.date.min, dt.date.max),
    dt.datetime: (dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)),
    int: (-1, 0, 2**31 - 1),
}
# The first three end the reader's own sign-in, as they should. What the server counts itself has no such values.
_SKIPPED = {User.__table__, AuthSession.__table__, Provider.__table__.c.disclaimer_version, AimProgress.__table__}


def places() -> Iterator[tuple[type[Base], Column[Any], Any]]:
    """Each column of a date, a time or a number that is neither a key nor a version, with each extreme value."""
    for entity in mapped_classes():
        for column in entity.__table__.columns:
            skipped = entity.__table__ in _SKIPPED or column in _SKIPPED
            if skipped or column.primary_key or column.foreign_keys or column.name == "version":
                continue
            for value in _EXTREMES.get(column.type.python_type, ()):
                yield entity, column, value


@asynccontextmanager
async def planted(database: Database, column: Column[Any], value: Any) -> AsyncIterator[bool]:
    """Gives the first row that value during the block; False where there is no row, or a constraint refuses it."""
    table = column.table
    key = list(table.primary_key)[0]
    rows = await database.rows(select(key.label("key"), column.label("value")).order_by(key).limit(1), primary=True)
    if not rows:
        yield False
        return
    try:
        await _update(database, column, key, rows[0].key, value)
    except DBAPIError:
        yield False
        return
    try:
        yield True
    finally:
        await _update(database, column, key, rows[0].key, rows[0].value)


async def _update(database: Database, column: Column[Any], key: Column[Any], row: Any, value: Any) -> None:
    async with database.writing() as session:
        await session.execute(update(column.table).where(key == row).values({column.name: value}))


def reads(ids: dict[str, str]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Documents with variables: a record of each type with all its fields and theirs, and the lists of learners."""
    made: dict[str, tuple[str, dict[str, Any]]] = {}
    for name, id_ in ids.items():
        if isinstance(type_ := SCHEMA.type_map.get(name), GraphQLObjectType):
            selected = _selection(type_, 1)
            made[name] = f"query($id: ID!) {{ node(id: $id) {{ ... on {name} {{ {selected} }} }} }}", {"id": id_}
    learner, kpis = (_selection(SCHEMA.type_map[name], 1) for name in ("Learner", "Kpis"))
    made["lists"] = f"{{ learners(first: 100) {{ nodes {{ {learner} }} }} viewer {{ kpis {{ {kpis} }} }} }}", {}
    return made


def _selection(type_: Any, depth: int) -> str:
    selected = []
    for name, field in type_.fields.items():
        named = get_named_type(field.type)
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        if is_leaf_type(named):
            selected.append(name)
        elif depth and isinstance(named, GraphQLObjectType) and not name.endswith("Export"):
            selected.append(f"{name} {{ __typename {_selection(named, depth - 1)} }}")
    return " ".join(selected)
