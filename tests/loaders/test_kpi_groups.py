"""KPIs by group: each employer's numbers as counted by employer, and groups of aims that add up to the whole."""

from collections import Counter

import pytest

from db.database import Database, statement_count
from db.models.learner import Learner
from domain import clock
from domain.enums import AimStatus, KpiGroupBy, Role
from domain.progress import ENDED
from loaders.aggregates import Metric
from loaders.core.registry import Loaders
from loaders.kpi_groups import kpi_groups
from loaders.kpi_past import kpi_groups_on
from loaders.kpis import ALL_METRICS, KpisLoader
from loaders.off_the_job_detail import LearningLoader
from tests.loaders import test_kpis
from tests.loaders.kpi_world import NOW
from tests.loaders.test_kpis import Everything, as_shown, counted_again, somebody
from tests.support.factories import DAY, Factory
from tests.support.viewers import reading, viewer

everything = test_kpis.everything

# Each aim, and each record of an aim, is in one group.
OF_AIMS = (
    "aims", "off_track", "ahead", "not_rated", "past_planned_end", "criteria_total", "criteria_mapped",
    "criteria_signed_off", "duration_tenths", "days_on_break", "required", "expected", "awaiting_assessment",
)  # fmt: skip


async def groups_of(everything: Everything, who, by: KpiGroupBy, **filter):
    return await kpi_groups(reading(everything.database, who, NOW), by, ALL_METRICS, filter)


@pytest.mark.parametrize(
    "role",
    [
        Role.LEARNER, Role.ASSESSOR,
        *(
            pytest.param(role, marks=pytest.mark.long)
            for role in (
                Role.IQA, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW, Role.BASIC_ADMIN, Role.MASTER_ADMIN,
            )
        ),
    ],
)  # fmt: skip
async def test_groups_by_employer_are_the_employers_numbers(everything: Everything, role: Role):
    who = somebody(everything, role)
    statement_count.set(count := [0])
    groups = await groups_of(everything, who, KpiGroupBy.EMPLOYER)
    assert count == [1]
    found = {group.group_key: as_shown(group.kpis) for group in groups}
    employers = [employer.id for employer in everything.rows["Employer"]]
    expected = {key: counted_again(everything, who, key) for key in employers}
    nothing = counted_again(everything, who, -1)
    assert {key: found[key] for key in found if key} == {k: each for k, each in expected.items() if each != nothing}


@pytest.mark.parametrize("by", KpiGroupBy)
@pytest.mark.parametrize("role", Role)
async def test_groups_add_up_to_the_whole(everything: Everything, role: Role, by: KpiGroupBy):
    who = somebody(everything, role)
    whole = (await Loaders(reading(everything.database, who, NOW))[KpisLoader].load(ALL_METRICS)).values
    groups = await groups_of(everything, who, by)
    added: Counter[str] = Counter()
    for group in groups:
        added.update(group.kpis.values)
    names = whole if by is KpiGroupBy.EMPLOYER else OF_AIMS
    assert {name: added[name] for name in names} == {name: whole[name] for name in names}
    assert all(added[name] >= whole[name] for name in whole)


async def test_a_group_counts_its_learners_and_what_they_did(everything: Everything):
    who = somebody(everything, Role.MASTER_ADMIN)
    ours = {learner.id for learner in everything.rows["Learner"] if learner.provider_id == who.provider_key}
    aims = [aim for aim in everything.rows["Aim"] if aim.learner_id in ours]
    for group in await groups_of(everything, who, KpiGroupBy.QUALIFICATION):
        theirs = [aim for aim in aims if aim.qualification_id == group.group_key]
        open_ = {aim.learner_id for aim in theirs if aim.status not in ENDED}
        completed = {aim.learner_id for aim in theirs if aim.status is AimStatus.COMPLETED}
        assert group.kpis.learner_count == len(open_)
        assert group.kpis.ended_learner_count == len(completed - open_)
        learners = {aim.learner_id for aim in theirs}
        keys = {aim.id for aim in theirs}
        logged = sum(
            entry.minutes
            for entry in everything.rows["TimeLogEntry"]
            if entry.job_setting.name == "OFF_THE_JOB"
            and (entry.aim_id in keys or (entry.aim_id is None and entry.learner_id in learners))
        )
        assert group.kpis.off_the_job.logged_minutes == logged > 0


@pytest.mark.parametrize("role", (Role.MASTER_ADMIN, Role.IQA))
async def test_a_filter_takes_a_group_out_of_the_whole(everything: Everything, role: Role):
    who = somebody(everything, role)
    for group in await groups_of(everything, who, KpiGroupBy.ASSESSOR):
        if not group.group_key:
            continue
        (only,) = await groups_of(everything, who, KpiGroupBy.ASSESSOR, assessor_id=f"User_{group.group_key}")
        assert only.kpis.values == group.kpis.values
    statuses = (AimStatus.SUSPENDED, AimStatus.IN_TRAINING)
    both = await groups_of(everything, who, KpiGroupBy.START_MONTH, statuses=statuses)
    ours = {learner.id for learner in everything.rows["Learner"] if learner.provider_id == who.provider_key}
    expected = Counter(
        100 * aim.start_date.year + aim.start_date.month
        for aim in everything.rows["Aim"]
        if aim.learner_id in ours and aim.status in statuses and (role is not Role.IQA or aim.iqa_id == who.user_key)
    )
    assert {group.group_key: group.kpis.aim_count for group in both} == dict(expected)
    assert await groups_of(everything, who, KpiGroupBy.EMPLOYER, employer_id="Employer_999999") == []


async def test_exclusions_are_those_of_the_group(everything: Everything):
    who = somebody(everything, Role.MASTER_ADMIN)
    at = reading(everything.database, who, NOW)
    groups = await kpi_groups(at, KpiGroupBy.ASSESSOR, frozenset({Metric.REQUIRED_TIME, Metric.ACTUAL_TIME}), {})
    time = [group.kpis.off_the_job for group in groups]
    learned = await Loaders(at)[LearningLoader].load_many([row.owner for row in time])
    for row, learning in zip(time, learned, strict=True):
        assert row.logged_minutes - row.actual_minutes == sum(each.minutes for each in learning.excluded)


async def test_an_employer_that_is_no_longer_visible_is_no_group_of_the_past(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    yesterday = NOW - DAY
    monkeypatch.setattr(clock, "now", lambda: yesterday)
    async with database.writing() as session:
        factory = Factory(session, yesterday)
        provider = await factory.provider()
        left, joined = await factory.employer(provider, "Left"), await factory.employer(provider, "Joined")
        learner = await factory.learner(provider, "Ada", left)
        await factory.aim(learner, await factory.qualification(provider, "Standard", (1,)))
        manager = await factory.user(provider, "Mo", Role.EMPLOYER_MANAGER)
        admin = await factory.user(provider, "May", Role.MASTER_ADMIN)
        await factory.allocate(manager, learner)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    async with database.writing() as session:
        (await session.get_one(Learner, learner.id)).employer_id = joined.id
    for who, role, key in ((manager, Role.EMPLOYER_MANAGER, 0), (admin, Role.MASTER_ADMIN, left.id)):
        of_role = reading(database, viewer(who, role), NOW)
        (then,) = await kpi_groups_on(of_role, KpiGroupBy.EMPLOYER, clock.day_of(yesterday), {})
        assert (then.group_key, then.kpis.values["aims"]) == (key, 1)
        (now,) = await kpi_groups(of_role, KpiGroupBy.EMPLOYER, ALL_METRICS, {})
        assert (now.group_key, now.kpis.values["aims"]) == (joined.id, 1)
