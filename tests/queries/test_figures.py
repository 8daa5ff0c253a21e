"""Every figure that an analyst can get, worked out once more by plain SQL over the demo, as four people see it."""

import asyncio
import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest

from queries import Result, run
from tests.queries.cohort import VIEWERS, Aim, Cohort, london, percent, tenth
from tests.queries.conftest import Desk
from tests.support.http_server import PASSWORD


class Seen:
    """One person's runs of the operations, beside the cohort that they should see."""

    def __init__(self, export_service: Desk, cohort: Cohort, username: str) -> None:
        self._desk = export_service
        self._username = username
        self.cohort = cohort

    async def run(self, name: str) -> Result:
        address = self._desk.running.address
        found = await asyncio.to_thread(run, name, url=address, username=self._username, password=PASSWORD)
        assert found.rows and not found.notes
        return found


@pytest.fixture(params=VIEWERS, ids=[username for username, _ in VIEWERS])
async def seen(export_service: Desk, request: pytest.FixtureRequest) -> Seen:
    username, role = request.param
    return Seen(
        export_service, await Cohort.of(export_service.running.server.services.database, role, username), username
    )


def key(id: str) -> int:
    """The key in an id such as Learner_7."""
    return int(id.rpartition("_")[2])


def exact(row: dict[str, Any], *names: str) -> list[Decimal]:
    """Percentages as they were spelled."""
    return [Decimal(str(row[name])) for name in names]


def bars(aims: list[Aim]) -> list[Decimal]:
    """Criteria of all aims taken together: mapped and signed off, in percent."""
    total = sum(aim.total for aim in aims)
    return [percent(sum(aim.mapped for aim in aims), total), percent(sum(aim.signed_off for aim in aims), total)]


def off_the_job(aims: list[Aim], minutes: int) -> list[int]:
    return [sum(60 * aim.hours for aim in aims), sum(aim.expected_minutes for aim in aims), minutes]


async def test_the_comparison_of_sites(seen: Seen):
    cohort, result = seen.cohort, await seen.run("site_comparison")
    learners, aims, minutes = await cohort.learners(), await cohort.aims(), await cohort.minutes()
    late = Counter(learners[action.learner_id].employer_id for action in await cohort.overdue())
    waiting = Counter(learners[evidence.learner_id].employer_id for evidence in await cohort.waiting())
    assert {key(row["id"]) for row in result.rows} >= {learner.employer_id for learner in learners.values()}
    for row in result.rows:
        site = key(row["id"])
        theirs = [aim for aim in aims if aim.employer == site]
        lights = Counter(aim.light for aim in theirs)
        here = [learner.id for learner in learners.values() if learner.employer_id == site]
        assert [row[f"kpis.{name}"] for name in ("learnerCount", "aimCount", "offTrackCount", "onTrackCount")] == [
            len(here), len(theirs), lights["OFF_TRACK"], lights["ON_TRACK"]
        ]  # fmt: skip
        assert (row["kpis.aheadCount"], row["kpis.pastPlannedEndCount"]) == (
            lights["AHEAD"], sum(aim.late for aim in theirs)
        )  # fmt: skip
        assert (row["kpis.overdueActionCount"], row["kpis.awaitingAssessmentCount"]) == (late[site], waiting[site])
        counts = [row[f"kpis.progress.criteria{part}"] for part in ("Total", "Mapped", "SignedOff")]
        assert counts == [sum(getattr(aim, part) for aim in theirs) for part in ("total", "mapped", "signed_off")]
        names = ("kpis.progress.mappedPercent", "kpis.progress.signedOffPercent")
        assert exact(row, *names) == bars(theirs)
        mean = tenth(sum(aim.duration for aim in theirs) / len(theirs)) if theirs else 0
        assert exact(row, "kpis.progress.durationPercent") == [mean]
        times = [row[f"kpis.offTheJob.{part}Minutes"] for part in ("required", "expected", "actual")]
        assert times == off_the_job(theirs, sum(minutes[learner] for learner in here))


async def test_learners_off_track_and_why(seen: Seen):
    cohort, result = seen.cohort, await seen.run("learners_off_track")
    learners, aims = await cohort.learners(), {aim.id: aim for aim in await cohort.aims()}
    late = Counter(action.learner_id for action in await cohort.overdue())
    red = {aim.learner for aim in aims.values() if aim.light == "OFF_TRACK"}
    assert {key(row["id"]) for row in result.rows} == red
    shown = {key(row["aims.id"]) for row in result.rows if row["aims.status"] != "WITHDRAWN"}
    assert shown == {aim.id for aim in aims.values() if aim.learner in red}
    for row in result.rows:
        learner = learners[key(row["id"])]
        assert (row["name"], row["lastLoginAt"]) == (learner.name, learner.last_login_at)
        assert row["overdueActionCount"] == late[learner.id]
        if row["aims.status"] != "WITHDRAWN":
            aim = aims[key(row["aims.id"])]
            assert (row["aims.trafficLight"], row["aims.progress.pastPlannedEnd"]) == (aim.light, aim.late)
            assert row["aims.plannedEndDate"] == aim.end
            names = [f"aims.progress.{name}" for name in ("pointsAhead", "durationPercent")]
            assert exact(row, *names) == [aim.ahead, aim.duration]
            names = [f"aims.progress.{name}" for name in ("mappedPercent", "signedOffPercent")]
            assert exact(row, *names) == bars([aim])


async def test_overdue_actions_by_assessor(seen: Seen):
    cohort, result = seen.cohort, await seen.run("overdue_actions")
    overdue = {action.id: action for action in await cohort.overdue()}
    assert {key(row["id"]) for row in result.rows} == set(overdue) and len(result) == len(overdue)
    for row in result.rows:
        action = overdue[key(row["id"])]
        assert row["assessor.name"] == action.assessor
        assert row["targetDate"] == action.target_date
        assert row["daysOverdue"] == (cohort.today - action.target_date).days
    assert [row["targetDate"] for row in result.rows] == sorted(row["targetDate"] for row in result.rows)


async def test_hours_off_the_job_against_what_is_required(seen: Seen):
    cohort, result = seen.cohort, await seen.run("off_the_job_hours")
    learners, minutes = await cohort.learners(), await cohort.minutes()
    aims: dict[int, list[Aim]] = defaultdict(list)
    for aim in await cohort.aims():
        aims[aim.learner].append(aim)
    assert {key(row["id"]) for row in result.rows} == set(learners) and len(result) == len(learners)
    for row in result.rows:
        learner = key(row["id"])
        times = [row[f"offTheJob.{part}Minutes"] for part in ("required", "expected", "actual")]
        assert times == off_the_job(aims[learner], minutes[learner])
        assert exact(row, "offTheJob.actualPercent") == [percent(minutes[learner], times[0])]
        if theirs := aims[learner]:
            begins, ends = min(aim.start for aim in theirs), max(aim.end for aim in theirs)
            gone = percent((cohort.today - begins).days + 1, (ends - begins).days + 1)
            assert exact(row, "progress.durationPercent") == [gone]
            assert row["daysRemaining"] == max((ends - cohort.today).days, 0)


async def test_how_long_evidence_waits(seen: Seen):
    cohort, result = seen.cohort, await seen.run("evidence_ageing")
    waiting = {evidence.id: evidence for evidence in await cohort.waiting()}
    assert {key(row["id"]) for row in result.rows} == set(waiting) and len(result) == len(waiting)
    for row in result.rows:
        evidence = waiting[key(row["id"])]
        assert row["daysWaiting"] == (cohort.today - london(evidence.last)).days
        assert key(row["learner.id"]) == evidence.learner_id
    assert any(row["status"] == "RESUBMITTED" for row in result.rows)


async def test_the_sign_off_funnel(seen: Seen):
    cohort, result = seen.cohort, await seen.run("sign_off_funnel")
    aims, units = {aim.id: aim for aim in await cohort.aims()}, await cohort.units()
    everyone = Counter(aim.qualification for aim in aims.values())
    steps: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for aim, number, mapped, signed_off, roles in await cohort.reached():
        if aim in aims:
            place = aims[aim].qualification, number
            complete = signed_off == units[place]
            steps[place]["started"] += mapped > 0
            steps[place]["mapped"] += mapped == units[place]
            steps[place]["complete"] += complete
            steps[place]["signedOff"] += complete and roles >= set(cohort.signers)
    assert {(key(row["id"]), row["unitFunnel.number"]) for row in result.rows} == set(units)
    for row in result.rows:
        place = key(row["id"]), row["unitFunnel.number"]
        assert (row["unitFunnel.criterionCount"], row["unitFunnel.aimCount"]) == (units[place], everyone[place[0]])
        for step in ("started", "mapped", "complete", "signedOff"):
            assert row[f"unitFunnel.{step}Count"] == steps[place][step], (place, step)
    assert sum(row["unitFunnel.signedOffCount"] for row in result.rows)


async def test_when_reviews_are_due(seen: Seen):
    cohort, result = seen.cohort, await seen.run("reviews_due")
    learners, last = await cohort.learners(), await cohort.reviews()
    since: dict[int, dt.date] = {}
    for aim in await cohort.aims():
        if aim.status == "IN_TRAINING":
            since[aim.learner] = min(aim.start, since.get(aim.learner, aim.start))
    interval = dt.timedelta(weeks=cohort.weeks)
    assert {key(row["id"]) for row in result.rows} == set(learners)
    for row in result.rows:
        learner = key(row["id"])
        assert row["lastReviewAt"] == last.get(learner)
        begins = london(last[learner]) if learner in last else since.get(learner)
        assert row["reviewDueOn"] == (begins + interval if learner in since else None)
    assert any(row["lastReviewAt"] for row in result.rows)
