"""The audit events of signatures: how a signature and its event are joined, and whether they agree."""

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit_event import AuditEvent
from db.models.provider import Provider
from db.models.signature_request import SignatureSlot
from db.models.unit_signature import UnitSignature
from domain.confirmation_statements import unit_sha256
from services.audit.moved_keys import ProviderMoves, former_keys

_WITHDRAWAL_MISSING = "it is marked as withdrawn, but the audit trail has no line of that"
_STREAMED = {"yield_per": 500}

# Provider key -> time of its first audit event. Signatures from before were imported with the data and have no event.
TrailStarts = dict[int, dt.datetime]
# Of each criterion of a unit: key, evidence count, signed off.
Criteria = list[tuple[int, int, bool]]


async def stream_rows(
    session: AsyncSession, statement: Select[*tuple[Any, ...]]
) -> AsyncIterator[Row[*tuple[Any, ...]]]:
    async for row in await session.stream(statement.execution_options(**_STREAMED)):
        yield row


def is_event_of(
    signature: Any, actions: Sequence[str], subject: str, key: Any, part: Any = None
) -> ColumnElement[bool]:
    """That an audit event records a signature: same record, signer, role and time."""
    return and_(
        AuditEvent.provider_id == signature.provider_id,
        AuditEvent.learner_id == signature.learner_id,
        AuditEvent.subject_type == subject,
        AuditEvent.subject_key == key,
        AuditEvent.subject_part.is_(None) if part is None else AuditEvent.subject_part == part,
        AuditEvent.action.in_(actions),
        _signed_by(signature),
        AuditEvent.role == signature.role,
        AuditEvent.at == signature.signed_at,
    )


def _signed_by(signature: Any) -> ColumnElement[bool]:
    """That the event is by the signer: a user, or nobody where a guest signed."""
    by_user: ColumnElement[bool] = AuditEvent.actor_id == signature.signed_by_id
    if signature is not SignatureSlot:
        return by_user
    return or_(by_user, and_(signature.signed_by_id.is_(None), AuditEvent.actor_id.is_(None)))


def is_about_the_learner(event: Any, signature: Any) -> tuple[ColumnElement[bool], ...]:
    """That an event is about the learner of a signature, found by the learner.

    Without `+ 0` SQLite takes the index of the provider, and reads its whole trail.
    """
    return event.learner_id == signature.learner_id, event.provider_id + 0 == signature.provider_id


def if_withdrawn(withdrawn_at: Any, recorded: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition, looked up only where there is a withdrawal: SQLite computes both sides of an AND."""
    return case((withdrawn_at.is_(None), False), else_=recorded)


def is_signed_content(signed: UnitSignature, criteria: Criteria, moves: ProviderMoves) -> bool:
    """Whether these criteria were signed, with the keys that they had then."""
    return any(
        signed.content_sha256
        == unit_sha256(signed.statement, [(key - less, count, signed_off) for key, count, signed_off in criteria])
        for less in former_keys("qualification_criterion", moves.get(signed.provider_id, []))
    )


async def trail_starts(session: AsyncSession) -> TrailStarts:
    first = (
        select(AuditEvent.at)
        .where(AuditEvent.provider_id == Provider.id)
        .order_by(AuditEvent.id)
        .limit(1)
        .correlate(Provider)
        .scalar_subquery()
    )
    rows = await session.execute(select(Provider.id, first.label("start")))
    return {row.id: row.start for row in rows if row.start is not None}


def trail_problem(row: Any, signature: Any, sha256: str | None, starts: TrailStarts) -> str | None:
    if row.event_id is None:
        start = starts.get(signature.provider_id)
        if start is None or signature.signed_at < start:
            return None
        return "the audit trail has no line of it: it was added, or its signer, role or time was changed"
    recorded = (row.detail or {}).get("sha256")
    return "its digest is not the one in the audit trail" if recorded not in (None, sha256) else None


def withdrawal_problem(row: Any, signed: Any, starts: TrailStarts) -> str | None:
    start = starts.get(signed.provider_id)
    unrecorded = signed.withdrawn_at and not row.withdrawal_recorded and start and signed.withdrawn_at >= start
    return _WITHDRAWAL_MISSING if unrecorded else None
