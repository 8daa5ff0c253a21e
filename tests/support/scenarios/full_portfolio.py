"""A learner with a record of every kind in two aims, and users of every role who see her or do not.

Ada's `main` aim is assessed by Ann and sampled by Ian; her `side` aim is assessed by Bob. Cy learns with Ann too, at
another site.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from db.database import Database
from db.models.action import Action
from db.models.aim import Aim
from db.models.employer import Employer
from db.models.evidence import Evidence
from db.models.file import File
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.qualification import Qualification, QualificationCriterion
from db.models.resource import Resource
from db.models.session import Session
from db.models.signature_request import SignatureRequest
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from domain.enums import CvDocumentKind, CvSectionName, ResourceBucket, Role, SessionStatus
from tests.support.factories import DAY, Factory
from tests.support.scenarios.base import Scenario

HOUR = dt.timedelta(hours=1)


@dataclass
class FullPortfolio(Scenario):
    """The scenario, with its records as they were stored."""

    now: dt.datetime = field(init=False)
    today: dt.date = field(init=False)
    provider: Provider = field(init=False)
    site: Employer = field(init=False)
    ann: User = field(init=False)
    bob: User = field(init=False)
    manager: User = field(init=False)
    ada: Learner = field(init=False)
    mechanic: Qualification = field(init=False)
    criteria: list[QualificationCriterion] = field(init=False)
    main: Aim = field(init=False)
    side: Aim = field(init=False)
    photo: Evidence = field(init=False)
    essay: Evidence = field(init=False)
    older: File = field(init=False)
    past: Session = field(init=False)
    missed: Session = field(init=False)
    side_visit: Session = field(init=False)
    visit: Session = field(init=False)
    plan: File = field(init=False)
    late: Action = field(init=False)
    side_action: Action = field(init=False)
    book: File = field(init=False)
    entries: list[TimeLogEntry] = field(init=False)
    waiting: SignatureRequest = field(init=False)
    resource: Resource = field(init=False)


async def build_full_portfolio(database: Database) -> FullPortfolio:
    """Fills a database that has every table and no row."""
    scenario = FullPortfolio()
    async with database.writing() as session:
        factory = Factory(session)
        scenario.now, scenario.today = factory.now, factory.today
        await _users_and_aims(factory, scenario)
        await _evidence(factory, scenario)
        await _learning_plan(factory, scenario)
        await _documents(factory, scenario)
    return scenario


async def _users_and_aims(factory: Factory, scenario: FullPortfolio) -> None:
    provider, elsewhere = await factory.provider(), await factory.provider("Elsewhere")
    site, other_site = await factory.employer(provider, "Site"), await factory.employer(provider, "Other site")

    async def staff(who: str, role: Role, name: str, at: Provider = provider) -> User:
        user = await factory.user(at, name, role)
        scenario.people[who] = (user, role, None)
        return user

    ann = await staff("assessor", Role.ASSESSOR, "Ann")
    bob = await staff("other_assessor", Role.ASSESSOR, "Bob")
    ian = await staff("iqa", Role.IQA, "Ian")
    manager = await staff("manager", Role.EMPLOYER_MANAGER, "Mo")
    await staff("colleague", Role.EMPLOYER_MANAGER, "Nat")
    await factory.oversee(await staff("overview", Role.EMPLOYER_OVERVIEW, "Olu"), site)
    await factory.oversee(await staff("other_overview", Role.EMPLOYER_OVERVIEW, "Oz"), other_site)
    await staff("basic", Role.BASIC_ADMIN, "Bea")
    await staff("master", Role.MASTER_ADMIN, "May")
    await staff("foreign", Role.MASTER_ADMIN, "Fay", elsewhere)
    ada, cy = await factory.learner(provider, "Ada", site), await factory.learner(provider, "Cy", other_site)
    for who, learner in (("ada", ada), ("cy", cy)):
        scenario.people[who] = (await factory.session.get_one(User, learner.user_id), Role.LEARNER, learner)
    await factory.allocate(manager, ada)
    mechanic = await factory.qualification(provider, "Mechanic", (2, 1), reference="ST0001", version="1.1")
    english = await factory.qualification(provider, "English", (1,))
    scenario.main = await factory.aim(ada, mechanic, assessor=ann, iqa=ian, mapped=2, signed_off=1)
    scenario.side = await factory.aim(ada, english, assessor=bob)
    await factory.aim(cy, mechanic, assessor=ann)
    scenario.criteria = list(
        await factory.session.scalars(select(QualificationCriterion).order_by(QualificationCriterion.id))
    )
    scenario.provider, scenario.site, scenario.mechanic = provider, site, mechanic
    scenario.ada, scenario.ann, scenario.bob, scenario.manager = ada, ann, bob, manager


async def _evidence(factory: Factory, scenario: FullPortfolio) -> None:
    """Returned evidence in `main`, resubmitted once, mapped to a unit's two criteria; unmapped evidence in `side`."""
    user, ann, main = scenario.user("ada"), scenario.ann, scenario.main
    photo = scenario.photo = await factory.evidence(
        main, user, title="Photo", submitted_at=factory.now - 2 * DAY, assessment_methods=["PRODUCT"], feedback="Good"
    )
    scenario.essay = await factory.evidence(scenario.side, user, title="Essay", submitted_at=factory.now - DAY)
    scenario.older = await factory.file(user, scenario.ada, main, name="older.txt")
    await factory.evidence_version(photo, 1, scenario.older)
    await factory.evidence_version(photo, 2, comment="Sharper")
    await factory.evidence_signature(photo, user, Role.LEARNER)
    met, not_met = scenario.criteria[:2]
    await factory.evidence_mapping(photo, met, ann, signed_off=True)
    await factory.evidence_mapping(photo, not_met, ann)
    await factory.criterion_progress(main, met, ann)
    await factory.criterion_progress(main, not_met)


async def _learning_plan(factory: Factory, scenario: FullPortfolio) -> None:
    """A past session about `main` with actions of both aims; one that was not completed; two to come; and time."""
    ada, ann, bob, main, side = scenario.ada, scenario.ann, scenario.bob, scenario.main, scenario.side
    soon, unit_id = factory.now + DAY, scenario.criteria[0].unit_id
    past = scenario.past = await factory.session_of(
        ada, ann, factory.now - 9 * DAY, main, status=SessionStatus.ATTENDED, feedback="Well done"
    )
    scenario.missed = await factory.session_of(ada, ann, factory.now - DAY)
    scenario.side_visit = await factory.session_of(ada, bob, soon, side)
    scenario.visit = await factory.session_of(ada, ann, soon + HOUR, main)
    scenario.plan = await factory.file(ann, ada, name="plan.pdf")
    await factory.session_file(past, scenario.plan)
    scenario.late = await factory.action(
        ada, ann, main, session_id=past.id, title="Late", target_date=factory.today - DAY
    )
    scenario.side_action = await factory.action(ada, bob, side, session_id=past.id, title="Side")
    scenario.book = await factory.file(ann, ada, main, name="book.pdf")
    await factory.action_file(scenario.late, scenario.book)
    scenario.entries = [
        await factory.time_log_entry(ada, ann, 60, main, date=factory.today - DAY, unit_id=unit_id),
        await factory.time_log_entry(ada, ann, 30, comments="=1+1"),
        await factory.time_log_entry(ada, bob, 15, side, assessor_id=bob.id),
    ]


async def _documents(factory: Factory, scenario: FullPortfolio) -> None:
    """A document that waits for assessor and learner, and a complete one; resources, a CV, a photo."""
    ada, ann, main = scenario.ada, scenario.ann, scenario.main
    scenario.waiting = await factory.signature_request(
        ada, ann, (Role.ASSESSOR, Role.LEARNER), {Role.EMPLOYER_MANAGER: scenario.manager}, title="Review"
    )
    await factory.signature_request(ada, ann, (), {Role.ASSESSOR: ann}, title="Plan", status="COMPLETE")

    async def file(name: str, *attached_to: Any, **columns: Any) -> File:
        return await factory.file(ann, ada, *attached_to, name=name, **columns)

    for title, bucket in (("manual", ResourceBucket.RESOURCES), ("slides", ResourceBucket.FILES_FROM_COURSE)):
        scenario.resource = await factory.resource(main, ann, await file(f"{title}.pdf", main), bucket, title=title)
    await factory.cv_section(ada, CvSectionName.SKILLS, "Welding")
    await factory.cv_section(ada, CvSectionName.PERSONAL_PROFILE, "Curious")
    await factory.cv_document(ada, CvDocumentKind.JOB_DESCRIPTION, await file("job.pdf"))
    ada.photo_file_id = (await file("ada.png", content_type="image/png")).id
