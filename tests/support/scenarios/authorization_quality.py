"""Reviews and samples of each aim, for `tests/support/scenarios/authorization.py`."""

from typing import Any

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.session import Session
from db.models.user import User
from domain.enums import (
    EmployerAttendance,
    Role,
    SampleOutcome,
    SampleStatus,
    SessionStatus,
    SessionType,
    SignatureRequestStatus,
)
from repositories.sample import snapshot
from tests.support.factories import DAY, Factory

# As `loaders/review_figures.py` stores them.
FIGURES: dict[str, Any] = {
    "progress": {
        "criteria_total": 8, "criteria_mapped": 4, "criteria_signed_off": 2, "duration_tenths": 500,
        "past_planned_end": False, "days_on_break": 3, "units_to_choose": 0,
    },
    "traffic_light": "ON_TRACK",
    "off_the_job": {
        "required_minutes": 6000, "expected_minutes": 3000, "actual_minutes": 2000, "logged_minutes": 2100,
        "approved_minutes": 900, "planned_minutes": 6600, "prior_learning_minutes": 60,
    },
    "excluded": [["INDUCTION", 100]],
    "last_learning_on": "2026-10-01",
    "months_without_learning": ["2026-09"],
    "policy": {
        "aim_key": 1, "starts_from": "2025-08-01", "minimum_hours": 100, "floor_hours": 50, "source": "The table",
        "reference": None,
    },
    "outstanding_action_count": 2,
}  # fmt: skip
_SIGNERS = (Role.LEARNER, Role.ASSESSOR, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW)


async def add_reviews(
    factory: Factory, name: str, aim: Aim, visit: Session, user: User, assessor: User, numbers: int
) -> dict[str, Any]:
    """Adds a draft of the planned visit, an issued review that was issued before, and one that can be issued.

    `numbers`: how many reviews the learner has.
    """
    learner = await factory.session.get_one(Learner, aim.learner_id)
    attended = {"type": SessionType.FORMAL_REVIEW, "status": SessionStatus.ATTENDED}
    held = await factory.session_of(learner, assessor, factory.now - (30 + numbers) * DAY, aim, **attended)
    ready = await factory.session_of(learner, assessor, factory.now - (25 + numbers) * DAY, aim, **attended)
    draft = await factory.review(visit, numbers + 3, {Role.LEARNER: user}, previous_session_id=held.id)
    issued = await factory.review(
        held, numbers + 1, {Role.LEARNER: user, Role.ASSESSOR: assessor}, figures=FIGURES, issued_at=factory.now,
        employer_attendance=EmployerAttendance.ATTENDED,
    )  # fmt: skip
    ready_review = await factory.review(ready, numbers + 2, {Role.ASSESSOR: assessor}, previous_session_id=held.id)
    await factory.action(learner, assessor, aim, session_id=held.id, title=f"Agreed in {name}")
    cancelled = {"title": f"Earlier review of {name}", "status": SignatureRequestStatus.CANCELLED}
    earlier = await factory.signature_request(learner, assessor, (Role.ASSESSOR,), {Role.LEARNER: user}, **cancelled)
    await factory.review_document(issued, earlier, replaced_at=factory.now)
    request = await factory.signature_request(learner, assessor, _SIGNERS, title=f"Review of {name}")
    await factory.review_document(issued, request)
    return {f"{name}.review": draft, f"{name}.issued": issued, f"{name}.ready": ready_review}


async def add_samples(
    factory: Factory, name: str, aim: Aim, unit_key: int, evidence: int, criterion: int, assessor: User
) -> dict[str, Any]:
    """Adds a concluded sample with findings and actions, and one that is begun, of the same unit."""
    iqa = await factory.session.get(User, aim.iqa_id) if aim.iqa_id else assessor
    done = await factory.sample(
        aim, unit_key, assessor, iqa, status=SampleStatus.CONCLUDED, outcome=SampleOutcome.ACTION_REQUIRED,
        concluded_at=factory.now, snapshot_sha256="a" * 64,
    )  # fmt: skip
    await factory.sample_finding(done, criterion_id=criterion, sufficient=False, comment=f"More of {name}")
    await factory.sample_finding(done, evidence_id=evidence)
    answered = {"answer": "Added", "answered_by_id": assessor.id, "answered_at": factory.now}
    await factory.sample_action(done, **answered, closed_at=factory.now, closed_by_id=iqa.id)
    action = await factory.sample_action(done, description=f"Look at {name}")
    sha256 = await snapshot(factory.session, aim.id, unit_key)
    begun = await factory.sample(aim, unit_key, assessor, iqa, status=SampleStatus.IN_PROGRESS, snapshot_sha256=sha256)
    return {f"{name}.sample": begun, f"{name}.sampleAction": action}
