"""Saves the sampling policy, and makes a plan for the units of one assessor."""

import datetime as dt

from db.models.sample import Sample, SamplingPolicy
from db.models.user import User
from domain import sampling
from domain.enums import SampleStatus, UserErrorCode
from domain.sentences import say
from repositories.sample import (
    aims_to_sample,
    first_units,
    sampling_policy,
    signed_units,
    standing_samples,
    units_that_count,
)
from resolvers.core.changes import assign
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.rules.user import USER, UserState

# From the plan to the check of a unit that is signed off, or whose aim is past its planned end.
_SOON = dt.timedelta(weeks=4)
_MAX_FIRST_UNITS = 100


@mutation("samplingPolicySave")
async def save_policy(
    uow: UnitOfWork, *, aims_percent: int, units_percent: int, first_units_of_new_assessor: int
) -> None:
    """Saves the provider's policy, which plans follow from now on.

    Rejects with NOT_ALLOWED, or with INVALID for the fields.
    """
    uow.authorize()
    for field, percent in (("aimsPercent", aims_percent), ("unitsPercent", units_percent)):
        if not 0 <= percent <= 100:
            uow.add_error(UserErrorCode.INVALID, say("NUMBER_OUT_OF_RANGE", most=100), "input", field)
    if not 0 <= first_units_of_new_assessor <= _MAX_FIRST_UNITS:
        message = say("NUMBER_OUT_OF_RANGE", most=_MAX_FIRST_UNITS)
        uow.add_error(UserErrorCode.INVALID, message, "input", "firstUnitsOfNewAssessor")
    uow.raise_errors()
    values = {
        "aims_percent": aims_percent,
        "units_percent": units_percent,
        "first_units_of_new_assessor": first_units_of_new_assessor,
    }
    saved = await uow.session.get(SamplingPolicy, uow.viewer.provider_key, with_for_update=True)
    if saved is None:
        saved = SamplingPolicy(provider_id=uow.viewer.provider_key, saved_at=uow.now, **values)
        uow.session.add(saved)
    elif not assign(saved, values):
        return
    saved.saved_at = uow.now
    uow.audit(None, None, policy=[aims_percent, units_percent, first_units_of_new_assessor])


@mutation("samplingPlanMake")
async def make_plan(uow: UnitOfWork, *, assessor_id: str, seed: int) -> list[int]:
    """Plans samples of an assessor's units by the policy: the same for the same seed while policy and units are.

    A unit that has a sample keeps it, unless the sample rejected it and is concluded. Returns the keys of the plan's
    samples. Rejects with NOT_FOUND, NOT_ALLOWED, also for oneself, INVALID for somebody without such aims, and CONFLICT
    before a policy is saved.
    """
    # Locked: of two plans for one assessor, the second finds the samples of the first.
    assessor = await uow.get(User, assessor_id, "assessorId")
    uow.authorize()
    policy = await sampling_policy(uow.session, uow.viewer.provider_key)
    aims = await aims_to_sample(uow.session, uow.viewer, assessor.id)
    uow.require(USER, UserState(assessor.id), has_policy=policy is not None, aims_to_sample=len(aims))
    assert policy is not None
    first = await first_units(uow.session, assessor.provider_id, assessor.id, policy.first_units)
    planned = sampling.plan(policy, await units_that_count(uow.session, aims), first, seed)
    samples = await standing_samples(uow.session, aims)
    signed = await signed_units(uow.session, aims)
    added = []
    for unit in planned:
        if unit in samples:
            continue
        aim = aims[unit[0]]
        soon = uow.today + _SOON
        samples[unit] = Sample(
            provider_id=aim.provider_id, learner_id=aim.learner_id, aim_id=aim.id, unit_id=unit[1],
            assessor_id=assessor.id, iqa_id=aim.iqa_id, status=SampleStatus.PLANNED, planned_at=uow.now,
            planned_for=soon if unit in signed else max(soon, aim.planned_end_date),
        )  # fmt: skip
        uow.session.add(samples[unit])
        added.append(samples[unit])
    await uow.session.flush()
    if added:
        uow.audit("User", assessor.id, seed=seed, samples=[sample.id for sample in added])
    return [samples[unit].id for unit in planned]
