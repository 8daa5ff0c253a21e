"""The command line: list, show, and run in every format, with credentials from the environment only."""

import asyncio
import csv
import datetime as dt
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import openpyxl
import polars
import pytest

from queries.__main__ import build_parser, main
from queries.operations import saved_operations
from tests.support.architecture import ROOT
from tests.support.http_server import PASSWORD, RunningServer

FILES = ("csv", "json", "xlsx", "parquet")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch):
    for name in ("WAYMARK_URL", "WAYMARK_TOKEN", "WAYMARK_USERNAME", "WAYMARK_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


async def test_command_runs_as_a_process(served: RunningServer):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "queries", "run", "site_comparison", "--url", served.address, "--sign-in", "basic.admin",
        env={**os.environ, "WAYMARK_PASSWORD": PASSWORD}, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    out, errors = await process.communicate()
    header, _, *rows = out.decode().splitlines()
    assert process.returncode == 0 and header.split()[:3] == ["id", "name", "kpis.learnerCount"] and len(rows) == 5
    assert re.fullmatch(r"5 rows as of 20[0-9-]{8}T[0-9:]{8}Z, 403 points\n", errors.decode())


async def test_files_of_every_format_have_the_same_data(
    served: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("WAYMARK_URL", served.address)
    monkeypatch.setenv("WAYMARK_USERNAME", "employer.overview")
    monkeypatch.setenv("WAYMARK_PASSWORD", PASSWORD)
    for extension in FILES:
        path = tmp_path / f"hours.{extension}"
        assert await asyncio.to_thread(main, ["run", "off_the_job_hours", "--out", str(path)]) == 0
        assert re.search(rf"30 rows as of \S+Z in {path}, 403 points", capsys.readouterr().err)
    frame = polars.read_parquet(tmp_path / "hours.parquet")
    names, minutes = frame["name"].to_list(), frame["offTheJob.actualMinutes"].to_list()
    assert len(names) == 30 and sum(minutes) > 0
    csv_rows = list(csv.DictReader(io.StringIO((tmp_path / "hours.csv").read_text("utf-8-sig"))))
    assert [row["name"] for row in csv_rows] == names
    assert [int(row["offTheJob.actualMinutes"]) for row in csv_rows] == minutes
    objects = json.loads((tmp_path / "hours.json").read_text())
    assert [row["offTheJob.actualMinutes"] for row in objects] == minutes
    _, *cells = openpyxl.load_workbook(tmp_path / "hours.xlsx")["off_the_job_hours"].iter_rows(values_only=True)
    index = frame.columns.index("offTheJob.actualMinutes")
    assert [row[1] for row in cells] == names and [row[index] for row in cells] == minutes
    # One moment for the whole file, in every format.
    moments = [
        set(frame["asOf"]),
        *({dt.datetime.fromisoformat(row["asOf"]) for row in of} for of in (objects, csv_rows)),
    ]
    for (as_of,) in moments:
        assert abs(as_of - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)


async def test_variable_filters_the_rows(served: RunningServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("WAYMARK_PASSWORD", PASSWORD)
    out = str(tmp_path / "maya.json")
    run = ["run", "employer_dashboard", "--url", served.address, "--sign-in", "iqa", "--out", out]
    assert await asyncio.to_thread(main, [*run, "--var", "filter.search=maya", "--var", "first=1"]) == 0
    rows = json.loads((tmp_path / "maya.json").read_text())
    assert len(rows) >= 3 and all("Maya" in row["learners.name"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["run", "site_comparision"], 2, "Did you mean site_comparison?"),
        (["run", "log_time"], 2, "log_time is a mutation. Only queries can be run here."),
        (["run", "time_log"], 2, "Variable learnerId is missing. Expected: ID, required."),
        (["run", "site_comparison", "--role", "BOSS"], 2, "Unknown role 'BOSS'. Use one of ASSESSOR,"),
        (["run", "site_comparison", "--format", "xlsx"], 2, "Name a file with --out"),
        (["run", "site_comparison", "--out", "nowhere/at/all.csv"], 2, "The folder nowhere/at does not exist."),
        (["run", "site_comparison"], 3, "No credentials. Set WAYMARK_USERNAME and WAYMARK_PASSWORD, or WAYMARK_TOKEN."),
        (["show", "nothing_of_the_kind"], 2, "Run `python -m queries list` to see all names."),
    ],
)
def test_usage_error_is_reported_before_a_request_is_sent(
    arguments: list[str], status: int, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    # No server listens here: a request would be reported as a failed connection.
    monkeypatch.setenv("WAYMARK_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(arguments) == status
    found = capsys.readouterr()
    assert message in found.err and len(found.err.splitlines()) == 1 and not found.out


def test_no_option_takes_a_password_or_a_token():
    (commands,) = (action for action in build_parser()._actions if action.choices)
    options = {option for command in commands.choices.values() for option in command._option_string_actions}
    assert "--sign-in" in options and not any("pass" in option or "token" in option for option in options)


def test_token_and_role_are_rejected_together(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("WAYMARK_TOKEN", "x")
    assert main(["run", "site_comparison", "--role", "IQA"]) == 2
    assert "--role cannot be used with WAYMARK_TOKEN" in capsys.readouterr().err


def test_list_has_a_line_for_each_operation(capsys: pytest.CaptureFixture[str]):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(saved_operations())
    assert any(line.endswith("(mutation)") for line in lines) and any(line.endswith("(subscription)") for line in lines)


def test_show_prints_description_variables_columns_and_text(capsys: pytest.CaptureFixture[str]):
    assert main(["show", "time_log"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("A learner's time log (List View)")
    for part in ("  learnerId: ID, required\n", "  timeLog.date: date\n", "Costs 205 points", "query TimeLog("):
        assert part in shown
