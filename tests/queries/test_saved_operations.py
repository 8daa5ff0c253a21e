"""Every saved operation, run by every role that may use it: its cost, its statements, what it gives."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from graphql import OperationDefinitionNode, validate
from structlog.testing import capture_logs

from queries.client import Client
from queries.contract import contract
from queries.paging import followed
from queries.saved import find, saved_operations
from tests.queries.conftest import USERNAMES, Desk
from tests.support.http_server import PASSWORD

ALL = frozenset(USERNAMES)
SIGNERS = ALL - {"BASIC_ADMIN", "MASTER_ADMIN"}
SUBMITTERS = ALL - {"IQA", "BASIC_ADMIN", "MASTER_ADMIN"}
LOGGERS = frozenset({"LEARNER", "ASSESSOR", "BASIC_ADMIN", "MASTER_ADMIN"})


@dataclass(frozen=True)
class Pin:
    """What one page costs in points, the most SQL statements it takes (the look at who asks included), who may use it.

    `on_postgresql`: the statements there, where a transaction begins and locks in another way than on SQLite.
    """

    cost: int
    statements: int
    roles: frozenset[str] = ALL
    on_postgresql: int | None = None


READS = {
    "awaiting_signature": Pin(503, 5),
    "document_to_sign": Pin(26, 4),
    "documents_to_sign": Pin(1204, 5),
    "employer_dashboard": Pin(1654, 5),
    "employer_glance": Pin(4, 2),
    "employer_kpis": Pin(5, 2),
    "employer_learner": Pin(35, 4),
    "employer_learners": Pin(2303, 4),
    "evidence_ageing": Pin(503, 5),
    "learner_home": Pin(48, 9, frozenset({"LEARNER"})),
    "learners_off_track": Pin(3203, 4),
    "learning_plan": Pin(2644, 6),
    "off_the_job_hours": Pin(403, 4),
    "overdue_actions": Pin(503, 5),
    "progress_map": Pin(1122, 4),
    "reviews_due": Pin(403, 4),
    "sign_off_funnel": Pin(223, 3),
    "site_comparison": Pin(403, 3),
    "time_log": Pin(204, 5),
    "unit_record_sheet": Pin(273, 8),
}
MUTATIONS = {
    "disclaimer_accept": Pin(23, 6, on_postgresql=5),
    "file_upload_create": Pin(33, 6),
    "log_out": Pin(22, 7),
    "log_time": Pin(25, 11, LOGGERS),
    "password_change": Pin(24, 19, on_postgresql=18),
    "sign_document": Pin(43, 19, SIGNERS, on_postgresql=18),
    "sign_in": Pin(24, 16, on_postgresql=14),
    "submit_evidence": Pin(55, 21, SUBMITTERS, on_postgresql=20),
    "token_refresh": Pin(23, 9, on_postgresql=8),
}
LIVE = {"kpis_live": Pin(3, 3), "learner_changed": Pin(24, 5)}
PINS = READS | MUTATIONS | LIVE


def test_every_saved_operation_is_pinned():
    assert set(PINS) == set(saved_operations())


@pytest.mark.parametrize("name", PINS)
def test_a_saved_operation_fits_the_schema_and_says_what_it_costs(name: str):
    saved = find(name)
    assert validate(contract(), saved.document) == []
    operations = [node for node in saved.document.definitions if isinstance(node, OperationDefinitionNode)]
    assert [node.name.value for node in operations] == ["".join(part.title() for part in name.split("_"))]
    pin = PINS[name]
    assert f"Costs {pin.cost:,} points and {pin.statements} SQL statement" in " ".join(saved.comment.split())
    assert len(saved.comment.splitlines()) >= 3


@pytest.mark.parametrize("name", READS)
def test_a_query_can_be_followed_and_run_from_python(name: str):
    saved = find(name)
    followed(saved)
    # They would be taken for the keywords of `queries.run` itself.
    variables = {node.variable.name.value for node in saved.operation.variable_definitions or ()}
    assert not variables & {"name", "url", "username", "password", "token", "role"}
    names = [column.name for column in saved.shape.columns]
    assert len(names) == len(set(names))


async def ids_of(export_service: Desk) -> dict[str, Any]:
    """Variables for every query: the demo's learner, whom all roles see, and a unit of theirs with evidence."""
    learner = (await export_service.run("LEARNER", "learner_home", {})).data["viewer"]["learner"]
    mapped = (await export_service.run("LEARNER", "progress_map", {"learnerId": learner["id"]})).data["learner"]
    units = [unit for aim in mapped["aims"] for unit in aim["units"]]
    unit = max(units, key=lambda unit: sum(criterion["evidenceCount"] for criterion in unit["criteria"]))
    waiting = (await export_service.run("LEARNER", "awaiting_signature", {"first": 50})).data["viewer"][
        "signatureRequests"
    ]
    document = max(waiting["nodes"], key=lambda request: len(request["slots"]))
    return {
        "learnerId": learner["id"],
        "aimId": learner["aims"][0]["id"],
        "unitId": unit["id"],
        "id": document["id"],
        "sha256": document["document"]["sha256"],
    }


@pytest.mark.parametrize("name", READS)
async def test_a_query_for_every_role(export_service: Desk, name: str):
    known, pin = await ids_of(export_service), READS[name]
    wanted = {node.variable.name.value for node in find(name).operation.variable_definitions or ()}
    ran = {
        role: await export_service.run(role, name, {key: value for key, value in known.items() if key in wanted})
        for role in pin.roles
    }
    assert {each.cost for each in ran.values()} == {pin.cost}
    assert max(each.statements for each in ran.values()) == pin.statements, {
        role: each.statements for role, each in ran.items()
    }
    for role, each in ran.items():
        assert None not in each.data.values(), role


async def sent(
    export_service: Desk, role: str | None, name: str, variables: dict[str, Any]
) -> tuple[dict[str, Any], int, int]:
    """One mutation on its own connection, without a token where there is no role: payload, points, statements."""
    client = await export_service.client(role) if role else Client(export_service.running.address)
    with capture_logs() as logs:
        answer = await asyncio.to_thread(client.ask, find(name), variables)
    (line,) = [line for line in logs if line["event"] == "operation"]
    assert (line["operation"], line["code"], line["cost"]) == (name, None, answer.cost)
    (payload,) = answer.data.values()
    return payload, line["cost"], line["statements"]


def check(name: str, backend: str, found: dict[str, tuple[dict[str, Any], int, int]]) -> None:
    """Whoever may use it was answered and cost what is pinned; everyone else was refused, and with nothing given."""
    pin = MUTATIONS[name]
    for role, (payload, _, _) in found.items():
        codes = [error["code"] for error in payload["errors"]]
        assert codes == ([] if role in pin.roles else ["NOT_ALLOWED"]), (role, payload)
    assert {cost for _, cost, _ in found.values()} == {pin.cost}
    most = max(statements for role, (_, _, statements) in found.items() if role in pin.roles)
    pinned = pin.statements if backend == "sqlite" or pin.on_postgresql is None else pin.on_postgresql
    assert most == pinned, {role: statements for role, (_, _, statements) in found.items()}


async def test_signing_in_and_out_for_every_role(own_desk: Desk, backend: str):
    signed_in, refreshed, left = {}, {}, {}
    for role, username in USERNAMES.items():
        account = {"username": username, "password": PASSWORD, "role": role}
        signed_in[role] = await sent(own_desk, None, "sign_in", account)
        assert signed_in[role][0]["viewer"]["role"] == role
        token = signed_in[role][0]["refreshToken"]
        refreshed[role] = await sent(own_desk, None, "token_refresh", {"refreshToken": token})
        assert refreshed[role][0]["viewer"]["role"] == role
        token = refreshed[role][0]["refreshToken"]
        left[role] = await sent(own_desk, None, "log_out", {"refreshToken": token})
        payload, _, _ = await sent(own_desk, None, "token_refresh", {"refreshToken": token})
        assert [error["code"] for error in payload["errors"]] == ["INVALID"]
    check("sign_in", backend, signed_in)
    check("token_refresh", backend, refreshed)
    check("log_out", backend, left)


async def test_what_each_role_may_add_and_sign(own_desk: Desk, backend: str):
    known = await ids_of(own_desk)
    entry = {
        "learnerId": known["learnerId"], "date": "2026-01-05", "activityType": "COACHING_OR_MENTORING", "minutes": 45,
        "comments": "Set up a gear train with my mentor; I can now do it alone.",
    }  # fmt: skip
    check("log_time", backend, {role: await sent(own_desk, role, "log_time", {"input": entry}) for role in USERNAMES})

    text = b"Set up a gear train.\n"
    announced = {}
    for role in USERNAMES:
        announced[role] = await sent(
            own_desk, role, "file_upload_create",
            {"input": {"name": "gears.txt", "contentType": "text/plain", "size": len(text)}},
        )  # fmt: skip
    check("file_upload_create", backend, announced)
    submitted = {}
    async with httpx2.AsyncClient() as http:
        for role, (payload, _, _) in announced.items():
            place = payload["upload"]
            headers = {header["name"]: header["value"] for header in place["headers"]}
            assert (await http.put(place["url"], content=text, headers=headers)).is_success
            evidence = {
                "aimId": known["aimId"], "fileId": place["fileId"], "title": "Gears", "description": "Setting up gears",
                "declareOwnWork": True, "password": PASSWORD,
            }  # fmt: skip
            submitted[role] = await sent(own_desk, role, "submit_evidence", {"input": evidence})
    check("submit_evidence", backend, submitted)
    (version,) = submitted["LEARNER"][0]["evidence"]["versions"]
    assert version["file"]["sha256"] == hashlib.sha256(text).hexdigest()

    signature = {"id": known["id"], "documentSha256": known["sha256"], "password": PASSWORD}
    signed = {role: await sent(own_desk, role, "sign_document", signature) for role in USERNAMES}
    check("sign_document", backend, signed)


async def test_what_each_role_does_with_their_own_account(own_desk: Desk, backend: str):
    accepted = {role: await sent(own_desk, role, "disclaimer_accept", {}) for role in USERNAMES}
    check("disclaimer_accept", backend, accepted)
    change = {"currentPassword": PASSWORD, "newPassword": "cassette-ratchet-spindle-9"}
    changed = {role: await sent(own_desk, role, "password_change", change) for role in USERNAMES}
    check("password_change", backend, changed)


async def streamed(
    export_service: Desk, role: str, name: str, ready: asyncio.Event | None = None
) -> tuple[dict[str, Any], Any]:
    """The first event of a subscription, over an event stream that is then left; and the log's line about it.

    `ready` is set once the server has begun to answer.
    """
    headers = {"accept": "text/event-stream"}
    async with export_service.running.person(USERNAMES[role]) as person:
        with capture_logs() as logs:
            async with person.client.stream("POST", "/graphql", json={"documentId": name}, headers=headers) as answer:
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
async def test_the_live_numbers_for_every_role(export_service: Desk, role: str):
    numbers = (await export_service.run(role, "employer_kpis", {})).data["viewer"]["kpis"]
    data, line = await streamed(export_service, role, "kpis_live")
    assert (line["cost"], line["statements"]) == (LIVE["kpis_live"].cost, LIVE["kpis_live"].statements)
    assert data["kpisChanged"]["learnerCount"] == numbers["learnerCount"] > 0
    assert data["kpisChanged"]["progress"]["mappedPercent"] == numbers["progress"]["mappedPercent"]


async def test_a_change_of_the_learner_for_every_role(own_desk: Desk):
    known, pin = await ids_of(own_desk), LIVE["learner_changed"]
    entry = {
        "learnerId": known["learnerId"], "date": "2026-01-05", "activityType": "COACHING_OR_MENTORING", "minutes": 5,
        "comments": "Trued a wheel.",
    }  # fmt: skip
    for role in USERNAMES:
        ready = asyncio.Event()
        stream = asyncio.create_task(streamed(own_desk, role, "learner_changed", ready))
        await ready.wait()
        # What changed before the subscriber was there is not told: until the stream speaks, something changes again.
        while not stream.done():
            await sent(own_desk, "LEARNER", "log_time", {"input": entry})
            await asyncio.wait([stream], timeout=0.5)
        data, line = stream.result()
        assert data["learnerChanged"]["id"] == known["learnerId"]
        # Those of the first event; one that came before the stream was left adds its own.
        assert line["cost"] == pin.cost and line["statements"] >= pin.statements
