"""The command line: each command in a process of its own, on both databases."""

import ast
import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auth import second_factor
from auth.auth_sessions import account_by_username
from auth.seals import Seals
from commands.command_line import make_parser
from db.database import Database
from db.sqlite_file import only_server
from domain import clock
from tests.support import preloaded_process

ROOT = Path(__file__).parents[2]
KEY = "first:" + "bXkga2V5IGlzIG5vdCBzaG9ydCwgYW5kIGl0IGlzIG5vdCB5b3Vycw=="


class Operator:
    """Runs commands on an installation with an empty database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")},
            "WAYMARK_DATABASE_URL": url.replace("+aiosqlite", "").replace("+asyncpg", ""),
            "WAYMARK_DATA": str(folder),
            "WAYMARK_BASE_URL": "https://portfolio.example",
            "WAYMARK_SECRET_KEYS": KEY,
        }

    def run(self, *words: str, answers: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {**self.environment, **environment}
        return preloaded_process.run(*words, environment=settings, answers=answers, folder=self.folder)


@pytest.fixture
def operator(own_database_url: str, tmp_path: Path) -> Operator:
    return Operator(own_database_url, tmp_path)


ADMIN = (
    "admin",
    "--provider",
    "Hill College",
    "--ukprn",
    "10001234",
    "--name",
    "Ana Ito",
    "--email",
    "Ana@Hill.example",
)
CSV = (
    "unit_number,unit_title,criterion_code,criterion_description\n"
    "1,Saws,1.1,Names the parts of a saw\n1,Saws,1.2,Sets a saw\n"
)


# For what does not depend on the database: a process takes a second or two.
sqlite_only = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def test_a_new_installation_gets_its_first_admin_and_a_qualification(operator: Operator) -> None:
    assert "up to date" in operator.run("migrate").stdout
    made = operator.run(*ADMIN, answers="a heron on the weir\n")
    assert made.returncode == 0, made.stderr
    assert "ana@hill.example can sign in as a Master Admin of Hill College" in made.stdout
    again = operator.run(*ADMIN, answers="a heron on the weir\n")
    assert (again.returncode, again.stderr) == (1, "There is already an account with the username ana@hill.example.\n")

    (operator.folder / "saws.csv").write_text(CSV)
    imported = operator.run("import", "saws.csv", "--title", "Saws", "--reference", "ST9001", "--version", "1.0")
    assert imported.returncode == 0, imported.stderr
    assert imported.stdout.startswith("Saws 1.0: ")
    twice = operator.run("import", "saws.csv", "--title", "Saws", "--reference", "ST9001", "--version", "1.0")
    assert twice.stdout != imported.stdout
    assert "unchanged" in twice.stdout.lower()
    assert operator.run("verify").returncode == 0


@pytest.mark.long
async def test_a_lost_second_factor_is_removed_and_secrets_are_sealed_again(
    operator: Operator, own_database_url: str
) -> None:
    operator.run("migrate")
    operator.run(*ADMIN, answers="a heron on the weir\n")
    none = operator.run("second-factor-remove", "Ana@hill.example")
    assert (none.returncode, none.stderr) == (1, "This account has no second factor.\n")
    unknown = operator.run("second-factor-remove", "nobody")
    assert unknown.returncode == 1 and "no account" in unknown.stderr
    database, now = Database(own_database_url), clock.now()
    async with database.writing() as session:
        account = await account_by_username(session, "ana@hill.example", 1)
        assert account is not None
        await second_factor.begin(session, Seals({"another": b"a" * 32}), account.user, now)
        await session.flush()
        factor = await second_factor.second_factor_of(session, account.user.id)
        assert factor is not None
        await second_factor.confirm(session, factor, now)
    await database.close()
    sealed = operator.run("second-factor-seal")
    assert sealed.returncode == 1 and sealed.stderr.startswith("1 cannot be read with any key of WAYMARK_SECRET_KEYS")
    removed = operator.run("second-factor-remove", "Ana@hill.example")
    assert removed.returncode == 0, removed.stderr
    assert operator.run("second-factor-seal").stdout == "Sealed with the newest key: 0.\n"
    assert operator.run("verify").returncode == 0


@sqlite_only
def test_an_invalid_file_is_rejected_with_every_problem_and_its_line(operator: Operator) -> None:
    operator.run("migrate")
    operator.run(*ADMIN, answers="a heron on the weir\n")
    (operator.folder / "bad.csv").write_text(CSV + "1,Saws,1.1,Again\n2,,2.1,\n")
    refused = operator.run("import", "bad.csv", "--title", "Saws")
    assert refused.returncode == 1
    assert "bad.csv: line 4" in refused.stderr and "bad.csv: line 5" in refused.stderr


@sqlite_only
def test_a_weak_password_makes_no_admin(operator: Operator) -> None:
    operator.run("migrate")
    refused = operator.run(*ADMIN, answers="password\n")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Password:" in refused.stderr


def test_outdated_tables_are_reported(tmp_path: Path) -> None:
    operator = Operator(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path)
    for words in ((), ADMIN):
        refused = operator.run(*words, answers="a heron on the weir\n")
        assert refused.returncode == 1
        assert "server.py migrate" in refused.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAYMARK_PORT", "eighty"),
        ("WAYMARK_DATABASE_URL", "mysql://u:secret@h/d"),
        ("WAYMARK_SECRET_KEYS", "first:c2hvcnQ="),
        ("WAYMARK_SECRET_KEYS", "first:" + "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"),
        ("WAYMARK_EXECUTOR", "fastest"),
        ("WAYMARK_OPERATIONS", "some"),
        ("WAYMARK_BASE_URL", ""),
    ],
)
def test_an_invalid_setting_is_named_with_what_to_set(tmp_path: Path, name: str, value: str) -> None:
    operator = Operator(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path)
    if name == "WAYMARK_BASE_URL":
        del operator.environment[name]
        refused = operator.run("migrate")
    else:
        refused = operator.run("migrate", **{name: value})
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"{name}: set ")
    assert "secret" not in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.long
@sqlite_only
def test_a_cohort_of_any_size(operator: Operator) -> None:
    operator.run("migrate")
    made = operator.run("demo", "--learners", "12")
    assert made.returncode == 0, made.stderr
    assert "cohort.overview" in made.stdout
    assert "12/12" in made.stderr
    assert operator.run("verify").returncode == 0
    assert "whole number" in operator.run("demo", "--learners", "many").stderr


# What the server is built on, and what takes longest to import.
HEAVY = {"sqlalchemy", "strawberry", "graphql", "polars", "typst", "uvicorn", "starlette", "alembic", "orjson"}
LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
import server
try:
    server.main(sys.argv[2:])
except SystemExit as exit:
    assert exit.code == 0
print(sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def _loaded(folder: Path, *words: str) -> set[str]:
    """The top-level modules that are loaded after the command line has handled the words."""
    run = subprocess.run(
        [sys.executable, "-c", LOADED, str(ROOT), *words], capture_output=True, text=True, timeout=120, check=True,
        cwd=folder, env={**os.environ, "WAYMARK_DATA": str(folder)},
    )  # fmt: skip
    return set(ast.literal_eval(run.stderr.splitlines()[-1]))


@pytest.mark.parametrize("words", [("--help",), ("serve", "--help"), ("schema", "--help"), ("import", "--help")])
def test_help_loads_no_library(tmp_path: Path, words: tuple[str, ...]) -> None:
    loaded = _loaded(tmp_path, *words)
    assert "server" in loaded and "commands" in loaded
    assert loaded & HEAVY == set()


def test_a_command_loads_what_it_needs(tmp_path: Path) -> None:
    """Shows that the test above finds a library that is loaded."""
    assert _loaded(tmp_path, "schema") & HEAVY >= {"sqlalchemy", "strawberry", "graphql"}


def functions_of(parser: ArgumentParser) -> Iterator[tuple[str, Any]]:
    """Yields each command, and each action of a command that has some, with what runs it."""
    for commands in (action for action in parser._actions if action.dest in ("command", "action")):
        for name, inner in commands.choices.items():
            nested = list(functions_of(inner))
            yield from [(f"{name} {action}", run) for action, run in nested] or [(name, inner.get_default("run"))]


def test_the_function_of_every_command_exists() -> None:
    functions = dict(functions_of(make_parser()))
    assert functions.pop("serve") is None and len(functions) > 8
    for name, run in functions.items():
        assert callable(run.function()), name


def test_migrate_expands_and_contracts(operator: Operator) -> None:
    both = operator.run("migrate", "--expand", "--contract")
    assert both.returncode == 2 and "not allowed with" in both.stderr
    for option in ("--expand", "--contract"):
        done = operator.run("migrate", option)
        assert (done.returncode, done.stdout) == (0, "The tables are up to date.\n"), done.stderr


def test_contract_refuses_tables_that_are_not_expanded(tmp_path: Path) -> None:
    refused = Operator(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path).run("migrate", "--contract")
    assert refused.returncode == 1 and "migrate --expand" in refused.stderr


def test_doctor_reports_as_lines_and_as_json(operator: Operator) -> None:
    operator.environment["WAYMARK_BASE_URL"] = "http://portfolio.example"
    found = operator.run("doctor")
    assert found.returncode == 1, found.stderr
    statuses = [line.split()[0] for line in found.stdout.splitlines()]
    assert statuses == sorted(statuses, key=["problem", "warning", "ok"].index) and "problem" in statuses
    document = json.loads(operator.run("doctor", "--json").stdout)
    assert document["ok"] is False and len(document["findings"]) == len(statuses)
    assert set(document["findings"][0]) == {"check", "status", "message"}


@sqlite_only
def test_doctor_succeeds_where_nothing_is_wrong(operator: Operator) -> None:
    operator.folder.chmod(0o700)
    Path(operator.environment["WAYMARK_DATABASE_URL"].partition("///")[2]).chmod(0o600)
    (operator.folder / "waymark.dump").touch()
    found = operator.run("doctor", "--backups", str(operator.folder))
    assert (found.returncode, found.stderr) == (0, ""), found.stdout


@sqlite_only
def test_a_second_server_on_an_sqlite_file_is_refused_and_commands_are_not(operator: Operator) -> None:
    with only_server(operator.environment["WAYMARK_DATABASE_URL"]):
        refused = operator.run("serve")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "Another Waymark server" in refused.stderr
        assert operator.run("verify").returncode == 0


def test_verify_continues_from_its_state(operator: Operator) -> None:
    state = operator.folder / "state.json"
    state.write_text(json.dumps({"check": "files", "position": 5, "problems": 2}))
    continued = operator.run("verify", "--state", str(state))
    assert continued.returncode == 1
    assert continued.stderr == "Continues the last run (files).\n2 problems found.\n"
    assert not state.exists()
    assert operator.run("verify", "--state", str(state)).returncode == 0
    state.write_text("[]")
    refused = operator.run("verify", "--state", str(state))
    assert refused.returncode == 1 and refused.stderr.startswith("--state: ")
