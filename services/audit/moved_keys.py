"""The keys that a moved provider's audit events had where they were sealed.

The hash of an event covers the keys in it. Where a provider moved, its keys are others, each by a fixed number for its
table; the trail keeps its hashes, and a check computes them from the keys of the time.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit_event import AuditEvent
from db.models.base import referred_table
from db.models.provider_move import ProviderMove, shifted
from db.models.registry import entities

# The types whose ids hold the key of an aim and of a part of its qualification, and a group of sessions.
# listed: they are no entities, so no class declares them
_PAIRS = {"Unit": ("aim", "qualification_unit"), "Criterion": ("aim", "qualification_criterion")}
_GROUPS = {"SessionGroup": ("session", None)}


@cache
def subject_tables() -> Mapping[str, tuple[str, str | None]]:
    """The tables of an event's `subject_key` and `subject_part`, by `subject_type`."""
    return {each.type_name(): (each.__tablename__, None) for each in entities()} | _PAIRS | _GROUPS


@cache
def _references() -> Mapping[str, str]:
    columns = AuditEvent.__table__.columns
    return {column.key: table for column in columns if (table := referred_table(column)) is not None}


def shifted_event(values: Mapping[str, Any], shifts: Mapping[str, int], sign: int = 1) -> dict[str, Any]:
    """Returns the columns of an event with its keys after a move; `sign` -1: before it. Its `detail` stays."""
    changed = {name: shifted(table, values[name], shifts, sign) for name, table in _references().items()}
    subject, part = subject_tables().get(values["subject_type"] or "", ("", None))
    changed["subject_key"] = shifted(subject, values["subject_key"], shifts, sign)
    changed["subject_part"] = shifted(part or "", values["subject_part"], shifts, sign)
    return {**values, **changed}


# The moves of each provider that has any, the last one first.
ProviderMoves = Mapping[int, Sequence[ProviderMove]]


async def moves_by_provider(session: AsyncSession) -> ProviderMoves:
    """Returns the moves of all providers: only an operator's command adds one."""
    found: dict[int, list[ProviderMove]] = {}
    for move in await session.scalars(select(ProviderMove).order_by(ProviderMove.id.desc())):
        found.setdefault(move.provider_id, []).append(move)
    return found


def as_sealed(values: Mapping[str, Any], moves: Sequence[ProviderMove]) -> Mapping[str, Any]:
    """Returns the columns of an event as its hash covers them. `moves`: of the provider, the last one first."""
    for move in moves:
        if values["sequence"] > move.last_line:
            break
        values = shifted_event(values, move.shifts, -1)
    return values


def former_keys(table: str, moves: Sequence[ProviderMove]) -> list[int]:
    """Returns what the keys of a table were less at each time between two moves, from now back: the first is 0."""
    found = [0]
    for move in moves:
        found.append(found[-1] + move.shifts.get(table, 0))
    return found
