"""Records the assessor's answers to the actions of a sample, and closes actions for the IQA."""

from db.models.aim import Aim
from db.models.sample import Sample, SampleAction
from db.models.user import User
from domain.enums import SampleStatus
from repositories.sample import has_open_actions
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from resolvers.rules.sample import SAMPLE_ACTION, SampleActionState
from resolvers.sampling.conclude import assessors_of
from services.mail.sampling_messages import sample_answered


@mutation("sampleActionAnswer")
async def answer(uow: UnitOfWork, *, id: str, answer: str) -> int:
    """Says what the assessor did about an action; it can be said again until the action is closed.

    Returns the sample's key. Rejects with NOT_FOUND, NOT_ALLOWED, REQUIRED or INVALID for the answer, and CONFLICT once
    it is closed.
    """
    action = await uow.get(SampleAction, id, "id")
    uow.authorize()
    uow.require(SAMPLE_ACTION, SampleActionState(action.learner_id, action.closed_at is not None))
    text = multi_line(uow, answer, "answer")
    uow.raise_errors()
    if text == action.answer:
        return action.sample_id
    sample = await uow.session.get_one(Sample, action.sample_id)
    aim = await uow.session.get_one(Aim, action.aim_id)
    action.answer, action.answered_by_id, action.answered_at = text, uow.viewer.user_key, uow.now
    iqa = await uow.session.get_one(User, aim.iqa_id or sample.iqa_id)
    uow.send_mail(iqa.email, sample_answered(name=iqa.name, assessor=uow.viewer.name), "Sample", sample.id)
    uow.audit("SampleAction", action.id, learner_id=aim.learner_id, aim_id=aim.id, sample=sample.id)
    return sample.id


@mutation("sampleActionClose")
async def close(uow: UnitOfWork, *, id: str) -> int:
    """Closes an action, answered or not; with the last one the sample is concluded. Closing it again changes nothing.

    Returns the sample's key. Rejects with NOT_FOUND, and NOT_ALLOWED also for who assessed the unit.
    """
    action = await uow.get(SampleAction, id, "id")
    uow.authorize()
    # Locked: of two requests that close the last two actions, the second sees that none is left.
    sample = await uow.session.get_one(Sample, action.sample_id, with_for_update={"key_share": True})
    aim = await uow.session.get_one(Aim, action.aim_id)
    assessors = await assessors_of(uow, aim, sample.unit_id)
    uow.require(SAMPLE_ACTION, SampleActionState(action.learner_id, action.closed_at is not None), assessors=assessors)
    if action.closed_at is not None:
        return sample.id
    action.closed_at, action.closed_by_id = uow.now, uow.viewer.user_key
    await uow.session.flush()
    if not await has_open_actions(uow.session, sample.id):
        sample.status = SampleStatus.CONCLUDED
    uow.audit("SampleAction", action.id, learner_id=aim.learner_id, aim_id=aim.id, sample=sample.id)
    return sample.id
