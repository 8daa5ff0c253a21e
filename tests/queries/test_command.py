"""The command line: list, show, and run in every format, with credentials from the environment only."""

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import polars
import pytest

from queries.__main__ import main, parser
from queries.saved import saved_operations
from tests.support.architecture import ROOT
from tests.support.http_server import PASSWORD, Running

FILES = ("csv", "json", "xlsx", "parquet")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch):
    for name in ("WAYMARK_URL", "WAYMARK_TOKEN", "WAYMARK_USERNAME", "WAYMARK_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


async def test_it_runs_as_it_is_typed(served: Running):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "queries", "run", "site_comparison", "--url", served.address, "--sign-in", "basic.admin",
        env={**os.environ, "WAYMARK_PASSWORD": PASSWORD}, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    out, told = await process.communicate()
    heading, _, *rows = out.decode().splitlines()
    assert process.returncode == 0 and heading.split()[:3] == ["id", "name", "kpis.learnerCount"] and len(rows) == 5
    assert told.decode() == "5 rows, 403 points\n"


async def test_files_of_every_format_hold_the_same(
    served: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("WAYMARK_URL", served.address)
    monkeypatch.setenv("WAYMARK_USERNAME", "employer.overview")
    monkeypatch.setenv("WAYMARK_PASSWORD", PASSWORD)
    for ending in FILES:
        path = tmp_path / f"hours.{ending}"
        assert await asyncio.to_thread(main, ["run", "off_the_job_hours", "--out", str(path)]) == 0
        assert f"30 rows in {path}, 403 points" in capsys.readouterr().err
    frame = polars.read_parquet(tmp_path / "hours.parquet")
    names, minutes = frame["name"].to_list(), frame["offTheJob.actualMinutes"].to_list()
    assert len(names) == 30 and sum(minutes) > 0
    written = list(csv.DictReader(io.StringIO((tmp_path / "hours.csv").read_text())))
    assert [row["name"] for row in written] == names
    assert [int(row["offTheJob.actualMinutes"]) for row in written] == minutes
    objects = json.loads((tmp_path / "hours.json").read_text())
    assert [row["offTheJob.actualMinutes"] for row in objects] == minutes
    _, *cells = openpyxl.load_workbook(tmp_path / "hours.xlsx")["off_the_job_hours"].iter_rows(values_only=True)
    place = frame.columns.index("offTheJob.actualMinutes")
    assert [row[1] for row in cells] == names and [row[place] for row in cells] == minutes


async def test_a_variable_narrows_it_down(served: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("WAYMARK_PASSWORD", PASSWORD)
    out = str(tmp_path / "maya.json")
    run = ["run", "employer_dashboard", "--url", served.address, "--sign-in", "iqa", "--out", out]
    assert await asyncio.to_thread(main, [*run, "--var", "filter.search=maya", "--var", "first=1"]) == 0
    rows = json.loads((tmp_path / "maya.json").read_text())
    assert len(rows) >= 3 and all("Maya" in row["learners.name"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["run", "site_comparision"], 2, "Did you mean site_comparison?"),
        (["run", "log_time"], 2, "log_time is a mutation: only queries can be run here."),
        (["run", "time_log"], 2, "Variable learnerId is missing. Expected: ID, required."),
        (["run", "site_comparison", "--role", "BOSS"], 2, "There is no role 'BOSS': it is one of ASSESSOR,"),
        (["run", "site_comparison", "--format", "xlsx"], 2, "name a file with --out"),
        (["run", "site_comparison", "--out", "nowhere/at/all.csv"], 2, "There is no folder nowhere/at"),
        (["run", "site_comparison"], 3, "Say who asks: set WAYMARK_USERNAME and WAYMARK_PASSWORD, or WAYMARK_TOKEN."),
        (["show", "nothing_of_the_kind"], 2, "`python -m queries list` shows what there is."),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    arguments: list[str], status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    # Whoever connected here would be told that there is no server.
    monkeypatch.setenv("WAYMARK_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(arguments) == status
    found = capsys.readouterr()
    assert said in found.err and len(found.err.splitlines()) == 1 and not found.out


def test_no_option_takes_a_password_or_a_token():
    (commands,) = (action for action in parser()._actions if action.choices)
    options = {option for command in commands.choices.values() for option in command._option_string_actions}
    assert "--sign-in" in options and not any("pass" in option or "token" in option for option in options)


def test_a_token_and_a_role_do_not_go_together(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("WAYMARK_TOKEN", "x")
    assert main(["run", "site_comparison", "--role", "IQA"]) == 2
    assert "A token carries its role" in capsys.readouterr().err


def test_the_list_has_a_line_for_each(capsys: pytest.CaptureFixture[str]):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(saved_operations())
    assert any(line.endswith("(mutation)") for line in lines) and any(line.endswith("(subscription)") for line in lines)


def test_an_operation_is_shown_with_all_there_is_to_know(capsys: pytest.CaptureFixture[str]):
    assert main(["show", "time_log"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("A learner's time log (List View)")
    for part in ("  learnerId: ID, required\n", "  timeLog.date: date\n", "Costs 204 points", "query TimeLog("):
        assert part in shown
