"""Every saved operation, run in every role that may use it: cost, number of SQL statements, result."""

import asyncio
import datetime as dt
import hashlib
import json
from typing import Any

import httpx2
import pyotp
import pytest
from graphql import OperationDefinitionNode, validate
from structlog.testing import capture_logs

from domain import clock
from queries.client import Client
from queries.operations import get_operation, saved_operations
from queries.pagination import paginated_connections
from queries.schema import load_schema
from tests.queries.conftest import USERNAMES, OperationRunner
from tests.queries.expected import EXPECTED, LIVE, MUTATIONS, READS
from tests.support.http_server import PASSWORD


def test_every_saved_operation_has_an_expected_cost():
    assert set(EXPECTED) == set(saved_operations())


@pytest.mark.parametrize("name", EXPECTED)
def test_saved_operation_is_valid_and_states_its_cost(name: str):
    saved = get_operation(name)
    assert validate(load_schema(), saved.document) == []
    names = [node.name.value for node in saved.document.definitions if isinstance(node, OperationDefinitionNode)]
    assert names == ["".join(part.title() for part in name.split("_"))]
    expected = EXPECTED[name]
    assert f"Costs {expected.cost:,} points and {expected.statements} SQL statement" in " ".join(
        saved.description.split()
    )
    assert len(saved.description.splitlines()) >= 3


@pytest.mark.parametrize("name", READS)
def test_query_can_be_paginated_and_run_from_python(name: str):
    saved = get_operation(name)
    paginated_connections(saved)
    # A variable must not have the name of a parameter of `queries.run`.
    variables = {node.variable.name.value for node in saved.definition.variable_definitions or ()}
    assert not variables & {"name", "url", "username", "password", "token", "role"}
    assert len({column.name for column in saved.shape.columns}) == len(saved.shape.columns)


async def ids_of(runner: OperationRunner) -> dict[str, Any]:
    """Returns variables for every query: of the demo learner whom all roles see, and their unit with most evidence."""
    if not runner.known:
        runner.known = await _found(runner)
    return runner.known


async def _found(runner: OperationRunner) -> dict[str, Any]:
    learner = (await runner.run("LEARNER", "learner_home", {})).data["viewer"]["learner"]
    mapped = (await runner.run("LEARNER", "progress_map", {"learnerId": learner["id"]})).data["learner"]
    units = [unit for aim in mapped["aims"] for unit in aim["units"]]
    unit = max(units, key=lambda unit: sum(criterion["evidenceCount"] for criterion in unit["criteria"]))
    waiting = (await runner.run("LEARNER", "awaiting_signature", {"first": 50})).data["viewer"]["signatureRequests"]
    document = max(waiting["nodes"], key=lambda request: len(request["slots"]))
    portfolio = (await runner.run("LEARNER", "employer_portfolio", {"learnerId": learner["id"]})).data["learner"]
    return {
        "learnerId": learner["id"], "ids": [learner["id"]], "aimId": learner["aims"][0]["id"],
        "unitId": unit["id"],
        "id": document["id"],
        "evidenceId": portfolio["evidence"]["nodes"][0]["id"],
        "reviewId": portfolio["reviews"]["nodes"][-1]["id"],
        "sha256": document["document"]["sha256"],
        "startsFrom": clock.now().isoformat(),
        **dict.fromkeys(("since", "endedFrom"), (clock.today() - dt.timedelta(days=365)).isoformat()),
        **dict.fromkeys(("until", "endedTo"), clock.today().isoformat()),
    }  # fmt: skip


@pytest.mark.parametrize("name", READS)
async def test_query_in_every_role(runner: OperationRunner, name: str):
    known, expected = await ids_of(runner), READS[name]
    variables = {node.variable.name.value for node in get_operation(name).definition.variable_definitions or ()}
    results = {
        role: await runner.run(role, name, {key: value for key, value in known.items() if key in variables})
        for role in expected.roles
    }
    assert {result.cost for result in results.values()} == {expected.cost}
    most = max(result.statements for result in results.values())
    assert expected.statements <= most <= expected.statements + expected.split, {
        role: result.statements for role, result in results.items()
    }
    for role, result in results.items():
        assert None not in result.data.values(), role


async def run_mutation(
    runner: OperationRunner, role: str | None, name: str, variables: dict[str, Any]
) -> tuple[dict[str, Any], int, int]:
    """Runs a mutation, without a token if there is no role; returns payload, points and number of statements."""
    client = await runner.client(role) if role else Client(runner.running.address)
    with capture_logs() as logs:
        answer = await asyncio.to_thread(client.execute, get_operation(name), variables)
    (line,) = [line for line in logs if line["event"] == "operation"]
    assert (line["operation"], line["code"], line["cost"]) == (name, None, answer.cost)
    (payload,) = answer.data.values()
    return payload, line["cost"], line["statements"]


def check(name: str, backend: str, found: dict[str, tuple[dict[str, Any], int, int]]) -> None:
    """Checks that the expected roles succeed at the expected cost, and that all others get NOT_ALLOWED."""
    expected = MUTATIONS[name]
    for role, (payload, _, _) in found.items():
        codes = [error["code"] for error in payload["errors"]]
        assert codes == ([] if role in expected.roles else ["NOT_ALLOWED"]), (role, payload)
    assert {cost for _, cost, _ in found.values()} == {expected.cost}
    most = max(statements for role, (_, _, statements) in found.items() if role in expected.roles)
    limit = expected.statements if backend == "sqlite" or expected.on_postgresql is None else expected.on_postgresql
    assert most == limit, {role: statements for role, (_, _, statements) in found.items()}


async def test_sign_in_and_sign_out_in_every_role(own_runner: OperationRunner, backend: str):
    signed_in, refreshed, signed_out = {}, {}, {}
    for role, username in USERNAMES.items():
        account = {"username": username, "password": PASSWORD, "role": role}
        signed_in[role] = await run_mutation(own_runner, None, "sign_in", account)
        assert signed_in[role][0]["viewer"]["role"] == role
        token = signed_in[role][0]["refreshToken"]
        refreshed[role] = await run_mutation(own_runner, None, "token_refresh", {"refreshToken": token})
        assert refreshed[role][0]["viewer"]["role"] == role
        token = refreshed[role][0]["refreshToken"]
        signed_out[role] = await run_mutation(own_runner, None, "log_out", {"refreshToken": token})
        payload, _, _ = await run_mutation(own_runner, None, "token_refresh", {"refreshToken": token})
        assert [error["code"] for error in payload["errors"]] == ["INVALID"]
    check("sign_in", backend, signed_in)
    check("token_refresh", backend, refreshed)
    check("log_out", backend, signed_out)


async def test_time_log_evidence_and_signatures_in_every_role(own_runner: OperationRunner, backend: str):
    known = await ids_of(own_runner)
    entry = {
        "learnerId": known["learnerId"], "date": clock.today().isoformat(), "minutes": 45,
        "activityType": "COACHING_OR_MENTORING",
        "comments": "Set up a gear train with my mentor; I can now do it alone.",
    }  # fmt: skip
    logged = {role: await run_mutation(own_runner, role, "log_time", {"input": entry}) for role in USERNAMES}
    check("log_time", backend, logged)

    text = b"Set up a gear train.\n"
    announced = {}
    for role in USERNAMES:
        announced[role] = await run_mutation(
            own_runner, role, "file_upload_create",
            {"input": {"name": "gears.txt", "contentType": "text/plain", "size": len(text)}},
        )  # fmt: skip
    check("file_upload_create", backend, announced)
    submitted = {}
    async with httpx2.AsyncClient() as http:
        for role, (payload, _, _) in announced.items():
            upload = payload["upload"]
            headers = {header["name"]: header["value"] for header in upload["headers"]}
            assert (await http.put(upload["url"], content=text, headers=headers)).is_success
            evidence = {
                "aimId": known["aimId"], "fileId": upload["fileId"], "title": "Gears",
                "description": "Setting up gears", "declareOwnWork": True, "password": PASSWORD,
            }  # fmt: skip
            submitted[role] = await run_mutation(own_runner, role, "submit_evidence", {"input": evidence})
    check("submit_evidence", backend, submitted)
    (version,) = submitted["LEARNER"][0]["evidence"]["versions"]
    assert version["file"]["sha256"] == hashlib.sha256(text).hexdigest()

    signature = {"id": known["id"], "documentSha256": known["sha256"], "password": PASSWORD}
    signed = {role: await run_mutation(own_runner, role, "sign_document", signature) for role in USERNAMES}
    check("sign_document", backend, signed)


async def test_own_account_in_every_role(own_runner: OperationRunner, backend: str):
    accepted = {role: await run_mutation(own_runner, role, "disclaimer_accept", {}) for role in USERNAMES}
    check("disclaimer_accept", backend, accepted)
    begun = {
        role: await run_mutation(own_runner, role, "second_factor_enrol", {"password": PASSWORD}) for role in USERNAMES
    }
    check("second_factor_enrol", backend, begun)
    codes = {role: {"code": pyotp.parse_uri(payload["uri"]).now()} for role, (payload, _, _) in begun.items()}
    confirmed = {role: await run_mutation(own_runner, role, "second_factor_confirm", codes[role]) for role in USERNAMES}
    check("second_factor_confirm", backend, confirmed)
    assert {len(payload["recoveryCodes"]) for payload, _, _ in confirmed.values()} == {10}
    change = {"currentPassword": PASSWORD, "newPassword": "cassette-ratchet-spindle-9"}
    changed = {role: await run_mutation(own_runner, role, "password_change", change) for role in USERNAMES}
    check("password_change", backend, changed)


async def test_reports_are_ordered_in_every_role(own_runner: OperationRunner, backend: str):
    order = {"operation": "site_comparison", "format": "CSV"}
    given = {"input": {**order, "every": "WEEK", "variables": "{}"}}
    made = {role: await run_mutation(own_runner, role, "report_schedule", given) for role in USERNAMES}
    check("report_schedule", backend, made)
    ids = {role: payload["reportSchedule"]["id"] for role, (payload, _, _) in made.items()}
    ended = {role: await run_mutation(own_runner, role, "report_schedule_end", {"id": ids[role]}) for role in USERNAMES}
    check("report_schedule_end", backend, ended)
    again = {
        role: await run_mutation(own_runner, role, "report_schedule_resume", {"id": ids[role]}) for role in USERNAMES
    }
    check("report_schedule_resume", backend, again)
    # In one role: each export is a process.
    started = await run_mutation(own_runner, "ASSESSOR", "bulk_export_start", order)
    check("bulk_export_start", backend, {"ASSESSOR": started})
    viewer = (await own_runner.run("ASSESSOR", "report_orders", {})).data["viewer"]
    assert [each["id"] for each in viewer["reportSchedules"]] == [ids["ASSESSOR"]]
    assert [(each["id"], each["variables"]) for each in viewer["bulkExports"]] == [
        (started[0]["bulkExport"]["id"], "{}")
    ]


async def first_event(
    runner: OperationRunner, role: str, name: str, ready: asyncio.Event | None = None
) -> tuple[dict[str, Any], Any]:
    """Returns the first event of a subscription over SSE, and the server's log line about the operation.

    `ready` is set when the server has started its response.
    """
    headers = {"accept": "text/event-stream"}
    async with runner.running.signed_in(USERNAMES[role]) as person:
        with capture_logs() as logs:
            async with person.http.stream("POST", "/graphql", json={"documentId": name}, headers=headers) as answer:
                if ready is not None:
                    ready.set()
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        first = json.loads(line.removeprefix("data:"))
                        break
            async with asyncio.timeout(10):
                while not (ended := [line for line in logs if line.get("operation") == name]):
                    await asyncio.sleep(0.01)
    return first["data"], ended[0]


@pytest.mark.parametrize("role", USERNAMES)
async def test_live_kpis_in_every_role(runner: OperationRunner, role: str):
    numbers = (await runner.run(role, "employer_kpis", {})).data["viewer"]["kpis"]
    data, line = await first_event(runner, role, "kpis_live")
    assert (line["cost"], line["statements"]) == (LIVE["kpis_live"].cost, LIVE["kpis_live"].statements)
    assert data["kpisChanged"]["learnerCount"] == numbers["learnerCount"] > 0
    assert data["kpisChanged"]["progress"]["mappedPercent"] == numbers["progress"]["mappedPercent"]


@pytest.mark.parametrize("role", USERNAMES)
async def test_live_tasks_in_every_role(runner: OperationRunner, role: str):
    async with runner.running.signed_in(USERNAMES[role]) as person:
        numbers = (await person.data("{ viewer { taskCounts { kind count } } }"))["viewer"]["taskCounts"]
    data, line = await first_event(runner, role, "tasks_live")
    assert (line["cost"], line["statements"]) == (LIVE["tasks_live"].cost, LIVE["tasks_live"].statements)
    assert data["tasksChanged"] == numbers


async def test_learner_changes_in_every_role(own_runner: OperationRunner):
    known, expected = await ids_of(own_runner), LIVE["learner_changed"]
    entry = {
        "learnerId": known["learnerId"], "date": clock.today().isoformat(), "minutes": 5,
        "activityType": "COACHING_OR_MENTORING", "comments": "Trued a wheel.",
    }  # fmt: skip
    learner = await own_runner.client("LEARNER")
    for role in USERNAMES:
        ready = asyncio.Event()
        stream = asyncio.create_task(first_event(own_runner, role, "learner_changed", ready))
        await ready.wait()
        # A change from before the subscription is not delivered, so changes are made until the first event arrives. The
        # log is captured for the stream alone: where two captures overlap, the end of one ends the other.
        while not stream.done():
            await asyncio.to_thread(learner.execute, get_operation("log_time"), {"input": entry})
            await asyncio.wait([stream], timeout=0.5)
        data, line = stream.result()
        assert data["learnerChanged"]["id"] == known["learnerId"]
        # The statements of the first event; another event before the stream is closed adds its own.
        assert line["cost"] == expected.cost and line["statements"] >= expected.statements
