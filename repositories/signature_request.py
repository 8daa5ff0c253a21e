"""Reads of documents to sign within a write transaction: their slots, and the people who can sign."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.signature_request import SignatureSlot
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant, User
from domain.enums import Role


@dataclass(frozen=True, slots=True)
class Signer:
    """A person who receives the e-mail about a document to sign."""

    key: int
    name: str
    email: str
    # The kinds of task of which they get e-mails; None before a choice.
    email_for: list[str] | None


async def slots_by_role(session: AsyncSession, request_key: int) -> dict[Role, SignatureSlot]:
    """Returns the slots of a document by role, read again from the database."""
    # unscoped: the request was read within the viewer's scope
    statement = select(SignatureSlot).where(SignatureSlot.request_id == request_key)
    slots = await session.scalars(statement, execution_options={"populate_existing": True})
    return {slot.role: slot for slot in slots}


async def count_open_slots(session: AsyncSession, request_key: int) -> int:
    """Returns the number of roles that have not signed yet."""
    # unscoped: the request was read within the viewer's scope
    statement = select(func.count()).where(SignatureSlot.request_id == request_key, SignatureSlot.signed_at.is_(None))
    return (await session.execute(statement)).scalar_one()


async def fill_slot(session: AsyncSession, slot: SignatureSlot, **signature: Any) -> bool:
    """Writes the columns of a signature to a slot, if it is still empty in the database. Returns whether it was."""
    # unscoped: the request was read within the viewer's scope, or by the link of a guest
    filling = update(SignatureSlot).where(SignatureSlot.id == slot.id, SignatureSlot.signed_at.is_(None))
    filled = await session.execute(filling.values(**signature).execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", filled).rowcount == 1


async def withdraw_signatures(session: AsyncSession, request_key: int, now: dt.datetime, reason: str) -> None:
    """Marks the signatures of a document that still stand as withdrawn; who signed what, and when, stays."""
    # unscoped: the request was read within the viewer's scope
    standing = update(SignatureSlot).where(
        SignatureSlot.request_id == request_key,
        SignatureSlot.signed_at.is_not(None),
        SignatureSlot.withdrawn_at.is_(None),
    )
    withdrawing = standing.values(withdrawn_at=now, withdrawn_reason=reason)
    await session.execute(withdrawing.execution_options(synchronize_session=False))


async def possible_signers(session: AsyncSession, learner: Learner, roles: Collection[Role]) -> Sequence[Signer]:
    """Returns the people who can see the learner in one of the roles, each once."""
    of_learner = Aim.learner_id == learner.id
    # unscoped: people around a learner who was read within the viewer's scope; they are not shown to the viewer
    can_see = {
        Role.LEARNER: User.id == learner.user_id,
        Role.ASSESSOR: User.id.in_(select(Aim.assessor_id).where(of_learner)),
        Role.IQA: User.id.in_(select(Aim.iqa_id).where(of_learner)),
        Role.EMPLOYER_MANAGER: User.id.in_(
            select(ManagerAllocation.user_id).where(ManagerAllocation.learner_id == learner.id)
        ),
        Role.EMPLOYER_OVERVIEW: User.id.in_(
            select(OverviewAllocation.user_id).where(OverviewAllocation.employer_id == learner.employer_id)
        ),
    }
    in_role = [and_(RoleGrant.role == role, can_see[role]) for role in roles]
    # unscoped: people around that learner
    in_one_role = exists().where(RoleGrant.user_id == User.id, or_(*in_role))
    # unscoped: the conditions above limit it to that learner
    statement = (
        select(User.id.label("key"), User.name, User.email, User.email_for)
        .where(User.provider_id == learner.provider_id, User.archived_at.is_(None), in_one_role)
        .order_by(User.id)
    )
    return [Signer(**row._mapping) for row in await session.execute(statement)]
