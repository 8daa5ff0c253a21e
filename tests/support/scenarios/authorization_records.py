"""A record of every kind for a learner and for each of their aims, for `tests/support/scenarios/authorization.py`."""

import datetime as dt
from typing import Any

from sqlalchemy import select

from db.models.aim import Aim
from db.models.evidence import Evidence
from db.models.learner import Learner
from db.models.qualification import QualificationCriterion
from db.models.session import Session
from db.models.user import User
from domain.enums import (
    ActionStatus,
    CvDocumentKind,
    CvSectionName,
    EvidenceStatus,
    OffTheJobExclusionReason,
    ResourceBucket,
    Role,
    SessionStatus,
    SessionType,
)
from tests.support.factories import DAY, Factory
from tests.support.scenarios.authorization_quality import add_reviews, add_samples


async def add_records(
    factory: Factory, learner: Learner, user: User, helper: User, manager: User | None, aims: dict[str, Aim]
) -> dict[str, Any]:
    """Returns the records by `name.kind`, with the name of the aim or of the learner. `helper`: a user of the staff."""
    added: dict[str, Any] = {}
    for number, (name, aim) in enumerate(aims.items(), 1):
        assessor = await factory.session.get(User, aim.assessor_id) if aim.assessor_id else helper
        added |= await _add_to_aim(factory, name, aim, user, assessor, number)
    # Of no aim: everybody who sees the learner sees these.
    visit = await factory.session_of(learner, helper, factory.now + DAY, location="Canteen")
    saved = await factory.file(helper, learner, name="visit.pdf")
    await factory.session_file(visit, saved)
    action = await factory.action(
        learner, helper, session_id=visit.id, title="Of no aim", target_date=factory.today - 3 * DAY
    )
    await factory.action_file(action, await factory.file(helper, learner, name="questions.pdf"))
    entry = await factory.time_log_entry(learner, user, 25)
    signed = {Role.EMPLOYER_MANAGER: manager} if manager else {Role.MASTER_ADMIN: helper}
    open_for = tuple(role for role in Role if role not in signed)
    request = await factory.signature_request(learner, helper, open_for, signed, title="Review")
    for role in (Role.LEARNER, Role.ASSESSOR):
        await factory.signature_request(learner, helper, (role,), title=f"For the {role.value}")
    for section in (CvSectionName.SKILLS, CvSectionName.PERSONAL_PROFILE):
        await factory.cv_section(learner, section)
    job = await factory.file(user, learner, name="job.pdf")
    await factory.cv_document(learner, CvDocumentKind.JOB_DESCRIPTION, job)
    learner.photo_file_id = (await factory.file(user, learner, name="me.png", content_type="image/png")).id
    who = user.name.lower()
    return added | {
        f"{who}.session": visit, f"{who}.action": action, f"{who}.entry": entry, f"{who}.file": saved,
        f"{who}.request": request,
    }  # fmt: skip


async def _add_to_aim(factory: Factory, name: str, aim: Aim, user: User, assessor: User, number: int) -> dict[str, Any]:
    start = factory.now + number * 3 * DAY
    learner = await factory.session.get_one(Learner, aim.learner_id)
    of_aim = QualificationCriterion.qualification_id == aim.qualification_id
    found = await factory.session.scalars(
        select(QualificationCriterion).where(of_aim).order_by(QualificationCriterion.id)
    )
    criteria = list(found)
    planned = {"planning_notes": f"About {name}", "type": SessionType.FORMAL_REVIEW}
    visit = await factory.session_of(learner, assessor, start, aim, **planned)
    await factory.session_file(visit, await factory.file(assessor, learner, aim, name=f"{name}-plan.pdf"))
    attended = {"status": SessionStatus.ATTENDED, "feedback": f"Went through {name}"}
    past = await factory.session_of(learner, assessor, start - 40 * DAY, aim, **attended)
    action = await factory.action(
        learner, assessor, aim, session_id=past.id, title=f"For {name}", status=ActionStatus.COMPLETE,
        completed_by_id=assessor.id, completed_at=factory.now, learner_feedback="Done", minutes_spent=30,
        learner_submitted_at=factory.now, accepts_evidence=True,
    )  # fmt: skip
    yesterday = factory.today - DAY
    late = await factory.action(
        learner, assessor, aim, session_id=visit.id, target_date=yesterday, title="Late", accepts_evidence=True
    )
    missed = await factory.session_of(learner, assessor, start - 20 * DAY, aim)
    missed.group_id = missed.id
    await factory.action_file(action, await factory.file(assessor, learner, aim, name=f"{name}-book.pdf"))
    added = {
        f"{name}.session": visit, f"{name}.missed": missed, f"{name}.action": action, f"{name}.late": late,
        f"{name}.unit": criteria[0].unit_id, f"{name}.criterion": criteria[0].id,
    }  # fmt: skip
    added[f"{name}.evidence"] = await _add_evidence(factory, aim, user, assessor, criteria, action.id)
    added[f"{name}.submitted"] = await submitted_evidence(factory, aim, user, f"Waits in {name}")
    taken_back = {"withdrawn_at": factory.now, "withdrawn_reason": f"Not for {name}"}
    withdrawn = await factory.evidence(aim, user, EvidenceStatus.WITHDRAWN, title="Wrong file", **taken_back)
    await factory.evidence_version(withdrawn)
    added[f"{name}.entry"] = await factory.time_log_entry(learner, user, 60, aim, unit_id=criteria[0].unit_id)
    excluded = {"exclusion": OffTheJobExclusionReason.INDUCTION, "employer_confirmed_at": factory.now}
    revised = await factory.time_log_entry(learner, user, 15, aim, **excluded)
    await factory.time_log_revision(revised, user)
    await factory.time_log_entry(
        learner, assessor, 45, aim, automatic=True, session_id=past.id, assessor_id=assessor.id,
        approved_by_id=assessor.id, approved_at=factory.now,
    )  # fmt: skip
    for bucket in ResourceBucket:
        file = await factory.file(assessor, learner, aim, name=f"{name}-{bucket.value}.pdf")
        title = f"{bucket.value} of {name}"
        added[f"{name}.resource"] = await factory.resource(aim, assessor, file, bucket, title=title)
    returned = factory.today - 20 * DAY
    added[f"{name}.break"] = await factory.aim_break(aim, assessor, returned - 10 * DAY, returned)
    await factory.aim_history(aim, assessor)
    earlier = {"signed_at": factory.now - 2 * DAY, "withdrawn_at": factory.now - DAY, "withdrawn_reason": "EVIDENCE"}
    await factory.unit_signature(aim, criteria[0].unit_id, assessor, Role.ASSESSOR, **earlier)
    await factory.unit_signature(aim, criteria[0].unit_id, assessor, Role.ASSESSOR)
    added |= await add_reviews(factory, name, aim, visit, user, assessor, 3 * (number - 1))
    evidence, criterion = added[f"{name}.evidence"], criteria[0]
    added |= await add_samples(factory, name, aim, criterion.unit_id, evidence.id, criterion.id, assessor)
    return added


async def _add_evidence(
    factory: Factory, aim: Aim, user: User, assessor: User, criteria: list[QualificationCriterion], action: int
) -> Evidence:
    """Returned once, resubmitted and signed again; mapped to the first criterion, which it meets, and to the second."""
    learner = await factory.session.get_one(Learner, aim.learner_id)
    photo = await factory.evidence(
        aim, user, EvidenceStatus.RESUBMITTED, title="Photo", action_id=action, feedback="Better",
        points_for_improvement="Sharper", assessment_methods=["PRODUCT"], submitted_at=factory.now - 6 * DAY,
        assessed_by_id=assessor.id, assessed_at=factory.now - 7 * DAY, returned_at=factory.now - 7 * DAY,
    )  # fmt: skip
    await factory.evidence_version(photo, 1, await factory.file(user, learner, aim, name="older.txt"))
    await factory.evidence_version(photo, 2, comment="Sharper")
    for number in (1, 2):
        await factory.evidence_signature(photo, user, Role.LEARNER, number)
    for criterion, signed_off_by in zip(criteria[:2], (assessor, None), strict=False):
        await factory.evidence_mapping(photo, criterion, assessor, signed_off=signed_off_by is not None)
        await factory.criterion_progress(aim, criterion, signed_off_by)
    return photo


async def submitted_evidence(factory: Factory, aim: Aim, by: User, title: str) -> Evidence:
    """Evidence that was submitted four days ago and is not assessed."""
    at = factory.now - 4 * DAY
    evidence = await factory.evidence(aim, by, EvidenceStatus.SUBMITTED, title=title, submitted_at=at)
    await factory.evidence_version(evidence, submitted_at=at)
    return evidence


async def session_of_two_aims(
    factory: Factory, learner: Learner, assessor: User, start: dt.datetime, *aims: Aim
) -> Session:
    """A session about several aims, with a file of its own and an action of no aim."""
    session = await factory.session_of(learner, assessor, start, *aims, planning_notes="About both")
    await factory.session_file(session, await factory.file(assessor, learner, name="both.pdf"))
    await factory.action(learner, assessor, session_id=session.id, title="Set where both were discussed")
    return session
