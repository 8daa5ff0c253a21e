"""Attacks a server in each way that once stopped it, and measures what a user who works meanwhile notices of it."""

import argparse
import asyncio
import datetime as dt
import email
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from db.database import Database
from db.models.learner import Learner
from db.models.time_log_entry import TimeLogEntry
from domain import clock
from domain.enums import ActivityType, JobSetting
from tests.support.databases import BACKENDS, Databases
from tests.support.demo_server import Demo
from tests.support.server_process import ServerProcess, server_process
from tests.system.attacks.attackers import ATTACKS, attacking
from tests.system.attacks.honest import SIGN_IN, Times, memory, working

# The goals: the median beside an attack over the median without, and a median that a person does not notice. A sign-in
# takes its time on purpose, so that its goal beside exports is the ratio of its 99th percentiles.
MAX_RATIO, MAX_P50, MAX_SIGN_IN_RATIO = 3.0, 50.0, 2.0
ENTRIES = 20_000
# Of one learner's time log, each by a link of their own. The first is the one who works meanwhile.
EXPORTS = ("exports", "exports_of_one")
EXPORTERS = ("master.admin", "basic.admin", "assessor", "iqa")


async def measured(server: ServerProcess, person: Any, attack: str, seconds: float, argument: str) -> bool:
    """Prints the user's times without and beside an attack; returns whether the goals are met."""
    async with working(server, person) as before:
        await asyncio.sleep(seconds)
    megabytes = memory(server.pid)
    async with attacking(attack, server.port, seconds, argument) as attacked, working(server, person) as during:
        statuses = await attacked
    print(f"{attack}: {ATTACKS[attack].__doc__}\n  answers {statuses}, honest requests refused: {during.refused}")
    good = not during.refused
    for name in during.of:
        good &= _report(name, before, during, attack)
    print(f"  memory {megabytes:.0f} to {memory(server.pid):.0f} MB", flush=True)
    return good


def _report(name: str, before: Times, during: Times, attack: str) -> bool:
    ratio = during.p50(name) / before.p50(name)
    p50 = f"p50 {before.p50(name):.1f} to {during.p50(name):.1f} ms ({ratio:.1f} x)"
    p99 = f"p99 {before.p99(name):.1f} to {during.p99(name):.1f} ms"
    print(f"  {name}: {p50}, {p99}, worst {during.worst(name):.1f} ms")
    if name == SIGN_IN:
        return attack not in EXPORTS or during.p99(name) <= MAX_SIGN_IN_RATIO * before.p99(name)
    return ratio <= MAX_RATIO and during.p50(name) <= MAX_P50


async def _argument(attack: str, server: ServerProcess, person: Any, learner: str) -> str:
    if attack == "passwords":
        return await _reset_token(server)
    if attack in EXPORTS:
        return " ".join([await _export_link(server, username, learner) for username in EXPORTERS])
    if attack == "sign_ins":
        return "learner assessor iqa basic.admin employer.overview"
    return person.tokens["accessToken"] if attack == "variables" else ""


async def _export_link(server: ServerProcess, username: str, learner: str) -> str:
    async with server.signed_in(username) as person:
        data = await person.data("query($id: ID!) { learner(id: $id) { timeLogExport { url } } }", id=learner)
        return data["learner"]["timeLogExport"]["url"].removeprefix(server.address)


async def _reset_token(server: ServerProcess) -> str:
    """Asks for a link to reset a password, and takes its token from the e-mail, which is written to a file."""
    async with server.anonymous() as anonymous:
        await anonymous.data('mutation { passwordResetRequest(username: "learner") { errors { code } } }')
    async with asyncio.timeout(60):
        while True:
            for file in (server.folder / "mail").rglob("*.eml"):
                for part in email.message_from_bytes(file.read_bytes()).walk():
                    content = part.get_payload(decode=True)
                    if isinstance(content, bytes) and (found := re.search(rb"token=([\w-]+)", content)):
                        return found[1].decode()
            await asyncio.sleep(0.1)


async def _long_time_log(url: str) -> str:
    """Gives a learner a time log of 20,000 entries; returns the learner's id."""
    database = Database(url)
    try:
        async with database.writing() as session:
            learner = (await session.scalars(select(Learner).order_by(Learner.id))).first()
            assert learner is not None
            values = {
                "provider_id": learner.provider_id, "learner_id": learner.id, "activity_type": next(iter(ActivityType)),
                "job_setting": next(iter(JobSetting)), "minutes": 60, "comments": "Learned about brakes. " * 5,
                "automatic": False, "added_by_id": learner.user_id, "added_at": clock.now(), "version": 1,
            }  # fmt: skip
            day = dt.date(2026, 1, 1)
            days = [{**values, "date": day + dt.timedelta(days=n % 300)} for n in range(ENTRIES)]
            await session.execute(insert(TimeLogEntry), days)
            return f"Learner_{learner.id}"
    finally:
        await database.close()


async def run(attacks: list[str], backend: str, seconds: float) -> bool:
    """Runs the attacks on one server after another; returns whether the goals are met."""
    good = True
    with tempfile.TemporaryDirectory(prefix="waymark-attack-") as place:
        databases = Databases(Path(place))
        try:
            demo = Demo(databases, Path(place) / "demo")
            for attack in attacks:
                folder = Path(place) / attack
                url = await demo.copied(backend, folder)
                learner = await _long_time_log(url) if attack in EXPORTS else ""
                # The user's own requests are many: what is limited is the attacker's.
                async with server_process(url, folder, WAYMARK_LIMIT_BUDGET="0") as server:
                    async with server.signed_in("master.admin") as person:
                        argument = await _argument(attack, server, person, learner)
                        good &= await measured(server, person, attack, seconds, argument)
        finally:
            await databases.close()
    return good


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("attack", nargs="*", help=f"of {', '.join(ATTACKS)}; all of them by default")
    asked.add_argument("--seconds", type=float, default=15)
    asked.add_argument("--database", choices=BACKENDS, default="sqlite")
    arguments = asked.parse_args()
    if unknown := set(arguments.attack) - set(ATTACKS):
        asked.error(f"unknown attack: {', '.join(sorted(unknown))}")
    met = asyncio.run(run(arguments.attack or list(ATTACKS), arguments.database, arguments.seconds))
    print("Every goal is met." if met else f"Missed: a median within {MAX_RATIO:g} x and {MAX_P50:g} ms, none refused.")
    sys.exit(0 if met else 1)
