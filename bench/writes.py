"""Measures writes: Waymark against the same transaction by hand, by clients of one provider and of several.

`scripts/bench --writes` runs it. Commits are durable. After the load it checks that the audit trail has an event of
each response, and that the chain is whole. A refusal has no event, so it is found there.
"""

import argparse
import asyncio
import base64
import datetime as dt
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
from sqlalchemy import insert, select

from auth.tokens import AccessTokens
from bench.measure import Cores, Measurement, count_statements, measure, settle
from bench.postgres import SUPERUSER, Postgres
from bench.servers import KEY, ROOT, Server, encode_post, free_port, waymark
from db.database import Database
from db.migrate import migrate
from db.models.action import Action
from db.models.aim import Aim
from db.models.auth_session import AuthSession
from db.models.learner import Learner
from domain import clock
from domain.enums import ActionKind, ActionStatus, AimStatus, Role
from services.audit.chain import audit_chain_problems
from services.demo.cohort import build_cohort
from services.storage.file_store import open_store

PROVIDERS, LEARNERS = 4, 200
# Time is logged on one of so many days.
DAYS = 60
CLIENTS = (1, 16, 64)
_REQUESTS = 2_000
_ENTRY = """mutation Add($input: TimeLogEntryInput!) { timeLogEntryAdd(input: $input) {
  timeLogEntry { id date jobSetting minutes } refusals: errors { code field message } } }"""
_RESPOND = """mutation Respond($id: ID!, $input: ActionRespondInput!) { actionRespond(id: $id, input: $input) {
  action { id status minutesSpent } refusals: errors { code field message } } }"""


@dataclass(frozen=True, slots=True)
class Writer:
    """A signed-in learner, with the key of one open action."""

    token: str
    provider: int
    learner: int
    action: int


@dataclass(slots=True)
class Result:
    """The rounds of one server for a mutation, a number of clients and of providers."""

    server: str
    mutation: str
    clients: int
    providers: int
    rounds: list[Measurement] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    p99_ratios: list[float] = field(default_factory=list)


async def prepare(postgres: Postgres, files: Path) -> tuple[str, list[Writer]]:
    """Returns the name of a database with `PROVIDERS` providers, and their learners with a session each."""
    name = "writes"
    admin = await asyncpg.connect(user=SUPERUSER, host=str(postgres.sockets), database=SUPERUSER)
    is_complete = "select shobj_description(oid, 'pg_database') = 'complete' from pg_database where datname = $1"
    exists = await admin.fetchval(is_complete, name)
    if not exists:
        await admin.execute(f"drop database if exists {name} with (force)")
        await admin.execute(f"create database {name} template template0")
    database, tokens, now = Database(postgres.url(name)), AccessTokens({"bench": KEY}), clock.now()
    try:
        await migrate(database)
        if not exists:
            for seed in range(PROVIDERS):
                await build_cohort(database, open_store(files), learners=LEARNERS, seed=seed)
            await admin.execute(f"comment on database {name} is 'complete'")
        writers, earliest = [], clock.today() - dt.timedelta(days=DAYS)
        async with database.writing() as session:
            # unscoped: the bench signs in every learner
            found = (
                select(Learner, Aim.id, Aim.assessor_id)
                .join(Aim, Aim.learner_id == Learner.id)
                .where(Aim.assessor_id.is_not(None), Aim.status == AimStatus.IN_TRAINING, Aim.start_date < earliest)
                .distinct(Learner.id)
                .order_by(Learner.id, Aim.id)
            )
            for learner, aim, assessor in (await session.execute(found)).all():
                signed_in = insert(AuthSession).values(
                    provider_id=learner.provider_id, user_id=learner.user_id, role=Role.LEARNER, started_at=now,
                    expires_at=now + dt.timedelta(days=1),
                )  # fmt: skip
                key = (await session.scalars(signed_in.returning(AuthSession.id))).one()
                action = Action(
                    provider_id=learner.provider_id, learner_id=learner.id, aim_id=aim, kind=ActionKind.ACTION,
                    title="Bench", description="Bench", target_date=clock.today(), status=ActionStatus.OUTSTANDING,
                    set_by_id=assessor, set_at=now,
                )  # fmt: skip
                session.add(action)
                await session.flush()
                token = tokens.sign(learner.user_id, Role.LEARNER, key)
                writers.append(Writer(token, learner.provider_id, learner.id, action.id))
        return name, writers
    finally:
        await database.close()
        await admin.close()


def limit_writes(postgres: Postgres, database: str) -> Server:
    """Returns the hand-written transactions."""
    port = free_port()
    return Server(
        "LIMIT",
        [sys.executable, "-m", "bench.limit_writes", database, str(port)],
        {"BENCH_SOCKETS": str(postgres.sockets), "BENCH_KEY": base64.b64encode(KEY).decode()},
        port,
        encode=lambda _: b"",
        normalize=lambda _, data: data,
    )


def requests_of(server: str, mutation: str, writers: Sequence[Writer], seed: int) -> list[bytes]:
    """Returns random requests, encoded for the server."""
    choose, today = random.Random(f"{mutation}{seed}"), clock.today()
    made = []
    variables: dict[str, Any]
    by_hand: dict[str, Any]
    for number in range(_REQUESTS):
        writer, minutes = choose.choice(writers), choose.randint(1, 5)
        if mutation == "timeLogEntryAdd":
            day = (today - dt.timedelta(days=choose.randint(0, DAYS))).isoformat()
            words = {"date": day, "minutes": minutes, "comments": f"Bench {number}"}
            graph = {"learnerId": f"Learner_{writer.learner}", "activityType": "TRAINER_LED_TRAINING", **words}
            by_hand, path = {"learner": writer.learner, "activity": "TRAINER_LED_TRAINING", **words}, "/time-log"
            text, name, variables = _ENTRY, "Add", {"input": graph}
        else:
            feedback = f"Bench {number}"
            by_hand = {"action": writer.action, "feedback": feedback, "minutes": minutes}
            variables = {
                "id": f"Action_{writer.action}",
                "input": {"learnerFeedback": feedback, "minutesSpent": minutes},
            }
            text, name, path = _RESPOND, "Respond", "/respond"
        if server == "LIMIT":
            made.append(_post(path, by_hand, writer.token))
        else:
            made.append(encode_post(text, name, variables, writer.token))
    return made


def _post(path: str, body: dict[str, object], token: str) -> bytes:
    sent = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent


def compare(
    servers: Sequence[Server], postgres: Postgres, writers: Sequence[Writer], mutation: str, clients: int,
    providers: int, rounds: int, seconds: float, cores: Cores | None,
) -> list[Result]:  # fmt: skip
    """Measures the servers in turn."""
    chosen = sorted({writer.provider for writer in writers})[:providers]
    of_them = [writer for writer in writers if writer.provider in chosen]
    results = [Result(server.name, mutation, clients, providers) for server in servers]
    for number in range(rounds):
        for server, result in zip(servers, results, strict=True):
            settle()
            requests = requests_of(server.name, mutation, of_them, number)
            result.rounds.append(measure(server, postgres, requests, clients, seconds, cores and cores.others))
            result.ratios.append(result.rounds[-1].per_second / results[0].rounds[-1].per_second)
            result.p99_ratios.append(result.rounds[-1].p99 / results[0].rounds[-1].p99)
    return results


async def check_trail(url: str, before: int, acknowledged: int) -> tuple[float, list[str]]:
    """Returns the seconds until every event is sealed, and what is wrong with the trail."""
    database, began, problems = Database(url), time.monotonic(), []
    try:
        for _ in range(1_000):
            if not await _count(url, "sequence < 0"):
                break
            await asyncio.sleep(0.02)
        sealed_after = time.monotonic() - began
        added = await _count(url, "true") - before
        if added < acknowledged:
            problems.append(f"{acknowledged:,} mutations were acknowledged, and the trail has {added:,} events of them")
        async with database.snapshot() as session:
            problems += [problem async for problem in audit_chain_problems(session)]
        return sealed_after, problems
    finally:
        await database.close()


async def _count(url: str, condition: str) -> int:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return int(await connection.fetchval(f"select count(*) from audit_event where {condition}"))
    finally:
        await connection.close()


def render(results: Sequence[Result], statements: dict[tuple[str, str], float], window: float) -> str:
    """Returns the results as tables of Markdown."""
    lines = []
    for mutation in dict.fromkeys(result.mutation for result in results):
        lines += [
            f"### {mutation}", "",
            "| server | clients | providers | relative to LIMIT (spread) | p99 relative to LIMIT's | writes/s | "
            "p50 ms | p99 ms | CPU ms per write: server | PostgreSQL | SQL statements |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
        ]  # fmt: skip
        for each in (result for result in results if result.mutation == mutation):
            figures = {
                name: median(getattr(measured, name) for measured in each.rounds)
                for name in ("per_second", "p50", "p99", "server_cpu", "database_cpu")
            }
            lines.append(
                f"| {each.server} | {each.clients} | {each.providers} | {median(each.ratios):.2f} "
                f"({min(each.ratios):.2f} to {max(each.ratios):.2f}) | {median(each.p99_ratios):.2f} | "
                f"{figures['per_second']:.0f} | {figures['p50']:.1f} | {figures['p99']:.1f} | "
                f"{figures['server_cpu']:.2f} | {figures['database_cpu']:.2f} | "
                f"{statements[each.server, mutation]:.0f} |"
            )
        lines.append("")
    return "\n".join(
        [
            *lines,
            f"Every event was sealed {window:.2f} s after the last response, and the trail is whole. Those of "
            "LIMIT, which seals none, a server finds 3 s after their commit.",
        ]
    )


def main(arguments: argparse.Namespace, cores: Cores | None) -> int:
    """Runs the benchmark and prints the results; returns the exit status."""
    folder = Path(os.environ.get("WAYMARK_BENCH_FOLDER") or ROOT / "var" / "bench")
    results: list[Result] = []
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(folder / "postgres-writes", durable=True))
        if cores:
            os.sched_setaffinity(postgres.pid, cores.others)
        database, writers = asyncio.run(prepare(postgres, folder / "files"))
        servers = [limit_writes(postgres, database), waymark(postgres, database, folder / "waymark-writes")]
        for server in servers:
            stack.callback(server.stop)
            server.start(folder, cores.server if cores else None)
        before = asyncio.run(_count(postgres.url(database), "true"))
        statements, acknowledged, window = {}, 0, 0.0
        for mutation in ("timeLogEntryAdd", "actionRespond"):
            for server in servers:
                requests = requests_of(server.name, mutation, writers, 99)
                counted = asyncio.run(count_statements(server, postgres, database, requests))
                statements[server.name, mutation] = counted
            for providers in (1, PROVIDERS):
                for clients in CLIENTS:
                    compared = compare(
                        servers, postgres, writers, mutation, clients, providers, arguments.rounds, arguments.seconds,
                        cores,
                    )  # fmt: skip
                    results += compared
                    acknowledged += sum(each.requests for result in compared for each in result.rounds)
                    sealed_after, problems = asyncio.run(check_trail(postgres.url(database), before, acknowledged))
                    window = max(window, sealed_after)
                    print(
                        f"{mutation}, {clients} clients, {providers} providers: "
                        + ", ".join(f"{each.server} {each.rounds[-1].per_second:.0f}/s" for each in compared),
                        file=sys.stderr,
                    )
                    if problems:
                        sys.exit("\n".join(problems))
    print(render(results, statements, window))
    return 0
