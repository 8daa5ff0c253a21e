"""A learner with something of everything in two aims, everybody who may look, and what they are shown of it.

    shelf = await fill_shelf(database, folder)
    data = await shelf.ask("assessor", "query($id: ID!) { learner(id: $id) { name } }", id=shelf.id(shelf.ada))

Ada's `main` aim is Ann's and in Ian's sample; her `side` aim is Bob's. Cy learns with Ann too, at another site.
"""

import datetime as dt
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import strawberry
from sqlalchemy import select

from db.database import Database, statement_count
from db.models.action import Action, ActionFile
from db.models.base import Base
from db.models.criterion_progress import CriterionProgress
from db.models.cv import CvDocument, CvSection
from db.models.evidence import Evidence, EvidenceMapping, EvidenceSignature, EvidenceVersion
from db.models.file import File
from db.models.learner import Learner
from db.models.qualification import QualificationCriterion
from db.models.resource import Resource
from db.models.session import Session, SessionFile
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from domain import global_id as ids
from domain.enums import CvDocumentKind, CvSectionName, ResourceBucket, Role, SessionStatus
from resolvers.core.context import Context
from schema.root import make_schema
from tests.support.factories import SHA256
from tests.support.viewers import services, viewer
from tests.support.factories import DAY, Factory

HOUR = dt.timedelta(hours=1)


@cache
def schema() -> strawberry.Schema:
    return make_schema()


@dataclass
class Shelf:
    """The factory: entities by what the tests call them, and `people` who look at it."""

    database: Database
    folder: Path
    it: SimpleNamespace = field(default_factory=SimpleNamespace)
    people: dict[str, tuple[User, Role, Learner | None]] = field(default_factory=dict)
    statements: int = 0

    def context(self, who: str, **rules: Any) -> Context:
        user, role, learner = self.people[who]
        return Context(services(self.database, self.folder), viewer(user, role, learner, **rules))

    async def ask(self, who: str, query: str, context: Context | None = None, **variables: Any) -> dict[str, Any]:
        """The data of an operation without errors; `statements` then says how many it took."""
        count = [0]
        token = statement_count.set(count)
        try:
            answer = await schema().execute(
                query, variable_values=variables, context_value=context or self.context(who)
            )
        finally:
            statement_count.reset(token)
        self.statements = count[0]
        assert answer.errors is None, answer.errors
        return answer.data

    async def errors(self, who: str, query: str, **variables: Any) -> list[str]:
        """The messages of an operation that fails."""
        answer = await schema().execute(query, variable_values=variables, context_value=self.context(who))
        return [error.message for error in answer.errors or []]

    async def add(self, *entities: Base) -> None:
        async with self.database.writing() as session:
            session.add_all(entities)


def id_of(entity: Base) -> str:
    """The entity's id in the graph."""
    return ids.encode(type(entity).__name__, entity.id)


async def fill_shelf(database: Database, folder: Path) -> Shelf:
    """Fills an empty database."""
    shelf = Shelf(database, folder)
    async with database.writing() as session:
        factory = Factory(session)
        provider, elsewhere = await factory.provider(), await factory.provider("Elsewhere")
        site, other_site = await factory.employer(provider, "Site"), await factory.employer(provider, "Other site")

        async def person(who: str, role: Role, name: str, at: Any = provider) -> User:
            user = await factory.user(at, name, role)
            shelf.people[who] = (user, role, None)
            return user

        ann = await person("assessor", Role.ASSESSOR, "Ann")
        bob = await person("other_assessor", Role.ASSESSOR, "Bob")
        ian = await person("iqa", Role.IQA, "Ian")
        manager = await person("manager", Role.EMPLOYER_MANAGER, "Mo")
        await person("colleague", Role.EMPLOYER_MANAGER, "Nat")
        await factory.oversee(await person("overview", Role.EMPLOYER_OVERVIEW, "Olu"), site)
        await factory.oversee(await person("other_overview", Role.EMPLOYER_OVERVIEW, "Oz"), other_site)
        await person("basic", Role.BASIC_ADMIN, "Bea")
        await person("master", Role.MASTER_ADMIN, "May")
        await person("foreign", Role.MASTER_ADMIN, "Fay", elsewhere)
        ada, cy = await factory.learner(provider, "Ada", site), await factory.learner(provider, "Cy", other_site)
        for who, learner in (("ada", ada), ("cy", cy)):
            shelf.people[who] = (await session.get_one(User, learner.user_id), Role.LEARNER, learner)
        await factory.allocate(manager, ada)
        mechanic = await factory.qualification(provider, "Mechanic", (2, 1), reference="ST0001", version="1.1")
        english = await factory.qualification(provider, "English", (1,))
        main = await factory.aim(ada, mechanic, assessor=ann, iqa=ian, mapped=2, signed_off=1)
        side = await factory.aim(ada, english, assessor=bob)
        await factory.aim(cy, mechanic, assessor=ann)
        criteria = list(await session.scalars(select(QualificationCriterion).order_by(QualificationCriterion.id)))
        shelf.it = SimpleNamespace(
            factory=factory, provider=provider, ada=ada, ann=ann, bob=bob, manager=manager, main=main, side=side,
            criteria=criteria, site=site, mechanic=mechanic,
        )  # fmt: skip
        await _evidence(factory, shelf)
        await _plan(factory, shelf)
        await _papers(factory, shelf)
    return shelf


def _keys(it: SimpleNamespace) -> dict[str, int]:
    return {"provider_id": it.provider.id, "learner_id": it.ada.id}


async def _evidence(factory: Factory, shelf: Shelf) -> None:
    """Returned evidence in `main`, resubmitted once, mapped to a unit's two criteria; unmapped evidence in `side`."""
    it, user = shelf.it, shelf.people["ada"][0]
    photo: Evidence = await factory.evidence(
        it.main,
        user,
        title="Photo",
        submitted_at=factory.now - 2 * DAY,
        assessment_methods=["PRODUCT"],
        feedback="Good",
    )
    essay: Evidence = await factory.evidence(it.side, user, title="Essay", submitted_at=factory.now - DAY)
    older: File = await factory.file(user, it.ada, it.main, name="older.txt")
    keys = {**_keys(it), "evidence_id": photo.id}
    submitted = {"submitted_by_id": user.id, "submitted_at": factory.now}
    await factory.add(EvidenceVersion(**keys, **submitted, number=1, file_id=older.id))
    await factory.add(EvidenceVersion(**keys, **submitted, number=2, file_id=photo.file_id, comment="Sharper"))
    signed = {"signed_by_id": user.id, "signed_at": factory.now, "statement": "-", "file_sha256": SHA256}
    await factory.add(EvidenceSignature(**keys, **signed, version_number=1, role=Role.LEARNER))
    for criterion, met in ((it.criteria[0], True), (it.criteria[1], False)):
        place = {"aim_id": it.main.id, "unit_id": criterion.unit_id, "criterion_id": criterion.id}
        await factory.add(
            EvidenceMapping(**keys, **place, signed_off=met, mapped_by_id=it.ann.id, mapped_at=factory.now)
        )
        by = {"signed_off_by_id": it.ann.id, "signed_off_at": factory.now} if met else {}
        await factory.add(CriterionProgress(**_keys(it), **place, evidence_count=1, signed_off=met, **by))
    it.photo, it.essay, it.older = photo, essay, older


async def _plan(factory: Factory, shelf: Shelf) -> None:
    """A past session about `main` with actions of both aims; one that nobody completed; two to come; and time."""
    it, soon = shelf.it, factory.now + DAY
    past: Session = await factory.session_of(
        it.ada, it.ann, factory.now - 9 * DAY, it.main, status=SessionStatus.ATTENDED, feedback="Well done"
    )
    missed: Session = await factory.session_of(it.ada, it.ann, factory.now - DAY)
    side_visit: Session = await factory.session_of(it.ada, it.bob, soon, it.side)
    visit: Session = await factory.session_of(it.ada, it.ann, soon + HOUR, it.main)
    plan: File = await factory.file(it.ann, it.ada, name="plan.pdf")
    await factory.add(SessionFile(**_keys(it), session_id=past.id, file_id=plan.id))
    late: Action = await factory.action(
        it.ada, it.ann, it.main, session_id=past.id, title="Late", target_date=factory.today - DAY
    )
    side_action: Action = await factory.action(it.ada, it.bob, it.side, session_id=past.id, title="Side")
    book: File = await factory.file(it.ann, it.ada, it.main, name="book.pdf")
    await factory.add(ActionFile(**_keys(it), action_id=late.id, file_id=book.id))
    entries: list[TimeLogEntry] = [
        await factory.time_log_entry(
            it.ada, it.ann, 60, it.main, date=factory.today - DAY, unit_id=it.criteria[0].unit_id
        ),
        await factory.time_log_entry(it.ada, it.ann, 30, date=factory.today, comments="=1+1"),
        await factory.time_log_entry(it.ada, it.bob, 15, it.side, date=factory.today, assessor_id=it.bob.id),
    ]
    it.past, it.missed, it.side_visit, it.visit, it.plan = past, missed, side_visit, visit, plan
    it.late, it.side_action, it.book, it.entries = late, side_action, book, entries


async def _papers(factory: Factory, shelf: Shelf) -> None:
    """A document that waits for assessor and learner, one that is signed; material, a CV, a photo."""
    it = shelf.it
    it.waiting = await factory.signature_request(
        it.ada, it.ann, (Role.ASSESSOR, Role.LEARNER), {Role.EMPLOYER_MANAGER: it.manager}, title="Review"
    )
    it.signed = await factory.signature_request(
        it.ada, it.ann, (), {Role.ASSESSOR: it.ann}, title="Plan", status="COMPLETE"
    )
    added = {"added_by_id": it.ann.id, "added_at": factory.now}
    for name, bucket in (("manual", ResourceBucket.RESOURCES), ("slides", ResourceBucket.FILES_FROM_COURSE)):
        file = await factory.file(it.ann, it.ada, it.main, name=f"{name}.pdf")
        it.resource = await factory.add(
            Resource(**_keys(it), **added, aim_id=it.main.id, bucket=bucket, title=name, file_id=file.id)
        )
    for section, text in ((CvSectionName.SKILLS, "Welding"), (CvSectionName.PERSONAL_PROFILE, "Curious")):
        await factory.add(CvSection(**_keys(it), name=section, text=text, updated_at=factory.now))
    job: File = await factory.file(it.ann, it.ada, name="job.pdf")
    await factory.add(
        CvDocument(**_keys(it), kind=CvDocumentKind.JOB_DESCRIPTION, file_id=job.id, added_at=factory.now)
    )
    it.ada.photo_file_id = (await factory.file(it.ann, it.ada, name="ada.png", content_type="image/png")).id


def named(rows: list[dict[str, Any]], key: str = "title") -> list[Any]:
    """One value of each."""
    return [row[key] for row in rows]
