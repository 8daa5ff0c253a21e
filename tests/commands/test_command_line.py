"""The command line, as an operator types it: each command in a process of its own, on both databases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
KEY = "first:" + "bXkga2V5IGlzIG5vdCBzaG9ydCwgYW5kIGl0IGlzIG5vdCB5b3Vycw=="


class Operator:
    """Somebody at a terminal, with an installation on an empty database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")},
            "WAYMARK_DATABASE_URL": url.replace("+aiosqlite", "").replace("+asyncpg", ""),
            "WAYMARK_DATA": str(folder),
            "WAYMARK_BASE_URL": "https://portfolio.example",
            "WAYMARK_SECRET_KEYS": KEY,
        }

    def types(self, *words: str, answers: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(HOUSE / "server.py"), *words],
            env={**self.environment, **environment},
            input=answers,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.folder,
            check=False,
        )


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
CSV = "unit_number,unit_title,criterion_code,criterion_description\n1,Saws,1.1,Names the parts of a saw\n1,Saws,1.2,Sets a saw\n"


# What does not depend on the database is seen on one: a process takes two seconds to start.
on_one = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def test_a_new_installation_gets_its_first_admin_and_a_qualification(operator: Operator) -> None:
    assert "up to date" in operator.types("migrate").stdout
    made = operator.types(*ADMIN, answers="a heron on the weir\n")
    assert made.returncode == 0, made.stderr
    assert "ana@hill.example can sign in as a Master Admin of Hill College" in made.stdout
    again = operator.types(*ADMIN, answers="a heron on the weir\n")
    assert (again.returncode, again.stderr) == (1, "There is a login named ana@hill.example already.\n")

    (operator.folder / "saws.csv").write_text(CSV)
    imported = operator.types("import", "saws.csv", "--title", "Saws", "--reference", "ST9001", "--version", "1.0")
    assert imported.returncode == 0, imported.stderr
    assert imported.stdout.startswith("Saws 1.0: ")
    twice = operator.types("import", "saws.csv", "--title", "Saws", "--reference", "ST9001", "--version", "1.0")
    assert twice.stdout != imported.stdout
    assert "unchanged" in twice.stdout.lower()
    assert operator.types("verify").returncode == 0


@on_one
def test_a_bad_file_is_refused_with_every_fault_in_its_place(operator: Operator) -> None:
    operator.types("migrate")
    operator.types(*ADMIN, answers="a heron on the weir\n")
    (operator.folder / "bad.csv").write_text(CSV + "1,Saws,1.1,Again\n2,,2.1,\n")
    refused = operator.types("import", "bad.csv", "--title", "Saws")
    assert refused.returncode == 1
    assert "bad.csv: line 4" in refused.stderr and "bad.csv: line 5" in refused.stderr


@on_one
def test_a_weak_password_makes_no_admin(operator: Operator) -> None:
    operator.types("migrate")
    refused = operator.types(*ADMIN, answers="password\n")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Password:" in refused.stderr


def test_tables_that_are_older_than_the_code_are_said_to_be(tmp_path: Path) -> None:
    operator = Operator(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path)
    for words in ((), ADMIN):
        refused = operator.types(*words, answers="a heron on the weir\n")
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
def test_a_setting_that_cannot_be_used_is_named_with_what_to_set(tmp_path: Path, name: str, value: str) -> None:
    operator = Operator(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path)
    if name == "WAYMARK_BASE_URL":
        del operator.environment[name]
        refused = operator.types("migrate")
    else:
        refused = operator.types("migrate", **{name: value})
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"{name}: set ")
    assert "secret" not in refused.stderr
    assert "Traceback" not in refused.stderr


@on_one
def test_a_cohort_of_any_size(operator: Operator) -> None:
    operator.types("migrate")
    made = operator.types("demo", "--learners", "12")
    assert made.returncode == 0, made.stderr
    assert "cohort.overview" in made.stdout
    assert "12/12" in made.stderr
    assert operator.types("verify").returncode == 0
    assert "whole number" in operator.types("demo", "--learners", "many").stderr
