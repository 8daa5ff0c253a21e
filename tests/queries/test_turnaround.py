"""How long things take, counted again in every role from what the viewer can list and from the trail of the demo."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import select

from db.models.audit_event import AuditEvent
from domain import clock
from domain.global_id import encode
from tests.queries.conftest import USERNAMES, OperationRunner
from tests.support.client import HttpClient

EVIDENCE = """query($after: String) { evidenceLibrary(first: 100, after: $after) { pageInfo { hasNextPage endCursor }
  nodes { id status aim { id status assessor { id } } learner { employer { id } } versions { submittedAt } } } }"""
DOCUMENTS = """query($after: String) { signatureRequests(first: 100, after: $after) { pageInfo { hasNextPage endCursor }
  nodes { status requestedAt slots { signedAt withdrawnAt }
    learner { employer { id } aims { assessor { id } } } } } }"""
TURNAROUND = """query($by: KpiGroupBy!, $from: Date!, $to: Date!, $filter: KpiFilter) {
  viewer { turnaround(by: $by, from: $from, to: $to, filter: $filter) {
    key label subject { id } decidedCount returnedCount returnedPercent meanDaysToAssess waitingCount signedCount
    meanDaysToSign unsignedCount } } }"""
FIRST, LAST = clock.today() - dt.timedelta(days=120), clock.today() - dt.timedelta(days=3)


async def every(client: HttpClient, text: str) -> list[dict[str, Any]]:
    """Returns the entries of all pages of a list."""
    found, after = [], None
    while True:
        (page,) = (await client.data(text, after=after)).values()
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def days(first: str, last: str) -> float:
    return (dt.datetime.fromisoformat(last) - dt.datetime.fromisoformat(first)) / dt.timedelta(days=1)


def mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def counted_again(
    by: str,
    evidence: list[dict[str, Any]],
    documents: list[dict[str, Any]],
    decisions: dict[str, list[tuple[str, str]]],
) -> dict[str, dict[str, Any]]:
    """Returns the figures of each group from the records that the viewer lists."""
    groups: dict[str, dict[str, Any]] = defaultdict(
        lambda: {"decided": 0, "returned": 0, "waiting": 0, "unsigned": 0, "assess": [], "sign": []}
    )

    def of(subject: dict[str, Any] | None) -> dict[str, Any]:
        return groups[subject["id"] if subject else "NONE"]

    since, before = clock.start_of(FIRST).isoformat(), clock.end_of(LAST).isoformat()
    for each in evidence:
        group = each["aim"]["assessor"] if by == "ASSESSOR" else each["learner"]["employer"]
        if each["status"] in ("SUBMITTED", "RESUBMITTED") and each["aim"]["status"] != "WITHDRAWN":
            of(group)["waiting"] += 1
        by_submission: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for at, action in decisions.get(each["id"], []):
            if since <= at < before:
                by_submission[max(v["submittedAt"] for v in each["versions"] if v["submittedAt"] <= at)].append(
                    (at, action)
                )
        for submitted, made in by_submission.items():
            of(group)["decided"] += 1
            of(group)["returned"] += any(action == "evidenceReturn" for _, action in made)
            of(group)["assess"].append(days(submitted, min(at for at, _ in made)))
    for each in documents:
        learner = each["learner"]
        subjects: Iterable[Any] = [learner["employer"]]
        if by == "ASSESSOR":
            subjects = {json_id(aim["assessor"]): aim["assessor"] for aim in learner["aims"]}.values()
        for subject in subjects:
            for slot in each["slots"]:
                if slot["withdrawnAt"] is None and slot["signedAt"] is None:
                    of(subject)["unsigned"] += each["status"] == "PENDING"
                elif slot["withdrawnAt"] is None and since <= slot["signedAt"] < before:
                    of(subject)["sign"].append(days(each["requestedAt"], slot["signedAt"]))
    return {key: group for key, group in groups.items() if any(group.values())}


def json_id(subject: dict[str, Any] | None) -> str:
    return subject["id"] if subject else "NONE"


@pytest.mark.parametrize(
    "role",
    [
        pytest.param(role, marks=() if role in ("LEARNER", "ASSESSOR", "MASTER_ADMIN") else pytest.mark.long)
        for role in USERNAMES
    ],
)
async def test_turnaround_is_what_the_records_say(runner: OperationRunner, role: str):
    async with runner.running.server.services.database.reading() as session:
        rows = await session.execute(
            select(AuditEvent.subject_key, AuditEvent.at, AuditEvent.action).where(
                AuditEvent.action.in_(("evidenceAssess", "evidenceReturn"))
            )
        )
        decisions = defaultdict(list)
        for key, at, action in rows:
            decisions[encode("Evidence", key)].append((at.isoformat(), action))
    assert decisions
    async with runner.running.signed_in(USERNAMES[role]) as client:
        evidence, documents = await every(client, EVIDENCE), await every(client, DOCUMENTS)
        period = {"from": FIRST.isoformat(), "to": LAST.isoformat()}
        for by in ("ASSESSOR", "EMPLOYER"):
            found = (await client.data(TURNAROUND, by=by, **period))["viewer"]["turnaround"]
            expected = counted_again(by, evidence, documents, decisions)
            assert {group["key"] for group in found} == set(expected)
            for group in found:
                again = expected[group["key"]]
                assert [group[f"{name}Count"] for name in ("decided", "returned", "waiting", "unsigned")] == [
                    again[name] for name in ("decided", "returned", "waiting", "unsigned")
                ]
                assert group["signedCount"] == len(again["sign"])
                for name, values in (("meanDaysToAssess", again["assess"]), ("meanDaysToSign", again["sign"])):
                    assert group[name] == (pytest.approx(mean(values), abs=0.051) if values else None)
        assert role == "LEARNER" or any(group["decidedCount"] for group in found)


async def test_one_assessor_at_each_site_is_a_part_of_the_whole(runner: OperationRunner):
    async with runner.running.signed_in("master.admin") as client:
        period = {"from": FIRST.isoformat(), "to": LAST.isoformat()}
        assessors = (await client.data(TURNAROUND, by="ASSESSOR", **period))["viewer"]["turnaround"]
        for assessor in assessors:
            if assessor["subject"]:
                filter = {"assessorId": assessor["key"]}
                sites = (await client.data(TURNAROUND, by="EMPLOYER", filter=filter, **period))["viewer"]["turnaround"]
                for name in ("decidedCount", "returnedCount", "waitingCount"):
                    assert sum(site[name] for site in sites) == assessor[name]
        refused = await client.response(TURNAROUND, by="ASSESSOR", **{"from": period["to"], "to": period["from"]})
        assert refused["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
