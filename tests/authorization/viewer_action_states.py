"""Records in the states that rules of mutations distinguish, beside those of the permission tests."""

from sqlalchemy import select, update

from db.database import Database
from db.models.aim import Aim
from db.models.learner import Learner
from db.models.qualification import QualificationCriterion
from db.models.user import User
from domain.enums import ActionStatus, AimStatus, EvidenceStatus, Role, SessionStatus, SignatureRequestStatus
from tests.authorization.permission_setup import Uploads, build_with_uploads
from tests.support.factories import DAY, Factory
from tests.support.scenarios.authorization import AuthorizationScenario


async def build_states(database: Database) -> tuple[AuthorizationScenario, Uploads]:
    """The scenario of the permission tests, with records of Ada's in states that it does not have."""
    scenario, ids = await build_with_uploads(database)
    async with database.writing() as session:
        factory = Factory(session)
        users, aims = scenario.users, scenario.aims
        main, ann = aims["main"], users["ann"]
        ada = await session.get_one(Learner, scenario.ada.id)
        here = scenario.provider
        gone = await factory.user(here, "Gone", Role.EMPLOYER_MANAGER, archived_at=factory.now)
        # Another Ann signs in Ann's role first; Ada's own signature as an assessor is one too many.
        other = await factory.user(here, "Other", Role.ASSESSOR)
        for title, submitter, signers in (
            ("Of an archived manager", gone, {}),
            ("Signed by another assessor", users["ada"], {Role.ASSESSOR: other}),
            ("Signed by Ann as an IQA", users["ada"], {Role.IQA: ann}),
            ("Signed by Ann", users["ada"], {Role.ASSESSOR: ann}),
        ):
            status = EvidenceStatus.RETURNED if submitter is gone else EvidenceStatus.SUBMITTED
            evidence = await factory.evidence(main, submitter, status, title=title)
            await factory.evidence_version(evidence)
            for role, signer in signers.items():
                await factory.evidence_signature(evidence, signer, role)
        criterion = (await session.scalars(select(QualificationCriterion).where(
            QualificationCriterion.qualification_id == main.qualification_id))).first()  # fmt: skip
        for who in ("ada", "mo", "olu", "ann"):
            assessed = await factory.evidence(main, users[who], EvidenceStatus.ASSESSED, title="Signed off")
            await factory.evidence_version(assessed)
            await factory.evidence_mapping(assessed, criterion, ann, signed_off=True)
        for status in SessionStatus:
            for days in (-3, 3):
                await factory.session_of(ada, ann, factory.now + days * DAY, main, status=status)
        for status in ActionStatus:
            await factory.action(ada, ann, main, status=status, accepts_evidence=False, target_date=factory.today)
        for added_by, approved in ((users["ada"], True), (ann, True), (ann, False)):
            approval = {"approved_by_id": ann.id, "approved_at": factory.now} if approved else {}
            await factory.time_log_entry(ada, added_by, 5, main, **approval)
        await factory.time_log_entry(ada, ann, 5, main, automatic=True)
        every = (Role.LEARNER, Role.ASSESSOR, Role.IQA, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW)
        for status in SignatureRequestStatus:
            await factory.signature_request(ada, ann, every, status=status)
            signed = {Role.ASSESSOR: other, Role.IQA: ann, Role.LEARNER: users["ada"]}
            await factory.signature_request(ada, ann, (), signed, status=status)
        for status in (*AimStatus, AimStatus.SUSPENDED):
            ended = {"actual_end_date": factory.today} if status in (AimStatus.COMPLETED, AimStatus.WITHDRAWN) else {}
            aim = await factory.aim(ada, scenario.english, assessor=ann, iqa=users["ian"], status=status, **ended)
            if status is AimStatus.SUSPENDED:
                await factory.aim_break(aim, ann, factory.today - 5 * DAY, None)
        archived = await factory.learner(here, "Archie", scenario.a, enrolled_by_id=ann.id)
        left = await factory.user(here, "Left", Role.ASSESSOR, archived_at=factory.now)
        for assessor in (None, left):
            await factory.aim(archived, scenario.english, assessor=assessor, iqa=users["ian"])
        await factory.aim(archived, scenario.barista, assessor=ann, iqa=users["ian"])
        await factory.allocate(users["mo"], archived)
        await session.execute(update(User).where(User.id == archived.user_id).values(archived_at=factory.now))
        erased = await factory.learner(here, "Erased", scenario.a, enrolled_by_id=ann.id, erased_at=factory.now)
        await factory.aim(erased, scenario.english, assessor=ann)
        # Ann, Ian and May are apprentices too: their own records are for them to see, not to change.
        for who in ("ann", "ian", "may"):
            own = Learner(provider_id=here.id, user_id=users[who].id, employer_id=scenario.a.id, created_at=factory.now)
            await factory.add(own)
            await factory.role_grant(users[who], Role.LEARNER)
            assessor = None if who == "may" else ann
            aim = await factory.aim(own, scenario.english, assessor=assessor, iqa=users["ian"])
            await factory.evidence_version(await factory.evidence(aim, users[who]))
            await factory.action(own, users["bob"], aim, accepts_evidence=True, target_date=factory.today)
            await factory.session_of(own, ann, factory.now - DAY, aim)
            await factory.signature_request(own, users["may"], every)
        await factory.user(here, "New", Role.LEARNER, must_change_password=True)
        await factory.user(here, "Free", Role.ASSESSOR, last_login_at=factory.now)
        await session.execute(update(Aim).where(Aim.id == aims["side"].id).values(status=AimStatus.COMPLETED))
        await session.execute(update(User).values(disclaimer_accepted=1))
    return scenario, ids
