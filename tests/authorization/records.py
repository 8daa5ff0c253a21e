"""One record of each kind for a learner and for each of their aims, for `authorization_scenario.py`."""

import datetime as dt
from typing import Any

from sqlalchemy import select

from db.models.action import ActionFile
from db.models.aim import Aim
from db.models.criterion_progress import CriterionProgress
from db.models.cv import CvDocument, CvSection
from db.models.evidence import Evidence, EvidenceMapping, EvidenceSignature, EvidenceVersion
from db.models.learner import Learner
from db.models.qualification import QualificationCriterion
from db.models.resource import Resource
from db.models.session import Session, SessionFile
from db.models.unit_signature import UnitSignature
from db.models.user import User
from domain.enums import (
    ActionStatus,
    CvDocumentKind,
    CvSectionName,
    EvidenceStatus,
    ResourceBucket,
    Role,
    SessionStatus,
)
from tests.support.factories import DAY, SHA256, Factory


async def everything_of(
    factory: Factory, learner: Learner, user: User, helper: User, manager: User | None, aims: dict[str, Aim]
) -> dict[str, Any]:
    """What was made, by `name.kind`, the name an aim's or the learner's. `helper` is of the provider's staff."""
    made: dict[str, Any] = {}
    for place, (name, aim) in enumerate(aims.items()):
        assessor = await factory.session.get(User, aim.assessor_id) if aim.assessor_id else helper
        made |= await _in_aim(factory, name, aim, user, assessor, factory.now + (place + 1) * 3 * DAY)
    keys = {"provider_id": learner.provider_id, "learner_id": learner.id}
    # Of no aim: whoever sees the learner sees these.
    visit = await factory.session_of(learner, helper, factory.now + DAY, location="Canteen")
    saved = await factory.file(helper, learner, name="visit.pdf")
    await factory.add(SessionFile(session_id=visit.id, file_id=saved.id, **keys))
    action = await factory.action(
        learner, helper, session_id=visit.id, title="Of no aim", target_date=factory.today - 3 * DAY
    )
    attached = await factory.file(helper, learner, name="questions.pdf")
    await factory.add(ActionFile(action_id=action.id, file_id=attached.id, **keys))
    entry = await factory.time_log_entry(learner, user, 25)
    signed = {Role.EMPLOYER_MANAGER: manager} if manager else {Role.MASTER_ADMIN: helper}
    open_for = tuple(role for role in Role if role not in signed)
    made["request"] = await factory.signature_request(learner, helper, open_for, signed, title="Review")
    for slot_of_another in (Role.LEARNER, Role.ASSESSOR):
        await factory.signature_request(learner, helper, (slot_of_another,), title=f"For the {slot_of_another.value}")
    for section in (CvSectionName.SKILLS, CvSectionName.PERSONAL_PROFILE):
        await factory.add(CvSection(**keys, name=section, text="Welding", updated_at=factory.now))
    job = await factory.file(user, learner, name="job.pdf")
    await factory.add(CvDocument(**keys, kind=CvDocumentKind.JOB_DESCRIPTION, file_id=job.id, added_at=factory.now))
    learner.photo_file_id = (await factory.file(user, learner, name="me.png", content_type="image/png")).id
    whose = user.name.lower()
    return made | {
        f"{whose}.session": visit, f"{whose}.action": action, f"{whose}.entry": entry, f"{whose}.file": saved,
        f"{whose}.request": made.pop("request"),
    }  # fmt: skip


async def _in_aim(
    factory: Factory, name: str, aim: Aim, user: User, assessor: User, start: dt.datetime
) -> dict[str, Any]:
    learner = await factory.session.get_one(Learner, aim.learner_id)
    keys = {"provider_id": aim.provider_id, "learner_id": aim.learner_id}
    criteria = list(
        await factory.session.scalars(
            select(QualificationCriterion)
            .where(QualificationCriterion.qualification_id == aim.qualification_id)
            .order_by(QualificationCriterion.id)
        )
    )
    visit = await factory.session_of(learner, assessor, start, aim, planning_notes=f"About {name}")
    plan = await factory.file(assessor, learner, aim, name=f"{name}-plan.pdf")
    await factory.add(SessionFile(session_id=visit.id, file_id=plan.id, **keys))
    past = await factory.session_of(
        learner, assessor, start - 40 * DAY, aim, status=SessionStatus.ATTENDED, feedback=f"Went through {name}"
    )
    action = await factory.action(
        learner, assessor, aim, session_id=past.id, title=f"For {name}", status=ActionStatus.COMPLETE,
        completed_by_id=assessor.id, completed_at=factory.now, learner_feedback="Done", minutes_spent=30,
        learner_submitted_at=factory.now, accepts_evidence=True,
    )  # fmt: skip
    late = await factory.action(
        learner,
        assessor,
        aim,
        session_id=visit.id,
        target_date=factory.today - DAY,
        title="Late",
        accepts_evidence=True,
    )
    missed = await factory.session_of(learner, assessor, start - 20 * DAY, aim)
    book = await factory.file(assessor, learner, aim, name=f"{name}-book.pdf")
    await factory.add(ActionFile(action_id=action.id, file_id=book.id, **keys))
    made = {
        f"{name}.session": visit, f"{name}.missed": missed, f"{name}.action": action, f"{name}.late": late,
        f"{name}.unit": criteria[0].unit_id, f"{name}.criterion": criteria[0].id,
    }  # fmt: skip
    made[f"{name}.evidence"] = await _evidence(factory, aim, user, assessor, criteria, action.id)
    made[f"{name}.submitted"] = await waiting_evidence(factory, aim, user, f"Waits in {name}")
    made[f"{name}.entry"] = await factory.time_log_entry(learner, user, 60, aim, unit_id=criteria[0].unit_id)
    await factory.time_log_entry(
        learner, assessor, 45, aim, automatic=True, session_id=past.id, assessor_id=assessor.id,
        approved_by_id=assessor.id, approved_at=factory.now,
    )  # fmt: skip
    for bucket in ResourceBucket:
        file = await factory.file(assessor, learner, aim, name=f"{name}-{bucket.value}.pdf")
        added = {"added_by_id": assessor.id, "added_at": factory.now}
        made[f"{name}.resource"] = await factory.add(
            Resource(**keys, **added, aim_id=aim.id, bucket=bucket, title=f"{bucket.value} of {name}", file_id=file.id)
        )
    await factory.add(
        UnitSignature(
            **keys, aim_id=aim.id, unit_id=criteria[0].unit_id, role=Role.ASSESSOR, signed_by_id=assessor.id,
            signed_at=factory.now, statement="I confirm", content_sha256=SHA256,
        )
    )  # fmt: skip
    return made


async def _evidence(
    factory: Factory, aim: Aim, user: User, assessor: User, criteria: list[QualificationCriterion], action: int
) -> Any:
    """Returned once, resubmitted and signed again; mapped to the first criterion, which it met, and to the second."""
    learner = await factory.session.get_one(Learner, aim.learner_id)
    keys = {"provider_id": aim.provider_id, "learner_id": aim.learner_id}
    photo = await factory.evidence(
        aim, user, EvidenceStatus.RESUBMITTED, title="Photo", action_id=action, feedback="Better",
        points_for_improvement="Sharper", assessment_methods=["PRODUCT"], submitted_at=factory.now - 6 * DAY,
    )  # fmt: skip
    older = await factory.file(user, learner, aim, name="older.txt")
    evidence = {**keys, "evidence_id": photo.id}
    submitted = {"submitted_by_id": user.id, "submitted_at": factory.now}
    await factory.add(EvidenceVersion(**evidence, **submitted, number=1, file_id=older.id))
    await factory.add(EvidenceVersion(**evidence, **submitted, number=2, file_id=photo.file_id, comment="Sharper"))
    for number in (1, 2):
        signed = {"signed_by_id": user.id, "signed_at": factory.now, "statement": "-", "file_sha256": SHA256}
        await factory.add(EvidenceSignature(**evidence, **signed, version_number=number, role=Role.LEARNER))
    for criterion, met in zip(criteria[:2], (True, False), strict=False):
        place = {"aim_id": aim.id, "unit_id": criterion.unit_id, "criterion_id": criterion.id}
        mapped = {"signed_off": met, "mapped_by_id": assessor.id, "mapped_at": factory.now}
        await factory.add(EvidenceMapping(**evidence, **place, **mapped))
        by = {"signed_off_by_id": assessor.id, "signed_off_at": factory.now} if met else {}
        await factory.add(CriterionProgress(**keys, **place, evidence_count=1, signed_off=met, **by))
    return photo


async def waiting_evidence(factory: Factory, aim: Aim, by: User, title: str) -> Evidence:
    """Submitted four days ago, and nobody has looked at it."""
    at = factory.now - 4 * DAY
    made: Evidence = await factory.evidence(aim, by, EvidenceStatus.SUBMITTED, title=title, submitted_at=at)
    keys = {"provider_id": aim.provider_id, "learner_id": aim.learner_id, "evidence_id": made.id}
    submitted = {"number": 1, "file_id": made.file_id, "submitted_by_id": by.id, "submitted_at": at}
    await factory.add(EvidenceVersion(**keys, **submitted))
    return made


async def plan_of_two_aims(
    factory: Factory, learner: Learner, assessor: User, start: dt.datetime, *aims: Aim
) -> Session:
    """A session about several aims, with a file of its own and an action of none."""
    session = await factory.session_of(learner, assessor, start, *aims, planning_notes="About both")
    keys = {"provider_id": learner.provider_id, "learner_id": learner.id}
    saved = await factory.file(assessor, learner, name="both.pdf")
    await factory.add(SessionFile(session_id=session.id, file_id=saved.id, **keys))
    await factory.action(learner, assessor, session_id=session.id, title="Set where both were discussed")
    return session
