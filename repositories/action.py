"""Reads and deletions of actions within a write transaction."""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.action import Action, ActionFile
from db.models.evidence import Evidence
from domain.enums import EvidenceStatus


async def has_evidence(session: AsyncSession, action_key: int) -> bool:
    """Returns whether evidence was submitted for an action that is not withdrawn."""
    # unscoped: the action was read within the viewer's scope
    statement = select(Evidence.id).where(Evidence.action_id == action_key, Evidence.status != EvidenceStatus.WITHDRAWN)
    return (await session.execute(statement.limit(1))).first() is not None


async def delete_action(session: AsyncSession, action_key: int) -> None:
    """Deletes an action; its files stay in the learner's record, and withdrawn evidence no longer refers to it."""
    # unscoped: the action was read within the viewer's scope
    await session.execute(update(Evidence).where(Evidence.action_id == action_key).values(action_id=None))
    # unscoped: the same action
    await session.execute(delete(ActionFile).where(ActionFile.action_id == action_key))
    # unscoped: the same action
    await session.execute(delete(Action).where(Action.id == action_key))
