"""Measures writes: Waymark against the same transaction by hand, by clients of one provider and of several.

`scripts/bench --writes` runs it. Commits are durable. After the load it checks that the audit trail has an event of
each response, and that the chain is whole. A refusal has no event, so it is found there.
"""

import argparse
import asyncio
import base64
import datetime as dt
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import asyncpg
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.tokens import AccessTokens
from bench.measure import Cores, Measurement, count_statements, measure, settle
from bench.postgres import SUPERUSER, Postgres
from bench.screens import ROOT
from bench.servers import KEY, Server, free_port, waymark
from bench.write_requests import DAYS, MUTATIONS, REQUESTS, Writer, requests_of
from db.database import Database
from db.migrate import migrate
from db.models.action import Action
from db.models.aim import Aim
from db.models.auth_session import AuthSession
from db.models.evidence import Evidence
from db.models.learner import Learner
from db.models.qualification import QualificationCriterion
from domain import clock
from domain.enums import ActionKind, ActionStatus, AimStatus, EvidenceStatus, Role
from services.audit.chain import audit_chain_problems
from services.audit.progress_check import progress_mismatches
from services.demo.cohort import build_cohort
from services.storage.file_store import open_store

PROVIDERS, LEARNERS = 4, 200
CLIENTS = (1, 16, 64)
# Before the rounds: with more clients more connections are used, each of which prepares its statements, and PostgreSQL
# plans each of these at least five times. A server that runs has done so.
_WARM_UP, _WARM_UP_SECONDS = 98, 2.0
# More than one core can confirm passwords of.
_UPLOADS_A_SECOND = 150


@dataclass(slots=True)
class Result:
    """The rounds of one server for a mutation, a number of clients and of providers."""

    server: str
    mutation: str
    clients: int
    providers: int
    warm_up: int = 0  # writes before the rounds
    rounds: list[Measurement] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    p99_ratios: list[float] = field(default_factory=list)


async def prepare(
    postgres: Postgres, files: Path, name: str = "writes", providers: int = PROVIDERS
) -> tuple[str, list[Writer]]:
    """Returns the name of a database with so many providers, and their learners with a session each."""
    admin = await asyncpg.connect(user=SUPERUSER, host=str(postgres.sockets), database=SUPERUSER)
    is_complete = "select shobj_description(oid, 'pg_database') = 'complete' from pg_database where datname = $1"
    exists = await admin.fetchval(is_complete, name)
    if not exists:
        await admin.execute(f"drop database if exists {name} with (force)")
        await admin.execute(f"create database {name} template template0")
    database = Database(postgres.url(name))
    try:
        await migrate(database)
        if not exists:
            for seed in range(providers):
                await build_cohort(database, open_store(files), learners=LEARNERS, seed=seed)
            await admin.execute(f"comment on database {name} is 'complete'")
        async with database.writing() as session:
            writers = await _sign_in(session, AccessTokens({"bench": KEY}))
        return name, writers
    finally:
        await database.close()
        await admin.close()


async def _sign_in(session: AsyncSession, tokens: AccessTokens) -> list[Writer]:
    """Signs in every learner in training with an assessor, and the assessors; gives each learner an open action."""
    now, earliest = clock.now(), clock.today() - dt.timedelta(days=DAYS)

    async def token_of(user: int, provider: int, role: Role) -> str:
        signed_in = insert(AuthSession).values(
            provider_id=provider, user_id=user, role=role, started_at=now, expires_at=now + dt.timedelta(days=1)
        )
        key = (await session.scalars(signed_in.returning(AuthSession.id))).one()
        return tokens.sign(user, role, key)

    # unscoped: the bench signs in every learner
    evidence = (
        select(Evidence.aim_id, func.array_agg(Evidence.id))
        .where(Evidence.status.in_((EvidenceStatus.SUBMITTED, EvidenceStatus.ASSESSED)))
        .group_by(Evidence.aim_id)
    )
    evidence_of = {aim: tuple(keys) for aim, keys in await session.execute(evidence)}
    criteria = select(QualificationCriterion.qualification_id, QualificationCriterion.id).order_by(
        QualificationCriterion.id
    )
    criteria_of: dict[int, list[int]] = {}
    for qualification, key in await session.execute(criteria):
        criteria_of.setdefault(qualification, []).append(key)
    # unscoped: the bench signs in every learner
    found = (
        select(Learner, Aim)
        .join(Aim, Aim.learner_id == Learner.id)
        .where(
            Aim.assessor_id.is_not(None), Aim.status == AimStatus.IN_TRAINING, Aim.start_date < earliest,
            Aim.id.in_(evidence_of),
        )
        .distinct(Learner.id)
        .order_by(Learner.id, Aim.id)
    )  # fmt: skip
    assessors: dict[int, str] = {}
    writers = []
    for learner, aim in (await session.execute(found)).all():
        assert aim.assessor_id is not None
        if aim.assessor_id not in assessors:
            assessors[aim.assessor_id] = await token_of(aim.assessor_id, learner.provider_id, Role.ASSESSOR)
        action = Action(
            provider_id=learner.provider_id, learner_id=learner.id, aim_id=aim.id, kind=ActionKind.ACTION,
            title="Bench", description="Bench", target_date=clock.today(), status=ActionStatus.OUTSTANDING,
            set_by_id=aim.assessor_id, set_at=now,
        )  # fmt: skip
        session.add(action)
        await session.flush()
        writers.append(
            Writer(
                await token_of(learner.user_id, learner.provider_id, Role.LEARNER), learner.provider_id, learner.id,
                action.id, learner.user_id, aim.id, assessors[aim.assessor_id],
                tuple(criteria_of[aim.qualification_id]), evidence_of[aim.id],
            )
        )  # fmt: skip
    return writers


def limit_writes(postgres: Postgres, database: str) -> Server:
    """Returns the hand-written transactions."""
    port = free_port()
    return Server(
        "LIMIT",
        [sys.executable, "-m", "bench.limit_evidence", database, str(port)],
        {"BENCH_SOCKETS": str(postgres.sockets), "BENCH_KEY": base64.b64encode(KEY).decode()},
        port,
        encode=lambda _: b"",
        normalize=lambda _, data: data,
    )


def compare(
    servers: Sequence[Server], postgres: Postgres, writers: Sequence[Writer], mutation: str, clients: int,
    providers: int, rounds: int, seconds: float, cores: Cores | None, url: str,
) -> list[Result]:  # fmt: skip
    """Measures the servers in turn, after the same load on each that is not measured.

    Each request is sent once only where it needs an upload of its own.
    """
    chosen = sorted({writer.provider for writer in writers})[:providers]
    of_them = [writer for writer in writers if writer.provider in chosen]
    results = [Result(server.name, mutation, clients, providers) for server in servers]

    def measured(server: Server, number: int, seconds: float) -> Measurement:
        most = {"max_requests": int(_UPLOADS_A_SECOND * seconds)} if MUTATIONS[mutation].uploads else {}
        prepared = requests_of(server.name, mutation, of_them, number, url, most.get("max_requests", REQUESTS))
        requests = asyncio.run(prepared)
        settle()
        return measure(server, postgres, requests, clients, seconds, cores and cores.others, **most)

    for server, result in zip(servers, results, strict=True):
        result.warm_up = measured(server, _WARM_UP, _WARM_UP_SECONDS).requests
    for number in range(rounds):
        for server, result in zip(servers, results, strict=True):
            result.rounds.append(measured(server, number, seconds))
            result.ratios.append(result.rounds[-1].per_second / results[0].rounds[-1].per_second)
            result.p99_ratios.append(result.rounds[-1].p99 / results[0].rounds[-1].p99)
    return results


async def check_trail(url: str, before: int, acknowledged: int) -> tuple[float, list[str]]:
    """Returns the seconds until every event is sealed, and what is wrong with the trail and the progress sums."""
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
            problems += await progress_mismatches(session)
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
            f"Every event was sealed {window:.2f} s after the last response, and the trail is whole.",
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
        url = postgres.url(database)
        for mutation in MUTATIONS:
            for server in servers:
                requests = asyncio.run(requests_of(server.name, mutation, writers, 99, url, 25))
                counted = asyncio.run(count_statements(server, postgres, database, requests))
                statements[server.name, mutation] = counted
            for providers in (1, PROVIDERS):
                for clients in CLIENTS:
                    compared = compare(
                        servers, postgres, writers, mutation, clients, providers, arguments.rounds, arguments.seconds,
                        cores, url,
                    )  # fmt: skip
                    results += compared
                    acknowledged += sum(each.requests for result in compared for each in result.rounds)
                    acknowledged += sum(result.warm_up for result in compared)
                    print(
                        f"{mutation}, {clients} clients, {providers} providers: "
                        + ", ".join(f"{each.server} {each.rounds[-1].per_second:.0f}/s" for each in compared),
                        file=sys.stderr,
                    )
            sealed_after, problems = asyncio.run(check_trail(url, before, acknowledged))
            window = max(window, sealed_after)
            if problems:
                sys.exit("\n".join(problems))
    print(render(results, statements, window))
    return 0
