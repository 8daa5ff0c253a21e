"""Measures how long `kpiHistory` takes: `python -m bench.history --url URL --learners 10000`.

The database is made and filled with a cohort if it has no table yet. Prints the wall time, and on SQLite the time of
the processor, of a year of weeks, months and days of all learners, and of the groups on a past day; and the time of the
saved query `kpi_history` over HTTP, as a client waits for it.
"""

import argparse
import asyncio
import datetime as dt
import os
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import func, select

from auth.access_keys import authenticate_key, digest
from auth.viewer import Viewer
from bench.servers import with_defaults
from db.database import Database
from db.history.complete import complete
from db.migrate import migrate
from db.models.access_key import AccessKey
from db.models.aim_history import AimHistory
from db.models.user import RoleGrant
from domain import clock
from domain.enums import Interval, KpiGroupBy, Role
from loaders.core.qualification_cache import QualificationCache
from loaders.core.read_session import ReadSession
from loaders.kpi_history import kpi_history
from loaders.kpi_past import kpi_groups_on
from queries.client import Client
from queries.operations import get_query
from services.demo.accounts import PASSWORD
from services.demo.cohort import build_cohort
from services.storage.file_store import open_store

ROUNDS = 5


async def measure(url: str, learners: int, folder: Path) -> None:
    """Fills the database if it is empty, and prints the times."""
    database = Database(url)
    await migrate(database)
    # unscoped: a database of the benchmark
    admins = select(RoleGrant.user_id, RoleGrant.provider_id).where(RoleGrant.role == Role.MASTER_ADMIN)
    if not await database.rows(admins.limit(1)):
        await build_cohort(database, open_store(folder), learners=learners)
        await complete(database)
        await database.analyze()
    (admin, *_) = await database.rows(admins.limit(1))
    viewer = await _viewer(database, admin.user_id, admin.provider_id)
    # unscoped: a database of the benchmark
    (rows,) = await database.rows(select(func.count().label("count")).select_from(AimHistory))
    print(f"{rows.count:,} rows of history")
    today = clock.today()
    year_ago = today - dt.timedelta(days=364)

    reading = ReadSession(database, viewer, QualificationCache(database))
    for every in Interval:
        await _timed(f"a year, {every.value}", partial(kpi_history, reading, year_ago, today, every, {}))
    day = today - dt.timedelta(days=100)
    await _timed("groups of a day", partial(kpi_groups_on, reading, KpiGroupBy.QUALIFICATION, day, {}))
    await database.close()
    _over_http(url, folder, year_ago, today)


def _over_http(url: str, folder: Path, since: dt.date, until: dt.date) -> None:
    server, operation = with_defaults(url, folder), get_query("kpi_history")
    server.start(folder)
    try:
        with Client(f"http://127.0.0.1:{server.port}") as client:
            client.sign_in("cohort.admin", PASSWORD)
            for every in Interval:
                variables, wall = {"since": str(since), "until": str(until), "every": every.value}, []
                for _ in range(ROUNDS):
                    began = time.perf_counter()
                    data = client.execute(operation, variables).data
                    wall.append(time.perf_counter() - began)
                count, load = len(data["viewer"]["kpiHistory"]), os.getloadavg()[0]
                print(f"a year, {every.value}, over HTTP: {count} rows, {1000 * median(wall):.0f} ms; load {load:.1f}")
    finally:
        server.stop()


async def _viewer(database: Database, user_key: int, provider_key: int) -> Viewer:
    secret, now = secrets.token_urlsafe(), clock.now()
    async with database.writing() as session:
        session.add(
            AccessKey(
                provider_id=provider_key, user_id=user_key, role=Role.MASTER_ADMIN, name="bench",
                secret_sha256=digest(secret), operations=[], created_at=now, expires_at=now + dt.timedelta(hours=1),
            )
        )  # fmt: skip
    return await authenticate_key(database, secret)


async def _timed(what: str, run: Callable[[], Awaitable[Sequence[Any]]]) -> None:
    wall, processor = [], []
    for _ in range(ROUNDS):
        began, used = time.perf_counter(), time.process_time()
        found = await run()
        wall.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    print(
        f"{what}: {len(found)} rows, {1000 * median(wall):.0f} ms, of which this process used "
        f"{1000 * median(processor):.0f} ms"
    )


def main() -> None:
    """Reads the arguments and measures."""
    parser = argparse.ArgumentParser(description="Measures how long kpiHistory takes.")
    parser.add_argument("--url", required=True, help="sqlite:///FILE or postgresql://...")
    parser.add_argument("--learners", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(arguments.url, arguments.learners, Path(folder)))


if __name__ == "__main__":
    main()
