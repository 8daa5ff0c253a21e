"""Single learners of the demo show optional units, a break, a changed version and a late review."""

import datetime as dt

from domain import clock
from domain.enums import AimStatus, SessionStatus, SessionType
from tests.services.demo.demo_data import DemoData


async def test_single_learners_show_what_is_lived(data: DemoData):
    provider = data.learner().provider_id
    sums = [row for row in data["aim_progress"] if row.provider_id == provider]
    assert sum(row.units_to_choose > 0 for row in sums) == 1
    assert {row.chosen_units is None for row in sums} == {True, False}
    back = {row.learner_id for row in data["aim_break"] if row.returned_on and row.provider_id == provider}
    assert len(back) == 1
    (moved,) = [row for row in data["aim_version"] if row.provider_id == provider]
    aim = data.by_id("aim")[moved.aim_id]
    qualifications = data.by_id("qualification")
    now, before = qualifications[aim.qualification_id], qualifications[moved.qualification_id]
    assert (now.reference, before.version) == (before.reference, "1.0") and now.version != "1.0"
    # What the new version has not is kept.
    old = {row.id for row in data["qualification_criterion"] if row.qualification_id == before.id}
    assert any(row.aim_id == aim.id and row.criterion_id in old for row in data["criterion_progress"])
    reviewed = {
        row.learner_id for row in data["session"]
        if row.type is SessionType.FORMAL_REVIEW and row.status is SessionStatus.ATTENDED
    }  # fmt: skip
    late = {
        row.learner_id for row in data["aim"]
        if row.provider_id == provider and row.status is AimStatus.IN_TRAINING
        and row.start_date < clock.today() - dt.timedelta(days=140)
    }  # fmt: skip
    assert late - reviewed
