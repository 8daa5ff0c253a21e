"""Everything about one learner, as the law's right of access requires: the rows of each table in plain words.

Which tables, rows and columns are exported follows from the mapped classes (`Base.rows_about`,
`db/models/personal_data.py`). A reference becomes the label of its target: a person's name, an aim's title, a file's
path in the export.
"""

import asyncio
import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Column, Select, case, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit_event import AuditEvent
from db.models.base import Base, referred_table
from db.models.file import File
from db.models.learner import Learner
from db.models.outbox import OutboxMail
from db.models.personal_data import DataSubject, is_exported
from db.models.registry import mapped_classes
from db.models.user import User
from domain import global_id as ids
from services.mail.messages import CARRIES_SECRET

# The same in every row: the learner, and their provider.
_OF_EVERY_ROW = {"provider_id", "learner_id"}
_NOT_SHOWN = "(not shown: it has a link that gives access to the account)"

# Table name -> key -> label.
Labels = Mapping[str, Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class SubjectFile:
    """A file of the learner: its path in the export, and its key in the file store."""

    path: str
    storage_key: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What is exported about one learner: the name, the rows by table name, the files."""

    name: str
    tables: dict[str, list[dict[str, Any]]]
    files: list[SubjectFile]


async def export_subject(session: AsyncSession, learner_key: int) -> Subject | None:
    """Everything about the learner at the moment of the session's snapshot; None if there is no such learner."""
    learner = await session.get(Learner, learner_key)
    if learner is None:
        return None
    user = await session.get_one(User, learner.user_id)
    subject = DataSubject(learner.id, user.id, user.provider_id, user.email, user.username)
    rows: dict[type[Base], list[dict[str, Any]]] = {}
    for entity in mapped_classes():
        about = entity.rows_about(subject)
        if about is not None and entity.__learner_rows__.exported:
            statement = select(*_selected(entity, subject)).where(about).order_by(*entity.__table__.primary_key)
            rows[entity] = [dict(row) for row in (await session.execute(statement)).mappings()]
    files = await _files(session, subject)
    labels = await _labels(session, rows, files)
    # In a thread, because a learner may have tens of thousands of rows.
    tables = await asyncio.to_thread(_describe_tables, rows, labels)
    return Subject(user.name, tables, list(files.values()))


def _describe_tables(
    rows: Mapping[type[Base], list[dict[str, Any]]], labels: Labels
) -> dict[str, list[dict[str, Any]]]:
    return {
        entity.__tablename__: [_describe_row(entity, row, labels) for row in found] for entity, found in rows.items()
    }


def _exported_columns(entity: type[Base]) -> list[Column[Any]]:
    technical = entity.__mapper__.version_id_col
    return [
        column
        for column in entity.__table__.columns
        if is_exported(column) and column is not technical and column.name not in _OF_EVERY_ROW
    ]


def _selected(entity: type[Base], subject: DataSubject) -> list[Any]:
    columns: list[Any] = list(_exported_columns(entity))
    if entity is AuditEvent:
        # The network addresses of other people are their personal data.
        own = case((AuditEvent.actor_id == subject.user_key, AuditEvent.address)).label("address")
        return [own if column.name == "address" else column for column in columns]
    if entity is OutboxMail:
        # The link in such a mail gives access to the account: it is for its owner, not for who makes the export.
        body = case((OutboxMail.kind.in_(CARRIES_SECRET), _NOT_SHOWN), else_=OutboxMail.body).label("body")
        return [body if column.name == "body" else column for column in columns]
    return columns


async def _files(session: AsyncSession, subject: DataSubject) -> dict[int, SubjectFile]:
    """The learner's files that have content, by key."""
    rows = select(File.id, File.name, File.storage_key).where(File.rows_about(subject)).order_by(File.id)
    return {
        row.id: SubjectFile(f"files/{row.id} {row.name}", row.storage_key)
        for row in await session.execute(rows)
        if row.storage_key
    }


async def _labels(
    session: AsyncSession, rows: Mapping[type[Base], list[dict[str, Any]]], files: Mapping[int, SubjectFile]
) -> Labels:
    """The labels of everything that the rows refer to."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for entity, found in rows.items():
        for column in entity.__table__.columns:
            if target := referred_table(column):
                wanted[target] |= {row[column.name] for row in found if row.get(column.name) is not None}
    labels: dict[str, dict[int, str]] = {File.__tablename__: {key: file.path for key, file in files.items()}}
    for entity in mapped_classes():
        if entity.__label__ and wanted[entity.__tablename__]:
            statement = _label_statement(entity).where(entity.__table__.c.id.in_(wanted[entity.__tablename__]))
            labels[entity.__tablename__] = {
                row.key: " ".join(str(value) for name, value in row._mapping.items() if name != "key")
                for row in await session.execute(statement)
            }
    return labels


def _label_statement(entity: type[Base]) -> Select[Any]:
    """Selects `key` and the parts of the label. Where a part is a reference, the label is that of its target."""
    by_name = {each.__tablename__: each for each in mapped_classes()}
    columns = entity.__table__.columns
    statement = select(columns["id"].label("key"))
    for name in entity.__label__:
        target = referred_table(columns[name])
        if target is None:
            statement = statement.add_columns(columns[name])
        else:
            other = by_name[target].__table__
            statement = statement.join_from(entity.__table__, other, other.c.id == columns[name])
            statement = statement.add_columns(
                *(other.c[part].label(f"{name}_{part}") for part in by_name[target].__label__)
            )
    return statement


def _describe_row(entity: type[Base], row: dict[str, Any], labels: Labels) -> dict[str, Any]:
    """One row in plain words: `submitted_by_id: 7` becomes `submittedBy: "Ada"`."""
    described: dict[str, Any] = {}
    for column in _exported_columns(entity):
        value, target = row[column.name], referred_table(column)
        if column.name == "id":
            described["id"] = ids.encode(entity.__entity__.type_name if entity.__entity__ else entity.__name__, value)
        elif target:
            described[_camel(column.name.removesuffix("_id"))] = (
                None if value is None else labels.get(target, {}).get(value, value)
            )
        else:
            described[_camel(column.name)] = _plain(value)
    return described


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return json.loads(json.dumps(value, default=str))
