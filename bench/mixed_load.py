"""Measures small reads beside exports of long lists and beside a burst of sign-ins, and the memory meanwhile.

`scripts/bench --beside` runs it, on a database of its own. Reads are sent at a steady rate, whether or not the ones
before were answered, so that a server which stands still is not asked less. The exports and the sign-ins come from
another process, which `scripts/attack` has too.
"""

import argparse
import asyncio
import datetime as dt
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import orjson
from sqlalchemy import select

from bench.connection import Connection
from bench.measure import Cores
from bench.postgres import Postgres
from bench.screens import ROOT
from bench.servers import Server, encode_post, waymark
from bench.write_requests import Writer
from bench.writes import prepare
from db.database import Database
from db.models.aim import Aim, AimProgress
from db.models.learner import Learner
from db.models.user import User
from domain import clock
from domain.enums import AimStatus
from services.importer.draft import CriterionDraft, QualificationDraft, UnitDraft
from services.importer.store import store_qualification
from tests.system.attacks.attackers import SIGN_INS_A_SECOND, attacking
from tests.system.attacks.honest import memory

ROWS, UNITS, CRITERIA_OF_A_UNIT = 20_000, 40, 25
EVERY_SECONDS = 0.02
MAX_RATIO = 2.0
# At once, each of a user of their own.
EXPORTS = 16
_QUALIFICATION = "A thousand criteria"
_READ = "query Read { viewer { user { name } learner { id aims { title } } } }"
_LINKS = """query Links($id: ID!) {
  learner(id: $id) { timeLogExport { url } aims { qualification { title } progressMapExport { url } } }
}"""
_ENTRIES = """
insert into time_log_entry (provider_id, learner_id, date, activity_type, job_setting, minutes, comments, automatic,
                            added_by_id, added_at, version)
select $1, $2, current_date - (n % 300), 'TRAINER_LED_TRAINING', 'OFF_THE_JOB', 60, repeat('Learned about brakes. ', 5),
       false, $3, now(), 1
from generate_series(1, $4) n
where (select count(*) from time_log_entry where learner_id = $2) < $4
"""


@dataclass(slots=True)
class Phase:
    """What one phase measured: milliseconds of the reads, megabytes of the processes, answers to the other requests."""

    name: str
    reads: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)

    @property
    def p99(self) -> float:
        """The 99th percentile."""
        return sorted(self.reads)[len(self.reads) * 99 // 100]


class _Reads:
    """Small reads over as many connections as are needed to send each when it is due."""

    def __init__(self, phase: Phase, server: Server, readers: Sequence[Writer]) -> None:
        self._phase, self._server = phase, server
        self._requests = [encode_post(_READ, "Read", {}, reader.token) for reader in readers]
        self._free: list[Connection] = []

    async def send(self, seconds: float) -> None:
        """Sends them for `seconds`, and waits for the last answers."""
        began, sent = time.perf_counter(), []
        for number in range(int(seconds / EVERY_SECONDS)):
            due = began + number * EVERY_SECONDS
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sent.append(asyncio.create_task(self._one(self._requests[number % len(self._requests)], due)))
        await asyncio.gather(*sent)
        for connection in self._free:
            connection.close()

    async def _one(self, request: bytes, due: float) -> None:
        connection = self._free.pop() if self._free else await Connection().open(self._server.port)
        answer = await connection.answer(request)
        self._phase.reads.append((time.perf_counter() - due) * 1000)
        if b'"errors"' in answer:
            raise RuntimeError(answer.decode())
        self._free.append(connection)


async def measure_phase(
    phase: Phase, server: Server, readers: Sequence[Writer], seconds: float, attack: str = "", argument: str = ""
) -> None:
    """Reads for `seconds`, beside the requests of another process if one is named."""

    async def watch() -> None:
        while True:
            phase.megabytes.append(memory(server.pid))
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    try:
        if not attack:
            await _Reads(phase, server, readers).send(seconds)
            return
        async with attacking(attack, server.port, seconds + 1, argument) as attacked:
            await asyncio.sleep(1)
            await _Reads(phase, server, readers).send(seconds)
            phase.answers = await attacked
    finally:
        watching.cancel()


async def add_long_lists(url: str, people: Sequence[Writer]) -> None:
    """Gives each of these learners 20,000 entries in the time log, and an aim of 1,000 criteria, unless they have."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    for each in people:
        await connection.execute(_ENTRIES, each.provider, each.learner, each.user, ROWS)
    await connection.close()
    units = tuple(UnitDraft(str(unit), f"Unit {unit}", _criteria(unit)) for unit in range(1, UNITS + 1))
    draft = QualificationDraft(_QUALIFICATION, units, "diploma", "WMC1000", "1.0", 2, None)
    database = Database(url)
    try:
        async with database.writing() as session:
            stored = await store_qualification(session, people[0].provider, draft)
            # unscoped: the bench reads every learner
            found = select(Aim.learner_id).where(Aim.qualification_id == stored.qualification_id)
            have = set(await session.scalars(found))
            for each in people:
                if each.learner not in have:
                    owner = {"provider_id": each.provider, "learner_id": each.learner}
                    start = clock.today() - dt.timedelta(days=30)
                    aim = Aim(
                        **owner, qualification_id=stored.qualification_id, status=AimStatus.IN_TRAINING,
                        start_date=start, planned_end_date=start + dt.timedelta(days=360), created_at=clock.now(),
                    )  # fmt: skip
                    session.add(aim)
                    await session.flush()
                    total = UNITS * CRITERIA_OF_A_UNIT
                    session.add(
                        AimProgress(
                            **owner, aim_id=aim.id, criteria_total=total, criteria_mapped=0, criteria_signed_off=0
                        )
                    )
    finally:
        await database.close()


def _criteria(unit: int) -> tuple[CriterionDraft, ...]:
    numbers = range(1, CRITERIA_OF_A_UNIT + 1)
    return tuple(CriterionDraft(f"{unit}.{number}", f"Explain task {number} of unit {unit}.") for number in numbers)


async def links_of(server: Server, people: Sequence[Writer]) -> tuple[str, str]:
    """Returns the links to the time logs of these learners, and to their large progress maps, joined by spaces."""
    connection, time_logs, maps = await Connection().open(server.port), [], []
    for each in people:
        request = encode_post(_LINKS, "Links", {"id": f"Learner_{each.learner}"}, each.token)
        learner: Any = orjson.loads(await connection.answer(request))["data"]["learner"]
        time_logs.append(learner["timeLogExport"]["url"])
        maps += [
            aim["progressMapExport"]["url"]
            for aim in learner["aims"]
            if aim["qualification"]["title"] == _QUALIFICATION
        ]
    connection.close()

    def joined(links: list[str]) -> str:
        return " ".join("/" + link.split("/", 3)[3] for link in links)

    return joined(time_logs), joined(maps)


async def usernames(url: str, people: Sequence[Writer]) -> str:
    """Returns the usernames of learners, joined by spaces."""
    database = Database(url)
    try:
        # unscoped: the bench signs in every learner
        found = select(User.username).join(Learner, Learner.user_id == User.id)
        rows = await database.rows(found.where(Learner.id.in_([each.learner for each in people])))
        return " ".join(row.username for row in rows)
    finally:
        await database.close()


def render(phases: Sequence[Phase]) -> str:
    """Returns the results as a table of Markdown."""
    lines = [
        "| phase | reads | p50 ms | p99 ms | relative | goal | largest memory of the processes | answers |",
        "|---|---|---|---|---|---|---|---|",
    ]
    first = phases[0]
    for each in phases:
        ratio = each.p99 / first.p99
        met = "-" if each is first else "met" if ratio <= MAX_RATIO else "missed"
        answers = ", ".join(f"{number} x {status}" for status, number in sorted(each.answers.items())) or "-"
        lines.append(
            f"| {each.name} | {len(each.reads)} | {median(each.reads):.1f} | {each.p99:.1f} | {ratio:.2f} | {met} | "
            f"{max(each.megabytes):.0f} MB | {answers} |"
        )
    return "\n".join(lines)


async def _run(server: Server, url: str, people: Sequence[Writer], seconds: float) -> list[Phase]:
    exporting, readers = people[:EXPORTS], people[EXPORTS : EXPORTS + 16]
    await add_long_lists(url, exporting)
    time_logs, maps = await links_of(server, exporting)
    names = await usernames(url, people)
    phases = [
        Phase("reads alone"),
        Phase(f"beside {EXPORTS} exports of {ROWS:,} rows"),
        Phase(f"beside {EXPORTS} exports of {UNITS * CRITERIA_OF_A_UNIT:,} criteria"),
        Phase(f"beside {SIGN_INS_A_SECOND * 60:.0f} sign-ins a minute"),
    ]
    # What is read, written and imported once is not measured.
    await measure_phase(Phase("warming up"), server, readers, 3, "exports", f"{time_logs} {maps}")
    await asyncio.sleep(3)
    attacks = (("", ""), ("exports", time_logs), ("exports", maps), ("sign_ins", names))
    for phase, (attack, argument) in zip(phases, attacks, strict=True):
        await measure_phase(phase, server, readers, seconds, attack, argument)
        print(f"{phase.name}: p99 {phase.p99:.1f} ms", file=sys.stderr)
    return phases


def main(arguments: argparse.Namespace, cores: Cores | None) -> int:
    """Runs the benchmark and prints the results; returns the exit status."""
    folder = Path(os.environ.get("WAYMARK_BENCH_FOLDER") or ROOT / "var" / "bench")
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(folder / "postgres-writes", durable=True))
        database, people = asyncio.run(prepare(postgres, folder / "files", "beside", providers=1))
        server = waymark(postgres, database, folder / "waymark-beside")
        stack.callback(server.stop)
        # Not pinned: its threads and worker processes may use every core, as in an installation.
        server.start(folder)
        phases = asyncio.run(_run(server, postgres.url(database), people, arguments.seconds * arguments.rounds))
    print(render(phases))
    return 0
