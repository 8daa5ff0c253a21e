"""The command `operations`: manifests as graphql-codegen, Relay and Apollo make them, and what is wrong with others."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.own_process import run_here

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)

ROLE = "query Role {\n  viewer {\n    role\n  }\n}"
NAMED = ["--client", "portal", "--client-version", "1.4.0"]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(own_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Run:
    """Runs `operations` on a database of its own; returns the exit status, and what was printed and reported."""
    monkeypatch.setenv("WAYMARK_DATABASE_URL", own_database_url.replace("+aiosqlite", ""))
    monkeypatch.setenv("WAYMARK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("WAYMARK_BASE_URL", "https://portfolio.example")
    monkeypatch.setenv("WAYMARK_SECRET_KEYS", "first:" + "bXkga2V5IGlzIG5vdCBzaG9ydCwgYW5kIGl0IGlzIG5vdCB5b3Vycw==")

    def run(*words: str | Path) -> tuple[int, str, str]:
        status = run_here("operations", *map(str, words))
        return status, *capsys.readouterr()

    return run


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def apollo(*operations: object, **changed: object) -> str:
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
    return json.dumps({**manifest, **changed})


def test_manifests_are_added_listed_and_retired(run: Run, tmp_path: Path) -> None:
    codegen = tmp_path / "persisted-documents.json"
    codegen.write_text(json.dumps({sha1(ROLE): ROLE}))
    assert run("add", codegen, *NAMED) == (0, "portal 1.4.0: 1 added, 0 already there.\n", "")
    assert run("add", codegen, *NAMED)[1] == "portal 1.4.0: 0 added, 1 already there.\n"
    # The same document with other ids, another one, and what is no manifest.
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    body = "query Kpis { viewer { kpis { learnerCount } } }"
    one = {"id": "kpis-1", "name": "Kpis", "type": "query", "body": body}
    (folder / "manifest.json").write_text(apollo(one))
    (folder / "inner/role.graphql").write_text("# as written\n" + ROLE)
    (folder / "package.json").write_text('{"name": "portal", "private": true}')
    assert run("add", folder, "--client", "app", "--client-version", "2")[1] == "app 2: 2 added, 0 already there.\n"
    assert run("list") == (0, "portal 1.4.0: 1 document, not used\napp 2: 2 documents, not used\n", "")
    assert run("retire", "--client", "app")[1] == "2 retired. Processes refuse them within seconds.\n"
    assert run("retire", "--unused-days", "30")[1].startswith("0 retired.")
    assert run("list")[1] == "portal 1.4.0: 1 document, not used\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "[1]", "a.json: the file is no manifest: "),
        ("a.json", "{}", "a.json: the file is no manifest: "),
        ("a.json", "{", "a.json: the file must be JSON: "),
        ("a.json", apollo(version=2), "a.json: Apollo's manifest must have version 1"),
        ("a.json", apollo({"id": "a"}), "a.json: operation 1 must have the texts id and body"),
        ("a.json", json.dumps({"a b": ROLE}), "a.json: each id must have 1 to 200 characters and no space"),
        ("a.json", json.dumps({"x": "{ nothing }", "y": "{"}), "a.json, x: Cannot query field 'nothing'"),
        (
            "a.json",
            json.dumps({"x": "fragment F on Query { viewer { role } }"}),
            "a.json, x: Fragment 'F' is never used",
        ),
        ("a.json", json.dumps({"employer_kpis": ROLE}), "a.json, employer_kpis: this id names a saved operation"),
        ("a.json", json.dumps({"AB": ROLE, "ab": "{ viewer { role } }"}), "a.json, ab: this id names another document"),
        ("a.graphql", "{ viewer { rol } }", "a.graphql: Cannot query field 'rol'"),
        ("missing.json", None, "missing.json: the file cannot be read"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_added(
    run: Run, tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    (tmp_path / "good.json").write_text(json.dumps({"good": ROLE}))
    if content is not None:
        (tmp_path / name).write_text(content)
    status, printed, problem = run("add", tmp_path / "good.json", tmp_path / name, *NAMED)
    assert (status, printed) == (1, "")
    assert message in problem
    assert run("list") == (0, "", "")


def test_what_to_add_or_retire_must_be_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"a": ROLE}))
    assert "--client: must have" in run("add", tmp_path / "a.json", "--client", "", "--client-version", "1")[2]
    assert (
        "--client-version: must" in run("add", tmp_path / "a.json", "--client", "a", "--client-version", "x" * 101)[2]
    )
    (tmp_path / "empty").mkdir()
    assert "the folder has no manifest" in run("add", tmp_path / "empty", *NAMED)[2]
    assert "--unused-days" in run("retire")[2]
    assert "name its client" in run("retire", "--client-version", "1", "--unused-days", "3")[2]
