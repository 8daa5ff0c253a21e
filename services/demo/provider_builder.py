"""Builds one provider of the demo: its qualifications, and its learners with their portfolios."""

import datetime as dt
import random
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.off_the_job_policy import OffTheJobPolicy
from db.models.provider import Provider
from db.models.qualification import Qualification
from domain import clock
from domain.clock import london_time
from domain.enums import ActionStatus, Role
from services.demo import texts
from services.demo.accounts import ACCOUNTS, DemoAccount
from services.demo.aims import add_aim
from services.demo.audit_trail import HistoryEntry
from services.demo.bulk_rows import Rows
from services.demo.documents import add_cv, add_photo, add_resources, add_session_documents, add_signature_request
from services.demo.learning_plan import add_action, add_sessions, add_time_log
from services.demo.people import People
from services.demo.portfolio import AimPlan, Portfolio
from services.demo.reviews import add_reviews
from services.demo.sample_files import pdf
from services.demo.samples import add_policy, add_samples
from services.demo.scenarios import Particular, Scenario, plan_aim, with_break
from services.demo.stored_qualification import StoredQualification, read_stored_qualification
from services.importer.draft import CriterionDraft, QualificationDraft
from services.importer.off_the_job_policy import HoursRule, store_hours
from services.importer.parser import read_qualification
from services.importer.store import store_qualification

QUALIFICATIONS = Path(__file__).parent / "qualifications"
_FILES = {"standard": "cycle*.json", "diploma": "diploma*.json", "functional": "functional*.json"}
# Planned days from start to end of an aim.
_DAYS = {"standard": 548, "diploma": 456, "functional": 274}


class Assessors(NamedTuple):
    """Who assesses an aim and who assures its quality, as user keys."""

    assessor: int
    iqa: int | None


@dataclass(slots=True)
class Staff:
    """The people around a learner as user keys, and the key of the employer or site."""

    employer: int
    assessors: Assessors
    mathematics: Assessors
    managers: list[int] = field(default_factory=list)
    overviews: list[int] = field(default_factory=list)


@dataclass(slots=True)
class ProviderBuilder:
    """Adds the learners of one provider."""

    rows: Rows
    rng: random.Random
    people: People
    qualifications: dict[str, StoredQualification]
    # The version before that of the standard.
    earlier_standard: StoredQualification
    history: list[HistoryEntry] = field(default_factory=list)
    signing_roles: frozenset[Role] = frozenset()
    portfolios: list[Portfolio] = field(default_factory=list)

    @classmethod
    async def create(cls, session: AsyncSession, rows: Rows, rng: random.Random, domain: str, **values: Any) -> Self:
        """Adds a provider with its qualifications. `domain` is that of e-mail addresses."""
        today = clock.today()
        created_at = london_time(today - dt.timedelta(days=900))
        provider = Provider(created_at=created_at, disclaimer=texts.DISCLAIMER, **values)
        session.add(provider)
        await session.flush()
        qualifications = {}
        for name, pattern in _FILES.items():
            (path,) = QUALIFICATIONS.glob(pattern)
            stored = await store_qualification(session, provider.id, read_qualification(path))
            qualifications[name] = await read_stored_qualification(session, stored.qualification_id)
        # The hours of the standard follow a rule, as an operator would import it.
        standard = await session.get_one(Qualification, qualifications["standard"].key)
        hours = standard.off_the_job_hours_minimum or 0
        rule = HoursRule(standard.reference, dt.date(2020, 8, 1), hours, min(187, hours), "Written for the demo.")
        await store_hours(session, provider.id, [rule])
        policy = await session.scalar(select(OffTheJobPolicy.id).where(OffTheJobPolicy.provider_id == provider.id))
        qualifications["standard"] = replace(qualifications["standard"], policy=policy)
        (path,) = QUALIFICATIONS.glob(_FILES["standard"])
        stored = await store_qualification(session, provider.id, _earlier_version(read_qualification(path)))
        earlier = await read_stored_qualification(session, stored.qualification_id)
        signing_roles = frozenset(map(Role, provider.unit_signatures))
        people = People(rows, provider.id, today, domain)
        add_policy(rows, provider.id, today)
        return cls(rows, rng, people, qualifications, earlier, signing_roles=signing_roles)

    def account(self, username: str, *, last_login: dt.datetime | None = None, first_time: bool = False) -> int:
        """Adds the user of one of ACCOUNTS and returns the key."""
        account = _account(username)
        return self.people.user(username, account.name, account.roles, last_login, first_time)

    def names(self, count: int) -> list[str]:
        """Random names, each of them once."""
        names: dict[str, None] = {}
        while len(names) < count:
            names[f"{self.rng.choice(texts.GIVEN_NAMES)} {self.rng.choice(texts.FAMILY_NAMES)}"] = None
        return list(names)

    def add_learner(
        self, staff: Staff, number: int, scenario: Scenario, *, name: str = "", username: str = "", prefix: str = "",
        particular: Particular | None = None,
    ) -> None:  # fmt: skip
        """Adds a learner by name, or by the username of one of ACCOUNTS. `prefix` goes before a generated username."""
        rng, today = self.rng, self.people.today
        programmes = (("standard", "functional"), ("standard", "diploma", "functional"), ("diploma", "functional"))
        aims = []
        for part in programmes[number % 3]:
            assessors = staff.mathematics if part == "functional" else staff.assessors
            aims.append(plan_aim(rng, today, self.qualifications[part], _DAYS[part], scenario, *assessors))
        self._make_particular(aims, particular)
        if username:
            name = _account(username).name
            user = self.account(username, first_time=True)
        else:
            last_login = None
            if scenario is not Scenario.AWAITING_INDUCTION:
                last_login = london_time(today - dt.timedelta(days=rng.randint(2, 20)), 20, 15)
            username = prefix + name.lower().replace(" ", ".")
            user = self.people.user(username, name, [Role.LEARNER], last_login)
        portfolio = self._portfolio(staff, number, user, name, aims)
        portfolio.reviewed = particular is not Particular.REVIEW_LATE
        for aim in aims:
            add_aim(portfolio, aim)
        in_training = scenario not in (Scenario.COMPLETED, Scenario.WITHDRAWN, Scenario.SUSPENDED)
        next_in_days = rng.randint(2, 20) if in_training and rng.random() < 0.85 else None
        if scenario is Scenario.AWAITING_INDUCTION:
            next_in_days = (portfolio.first_day - today).days
        documents = add_session_documents(portfolio, add_sessions(portfolio, next_in_days))
        add_time_log(portfolio)
        add_reviews(portfolio, documents)
        add_resources(portfolio)
        if number % 3 == 0:
            add_cv(portfolio, with_documents=number % 2 == 0)
        if number % 2 == 0:
            add_photo(portfolio, number)

    def add_main_learner(self, staff: Staff) -> None:
        """Adds `learner`, who has something to see and something to do for each person of ACCOUNTS."""
        rng, today = self.rng, self.people.today
        aims = [
            plan_aim(rng, today, self.qualifications[part], _DAYS[part], scenario, *staff.assessors, elapsed)
            for part, scenario, elapsed in (
                ("standard", Scenario.ON_TRACK, (0.44, 0.48)),
                ("diploma", Scenario.OFF_TRACK, (0.48, 0.52)),
                ("functional", Scenario.AHEAD, (0.55, 0.60)),
            )
        ]
        last_login = london_time(today - dt.timedelta(days=1), 19, 5)
        user = self.account("learner", last_login=last_login)
        portfolio = self._portfolio(staff, 0, user, _account("learner").name, aims)
        for aim in aims:
            add_aim(portfolio, aim)
        documents = add_session_documents(portfolio, add_sessions(portfolio, next_in_days=3))
        add_time_log(portfolio)
        add_resources(portfolio)
        add_cv(portfolio, with_documents=True)
        add_photo(portfolio, 7)
        _add_signature_requests(portfolio, staff, user)
        due = ((-6, ActionStatus.OUTSTANDING), (5, ActionStatus.IN_PROGRESS), (12, ActionStatus.OUTSTANDING))
        for (title, description, sample_key), (days, status) in zip(texts.ACTIONS[:3], due, strict=True):
            target, set_at = today + dt.timedelta(days=days), london_time(today - dt.timedelta(days=20), 15)
            add_action(portfolio, title, description, sample_key, target, status, set_at, None)
        add_reviews(portfolio, documents)
        add_samples(portfolio)

    def _make_particular(self, aims: list[AimPlan], particular: Particular | None) -> None:
        for aim in aims:
            match particular:
                case Particular.UNITS_TO_CHOOSE:
                    aim.optional_units = 0
                case Particular.BACK_FROM_BREAK:
                    with_break(aim, self.people.today)
                case Particular.CHANGED_VERSION if aim.qualification.key == self.qualifications["standard"].key:
                    aim.earlier = self.earlier_standard

    def _portfolio(self, staff: Staff, number: int, user: int, name: str, aims: list[AimPlan]) -> Portfolio:
        people = self.people
        since = london_time(min(min(aim.start for aim in aims), people.today) - dt.timedelta(days=4))
        learner = people.learner(user, staff.employer, number, since)
        for manager in staff.managers:
            people.allocate(manager, learner["id"], staff.assessors.assessor)
        portfolio = Portfolio(
            self.rows, self.rng, people.today, people.provider, learner, name, aims, staff.managers,
            staff.overviews, history=self.history, signing_roles=self.signing_roles,
        )  # fmt: skip
        self.portfolios.append(portfolio)
        return portfolio


def _earlier_version(draft: QualificationDraft) -> QualificationDraft:
    """The version 1.0 of the standard: its last unit had a criterion that the next version has not."""
    *units, last = draft.units
    dropped = CriterionDraft(f"{last.number}.99", "Keep a paper log of the work done.")
    return replace(draft, version="1.0", units=(*units, replace(last, criteria=(*last.criteria, dropped))))


def _add_signature_requests(portfolio: Portfolio, staff: Staff, user: int) -> None:
    """Adds documents for every role to sign: unsigned, partly signed, and cancelled."""
    assessor, iqa = staff.assessors
    assert iqa is not None
    signers = {
        Role.LEARNER: user, Role.EMPLOYER_MANAGER: staff.managers[0], Role.EMPLOYER_OVERVIEW: staff.overviews[0],
        Role.ASSESSOR: assessor, Role.IQA: iqa,
    }  # fmt: skip
    requested_at = london_time(portfolio.today - dt.timedelta(days=4), 11)
    earlier = requested_at - dt.timedelta(days=9)
    learning_plan, review = pdf("Individual learning plan"), pdf("12-week progress review")
    add_signature_request(portfolio, "Training plan: change of hours", pdf("Training plan"), requested_at, signers, 0)
    add_signature_request(portfolio, "Individual learning plan", learning_plan, requested_at, signers, 2)
    add_signature_request(portfolio, "Progress review, first draft", review, earlier, signers, 1, cancelled=True)


def _account(username: str) -> DemoAccount:
    return next(account for account in ACCOUNTS if account.username == username)
