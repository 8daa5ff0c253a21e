"""Exports of rows are read and written by processes of their own: what they know, how they fail, and how they end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from db.database import statement_count
from db.outages import Outage, outage_of
from db.priority import BACKGROUND
from db.worker_process import worker_environment
from services.exports import row_exports
from services.exports.row_exports import ExportFailed
from tests.support.architecture import ROOT
from tests.support.forked_exports import start_interpreter
from tests.support.processes import has_ended
from tests.support.signed_url_counter import Counter

KINDS = ("timeLogExport", "progressMapExport", "recordOfAchievementExport")


def pids(counter: Counter) -> set[int]:
    """Returns the processes that make exports."""
    return {worker._process._process.pid for worker in counter.url_service.workers._workers}


async def gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while not has_ended(pid):
            await asyncio.sleep(0.02)


async def test_the_server_sends_no_statement_for_an_export(counter: Counter) -> None:
    exports, counted = await counter.exports("ada"), [0]
    for kind in KINDS:
        token = statement_count.set(counted)
        try:
            assert await counter.generate(exports[kind]) is not None
        finally:
            statement_count.reset(token)
    assert counted == [0]
    # One after another: one process made them.
    assert len(pids(counter)) == 1


async def test_a_process_has_a_session_of_its_own_and_a_low_priority(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a server starts it: elsewhere the tests do without the priority.
    monkeypatch.setattr(row_exports.processes, "start", start_interpreter)
    assert await counter.generate((await counter.exports("ada"))["timeLogExport"])
    (worker,) = counter.url_service.workers._workers
    pid = worker._process.pid
    assert os.getsid(pid) == pid
    assert {thread.id: os.getpriority(os.PRIO_PROCESS, thread.id) for thread in psutil.Process(pid).threads()} == {
        thread.id: psutil.Process().nice() + BACKGROUND for thread in psutil.Process(pid).threads()
    }


async def test_an_outage_that_a_process_meets_is_one_of_the_server(counter: Counter, tmp_path: Path) -> None:
    claims, workers = (await counter.exports("ada"))["timeLogExport"], counter.url_service.workers
    url = workers._settings["database"]
    away = "sqlite+aiosqlite:////none/none.db" if counter.scenario.database.is_sqlite else f"{url}?host={tmp_path}"
    workers._settings["database"] = away
    with pytest.raises(ExportFailed) as raised:
        await counter.generate(claims)
    assert outage_of(raised.value) is Outage.UNAVAILABLE
    (pid,) = pids(counter)
    await workers.close()
    await gone(pid)
    workers._settings["database"] = url
    assert await counter.generate(claims) is not None
    assert counter.url_service.slots.held == 0


async def test_a_defect_is_named_without_its_message(counter: Counter) -> None:
    claims = (await counter.exports("ada"))["timeLogExport"]
    with pytest.raises(RuntimeError, match="^ValueError in an export$"):
        await counter.generate({**claims, "filters": {"job_setting": "hunter2"}})
    # It goes on.
    assert await counter.generate(claims) is not None and len(pids(counter)) == 1


async def test_a_process_ends_when_nobody_waits_for_its_export(counter: Counter) -> None:
    claims = (await counter.exports("ada"))["timeLogExport"]
    assert await counter.generate(claims) is not None
    (pid,) = pids(counter)
    (worker,) = counter.url_service.workers._workers
    os.kill(pid, signal.SIGSTOP)
    waiting = asyncio.create_task(counter.generate(claims))
    await asyncio.sleep(0.2)
    assert counter.url_service.slots.running == 1
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await gone(pid)
    assert (counter.url_service.slots.running, counter.url_service.slots.held) == (0, 0)
    assert await counter.generate(claims) is not None and pid not in pids(counter)
    assert not worker._folder.path.exists()


async def test_an_export_that_takes_too_long_is_ended(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = (await counter.exports("ada"))["timeLogExport"]
    assert await counter.generate(claims) is not None
    (pid,) = pids(counter)
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(row_exports, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(ExportFailed):
        await counter.generate(claims)
    await gone(pid)


async def test_a_killed_process_is_replaced(counter: Counter) -> None:
    claims = (await counter.exports("ada"))["progressMapExport"]
    assert await counter.generate(claims) is not None
    (pid,) = pids(counter)
    os.kill(pid, signal.SIGKILL)
    assert await counter.generate(claims) is not None
    assert pid not in pids(counter) and len(pids(counter)) == 1


@pytest.mark.parametrize("answer", ["", "x" * 100_000, "{}", '{"size": -1}', '{"size": 1e9}', '{"size": 9999999999}'])
async def test_what_is_no_answer_is_refused(counter: Counter, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Also that of a process which says something else than what was agreed."""

    async def start(module: str, **variables: str) -> asyncio.subprocess.Process:
        program = f"print({answer!r}, flush=True); input()"
        return await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=-1, stdout=-1)

    monkeypatch.setattr(row_exports.processes, "start", start)
    with pytest.raises((ExportFailed, KeyError)):
        await counter.generate({"export": "time-log", "user": 1})


def test_a_process_knows_no_setting_and_ends_with_its_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYMARK_SECRET_KEYS", "secret")
    folder = tmp_path / "own"
    folder.mkdir()
    settings: dict[str, Any] = {
        "database": f"sqlite:///{tmp_path / 'none' / 'none.db'}", "pooler": "none", "statementSeconds": 8,
        "folder": str(folder),
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "resolvers.exports.worker"], cwd=ROOT, env=worker_environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    claims = {"export": "time-log", "user": 1, "role": "LEARNER", "signIn": 1, "learner": 1, "filters": {}}
    process.stdin.write(json.dumps(settings).encode() + b"\n" + json.dumps(claims).encode() + b"\n")
    process.stdin.flush()
    header = json.loads(process.stdout.readline())
    assert header["failure"] == "UNAVAILABLE" and "unable to open" in header["cause"]
    assert header["where"].startswith(("resolvers/", "auth/", "db/"))
    assert not [name for name in psutil.Process(process.pid).environ() if name.startswith("WAYMARK_")]
    # It works on the next one when its input ends.
    process.stdin.close()
    process.wait(timeout=20)
    assert not folder.exists()
