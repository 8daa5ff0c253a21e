"""Everything about one learner, as the law's right of access asks: each table's rows in the field's words.

Which tables are read follows from the tables themselves: every one with a learner, so that none is forgotten when one
is added. References become what they refer to (a person's name, an aim's title, the path of a file in the export).
"""

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Column, Table, and_, case, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.base import Base
from db.models.registry import (
    Action,
    Aim,
    AuditEvent,
    AuthSession,
    Employer,
    Evidence,
    File,
    Learner,
    OutboxMail,
    Qualification,
    QualificationCriterion,
    QualificationUnit,
    RoleGrant,
    Session,
    SignatureRequest,
    User,
)
from domain import global_id as ids

# Not the learner's but ours: what opens the account, and how a row hangs together inside.
_LEFT_OUT = {"password_hash", "sort_name", "provider_id", "learner_id", "storage_key", "previous_hash", "version"}
# What refers to a row without a foreign key.
_REFERS = {
    "photo_file_id": "file", "allocated_by_id": "user_account", "actor_id": "user_account", "aim_id": "aim",
    "unit_id": "qualification_unit", "criterion_id": "qualification_criterion",
}  # fmt: skip

# Table -> the columns that say to a person which row it is.
_LABELS: Mapping[str, tuple[Any, ...]] = {
    "user_account": (User.name,),
    "employer": (Employer.name,),
    "qualification": (Qualification.title,),
    "qualification_unit": (QualificationUnit.number, QualificationUnit.title),
    "qualification_criterion": (QualificationCriterion.code,),
    "evidence": (Evidence.title,),
    "action": (Action.title,),
    "signature_request": (SignatureRequest.title,),
    "session": (Session.number,),
}


@dataclass(frozen=True, slots=True)
class SubjectFile:
    """A file of the learner's: its place in the export, and where its bytes lie."""

    path: str
    storage_key: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What there is about one learner: table name -> rows, the files, and the name."""

    name: str
    tables: dict[str, list[dict[str, Any]]]
    files: list[SubjectFile]


async def export_subject(session: AsyncSession, learner_key: int) -> Subject | None:
    """Everything about the learner, on the session's moment; None where there is no such learner."""
    learner = await session.get(Learner, learner_key)
    if learner is None:
        return None
    user = await session.get_one(User, learner.user_id)
    rows: dict[str, list[dict[str, Any]]] = {}
    for table, condition in _conditions(learner, user).items():
        columns = [column for column in table.columns if column.name not in _LEFT_OUT or column.name == "storage_key"]
        if table is AuditEvent.__table__:
            # From where somebody else did something is theirs.
            address = case((table.c.actor_id == user.id, table.c.address)).label("address")
            columns = [address if column.name == "address" else column for column in columns]
        found = await session.execute(select(*columns).where(condition).order_by(*table.primary_key))
        rows[table.name] = [dict(row) for row in found.mappings()]
    files = _files(rows["file"])
    labels = await _labels(session, rows, files)
    told = {name: [_describe_row(name, row, labels) for row in of_table] for name, of_table in rows.items()}
    return Subject(user.name, told, list(files.values()))


def _conditions(learner: Learner, user: User) -> dict[Table, Any]:
    """Every table with rows of the learner, and which of its rows they are."""
    found: dict[Table, Any] = {
        Learner.__table__: Learner.id == learner.id,
        User.__table__: User.id == user.id,
        RoleGrant.__table__: RoleGrant.user_id == user.id,
        AuthSession.__table__: AuthSession.user_id == user.id,
        OutboxMail.__table__: and_(
            OutboxMail.provider_id == user.provider_id, OutboxMail.to_address == user.email, OutboxMail.to_address != ""
        ),
    }
    for table in Base.metadata.sorted_tables:
        if "learner_id" in table.columns:
            found[table] = table.c.learner_id == learner.id
    found[AuditEvent.__table__] = or_(AuditEvent.learner_id == learner.id, AuditEvent.actor_id == user.id)
    unused = and_(File.uploaded_by_id == user.id, File.learner_id.is_(None))
    found[File.__table__] = or_(File.learner_id == learner.id, unused)
    return found


def _files(rows: list[dict[str, Any]]) -> dict[int, SubjectFile]:
    return {
        row["id"]: SubjectFile(f"files/{row['id']} {row['name']}", row["storage_key"])
        for row in rows
        if row["storage_key"]
    }


def _target(table: str, column: str) -> str | None:
    """The table that a column refers to."""
    found: Column[Any] = Base.metadata.tables[table].columns[column]
    for key in found.foreign_keys:
        return key.column.table.name
    return _REFERS.get(column)


async def _labels(
    session: AsyncSession, rows: dict[str, list[dict[str, Any]]], files: dict[int, SubjectFile]
) -> dict[str, dict[int, str]]:
    """Table name -> key -> what a person calls it, for everything that the rows refer to."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for name, of_table in rows.items():
        for row in of_table:
            for column, value in row.items():
                target = _target(name, column) if column.endswith("_id") and value is not None else None
                if target:
                    wanted[target].add(value)
    labels: dict[str, dict[int, str]] = {"file": {key: file.path for key, file in files.items()}}
    for table, columns in _LABELS.items():
        key = Base.metadata.tables[table].c.id
        found = await session.execute(select(key, *columns).where(key.in_(wanted[table])))
        labels[table] = {row[0]: " ".join(str(part) for part in row[1:]) for row in found}
    titles = select(Aim.id, Qualification.title).join(Qualification, Qualification.id == Aim.qualification_id)
    aims = await session.execute(titles.where(Aim.id.in_(wanted["aim"])))
    labels["aim"] = {key: title for key, title in aims}
    return labels


_TYPES = {mapper.local_table.name: mapper.class_.__name__ for mapper in Base.registry.mappers}


def _describe_row(table: str, row: dict[str, Any], labels: Mapping[str, Mapping[int, str]]) -> dict[str, Any]:
    """One row in words: `submitted_by_id: 7` becomes `submittedBy: "Ada"`."""
    told: dict[str, Any] = {}
    for column, value in row.items():
        target = _target(table, column) if column.endswith("_id") else None
        if column == "id":
            told["id"] = ids.encode(_TYPES[table], value)
        elif target:
            name = "file" if target == "file" and column == "file_id" else column.removesuffix("_id")
            told[_camel(name)] = None if value is None else labels.get(target, {}).get(value, value)
        elif column not in _LEFT_OUT:
            told[_camel(column)] = _plain(value)
    return told


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return json.loads(json.dumps(value, default=str))
