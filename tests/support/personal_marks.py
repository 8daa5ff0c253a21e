"""Writes a mark into every column that can hold a learner's words, as the mapped classes declare them."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import JSON, Column, Date, DateTime, String, func, insert, select, update
from sqlalchemy import Enum as EnumType
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.base import Base, UtcDateTime, referred_table
from db.models.personal_data import DataSubject, Personal, declaration, holds_text
from db.models.registry import mapped_classes, metadata
from domain import clock


def marked_columns() -> Iterator[tuple[type[Base], list[Column[Any]]]]:
    """Each class with rows about a learner that erasure deletes or changes, and its columns that can hold words."""
    for entity in mapped_classes():
        if entity.rows_about(DataSubject(0, 0, 0, "-")) is None:
            continue
        columns = [column for column in entity.__table__.columns if holds_text(column) and _can_hold_words(column)]
        if columns or entity.__learner_rows__.deleted:
            yield entity, columns


def _can_hold_words(column: Column[Any]) -> bool:
    declared = declaration(column)
    return declared is None or isinstance(declared, Personal)


async def mark(session: AsyncSession, subject: DataSubject, text: str) -> list[str]:
    """Marks every such column of every row about the learner, adds a row where there is none, and names the columns."""
    marked = []
    for entity, columns in marked_columns():
        table, about = entity.__table__, entity.rows_about(subject)
        if not await session.scalar(select(func.count()).select_from(table).where(about)):
            await session.execute(insert(table).values(await _any_row(session, entity, subject, text)))
        for column in columns:
            if not column.primary_key:
                value = [text] if isinstance(column.type, JSON) else text
                await session.execute(update(table).where(about).values({column.name: value}))
            rows = list(await session.scalars(select(column).where(about)))
            assert rows and all(text in row for row in rows), f"{table.name}.{column.name} is not marked"
            marked.append(f"{table.name}.{column.name}")
        assert await session.scalar(select(func.count()).select_from(table).where(about)), f"{table.name} has no row"
    return marked


# A column that says in a form of its own whom a row is about.
_ABOUT: dict[str, Callable[[DataSubject], str]] = {
    "wrong_guess.subject": lambda subject: f"account:{hashlib.sha256(subject.username.encode()).hexdigest()}"
}


async def _any_row(session: AsyncSession, entity: type[Base], subject: DataSubject, text: str) -> dict[str, Any]:
    """A row about the learner: keys of rows that exist, the text, and values without meaning."""
    known = {"learner_id": subject.learner_key, "user_id": subject.user_key, "provider_id": subject.provider_key}
    row: dict[str, Any] = {}
    for column in entity.__table__.columns:
        if about := _ABOUT.get(f"{column.table.name}.{column.name}"):
            row[column.name] = about(subject)
        elif column.name in known:
            row[column.name] = known[column.name]
        elif target := referred_table(column):
            row[column.name] = await _any_key(session, target, subject)
        elif not column.nullable and column.default is None and column.autoincrement is not True:
            row[column.name] = _any_value(column, text)
    return row


async def _any_key(session: AsyncSession, table: str, subject: DataSubject) -> int:
    """The key of a row of a table: one about the learner, else of the provider, else a new one without the text."""
    columns = metadata.tables[table].c
    (entity,) = [each for each in mapped_classes() if each.__tablename__ == table]
    about = entity.rows_about(subject)
    if about is not None and (key := await session.scalar(select(func.max(columns.id)).where(about))):
        return key
    statement = select(func.max(columns.id))
    if "provider_id" in columns:
        statement = statement.where(columns.provider_id == subject.provider_key)
    if key := await session.scalar(statement):
        return key
    values = await _any_row(session, entity, subject, "-")
    return (await session.execute(insert(entity.__table__).values(values))).inserted_primary_key[0]


def _any_value(column: Column[Any], text: str) -> Any:
    match column.type:
        case EnumType():
            return next(iter(column.type.enum_class))
        case JSON():
            return [text]
        case String():
            return text if _can_hold_words(column) else secrets.token_hex(10)
        case UtcDateTime() | DateTime():
            return clock.now() + dt.timedelta(days=1)
        case Date():
            return clock.today()
    return 1
