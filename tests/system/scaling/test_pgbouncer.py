"""A real PgBouncer in transaction mode before PostgreSQL: reads, writes, streams and exports work through it."""

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from services.settings import SettingsError, read_settings
from tests.support.demo_server import Demo
from tests.support.postgres_server import unprivileged
from tests.support.server_process import free_port, server_process
from tests.support.subscriptions import streaming
from tests.system.faults.test_database_outage import CHANGE, QUERY, until_ready
from tests.system.faults.test_database_silent import until_received

# WAYMARK_TEST_PGBOUNCER names another than the installed one.
PROGRAM = os.environ.get("WAYMARK_TEST_PGBOUNCER") or shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
RENAME = "mutation($id: ID!, $name: String!) { learnerUpdate(id: $id, input: { name: $name }) { errors { code } } }"

needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed")


def pooler_setting() -> str:
    """Returns the value of WAYMARK_POOLER for the installed version."""
    assert PROGRAM is not None
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = re.findall(r"(\d+)\.(\d+)", said)[0]
    return "transaction" if (int(major), int(minor)) >= (1, 21) else "transaction-unprepared"


@asynccontextmanager
async def pgbouncer(database_url: str) -> AsyncIterator[str]:
    """PgBouncer in transaction mode with 4 connections to the database; yields the URL through it."""
    assert PROGRAM is not None
    target, port = make_url(database_url), free_port()
    folder = Path(tempfile.mkdtemp(prefix="waymark-pgbouncer-"))
    run_as = unprivileged()
    prepared = "max_prepared_statements = 200\n" if pooler_setting() == "transaction" else ""
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={target.query['host']} port=5432 user={target.username}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 200\n{prepared}"
    )
    if run_as:
        for path in (folder, folder / "pgbouncer.ini"):
            os.chown(path, run_as["user"], run_as["group"])
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, folder / "pgbouncer.ini"], stdout=log, stderr=log, **run_as)
    try:
        async with asyncio.timeout(20):
            while True:
                assert process.poll() is None, (folder / "log").read_text()
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield f"postgresql://{target.username}@127.0.0.1:{port}/{target.database}"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@needs_pgbouncer
async def test_everything_works_in_transaction_mode(demo: Demo, tmp_path: Path) -> None:
    url = await demo.copied("postgresql", tmp_path)
    direct = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    async with pgbouncer(url) as pooled:
        settings = {"WAYMARK_POOLER": pooler_setting(), "WAYMARK_LISTEN_URL": direct}
        async with server_process(pooled, tmp_path, **settings) as server, server.signed_in("master.admin") as person:
            await until_ready(person)
            query = "{ learners(first: 1) { nodes { id timeLogExport { url } } } }"
            learner = (await person.data(query))["learners"]["nodes"][0]
            # Many more at once than PgBouncer has connections: each statement may have another session.
            answers = await asyncio.gather(
                *(person.response(QUERY) for _ in range(40)), *(person.response(CHANGE % f"P {n}") for n in range(20))
            )
            assert all("errors" not in answer for answer in answers)
            assert (await person.data('{ employers(search: "P ") { totalCount } }'))["employers"]["totalCount"] >= 20
            async with streaming(person, "subscription { learnerChanged { id name } }") as stream:
                await asyncio.sleep(0.5)
                renamed = await person.data(RENAME, id=learner["id"], name="Through PgBouncer")
                assert renamed["learnerUpdate"]["errors"] == []
                # The employers that were just created may still concern any learner: their messages may come before.
                await until_received(stream, "Through PgBouncer")
            assert (await person.http.get(learner["timeLogExport"]["url"])).status_code == 200
            bad = [line for line in server.log() if line["event"] in ("unhandled_exception", "request_met_outage")]
            assert bad == []


def test_transaction_mode_needs_a_url_for_notifications() -> None:
    with pytest.raises(SettingsError, match="WAYMARK_LISTEN_URL"):
        read_settings(
            {
                "WAYMARK_DATABASE_URL": "postgresql://waymark@pooler/waymark",
                "WAYMARK_BASE_URL": "https://x.example",
                "WAYMARK_SECRET_KEYS": "a:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
                "WAYMARK_POOLER": "transaction",
            }
        )
