"""The rules of docs/architecture.md; each check is also run on a tree that breaks the rule, and must find it."""

from pathlib import Path

import pytest

from tests.support import architecture
from tests.support.class_lists import listed_entities
from tests.support.row_positions import positional_reads
from tests.support.scope_linter import mapped_tables, unscoped_statements

FILES = architecture.files()
# Without migrations, which do not change any more.
PRODUCT = [
    path
    for path in architecture.python_files(FILES, *architecture.PACKAGES, "queries", "export_worker.py", "server.py")
    if not path.startswith("db/migrations/")
]


def plant(root: Path, **sources: str) -> list[str]:
    """Writes files (`auth__tokens_py` is auth/tokens.py) and returns their paths."""
    paths = []
    for name, source in sources.items():
        path = name.replace("__", "/").replace("_", ".")
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(source)
        paths.append(path)
    return paths


def test_imports_run_one_way():
    assert architecture.import_contracts(architecture.ROOT) == []


@pytest.mark.parametrize(
    ("importer", "line"),
    [
        ("db__thing_py", "import auth.thing"),
        ("loaders__thing_py", "from schema import thing"),
        ("resolvers__thing_py", "def later():\n    import schema.thing"),
        ("resolvers__thing_py", "import strawberry"),
        ("schema__thing_py", "import server"),
        ("auth__thing_py", "from tests.support import architecture"),
        ("db__thing_py", "import queries.run"),
    ],
)
def test_an_import_the_other_way_is_found(tmp_path: Path, importer: str, line: str):
    for package in architecture.PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
        (tmp_path / package / "thing.py").touch()
    (tmp_path / "schema" / "executor").mkdir()
    (tmp_path / "schema" / "executor" / "__init__.py").touch()
    assert architecture.import_contracts(tmp_path) == []
    plant(tmp_path, **{importer: line})
    (report,) = architecture.import_contracts(tmp_path)
    assert "BROKEN" in report


def test_clients_and_the_server_module_import_only_what_they_may():
    assert architecture.broken_imports(architecture.ROOT, FILES) == []


def test_a_client_that_imports_the_server_is_found(tmp_path: Path):
    paths = plant(
        tmp_path,
        queries__run_py="from db.database import Database",
        server_py="import tests.support",
        transport__pages__view_py="x = 1",
    )
    assert [line.split(":")[0] for line in architecture.broken_imports(tmp_path, paths)] == [
        "queries/run.py", "server.py", "transport/pages",
    ]  # fmt: skip


def test_the_first_line_of_a_file_says_what_it_contains():
    assert architecture.untitled(architecture.ROOT, FILES) == []


def test_a_file_without_such_a_line_is_found(tmp_path: Path):
    paths = plant(
        tmp_path,
        db__a_py="import os\n",
        db__b_py='"""\nWhat it contains, a line too late."""\n',
        db__c_py='"""What it contains."""\n',
        scripts__run="#!/usr/bin/env bash\nset -e\n",
        queries__kpis_graphql="query Kpis { viewer { user { name } } }",
        docs__page_md="# A page\n",
    )
    found = [line.split(":")[0] for line in architecture.untitled(tmp_path, paths)]
    assert found == ["db/a.py", "db/b.py", "scripts/run", "queries/kpis.graphql"]


def test_files_stay_short():
    assert architecture.too_long(architecture.ROOT, FILES) == []


def test_a_long_file_is_found(tmp_path: Path):
    paths = plant(tmp_path, db__a_py="x = 1\n" * 301, db__b_py="x = 1\n" * 300)
    assert architecture.too_long(tmp_path, paths) == ["db/a.py: 301 lines, more than 300"]


def test_selects_are_only_in_the_allowed_packages():
    assert architecture.stray_selects(architecture.ROOT, FILES) == []


@pytest.mark.parametrize(
    "line",
    [
        "from sqlalchemy import select\nselect(1)",
        "from sqlalchemy import select as pick\npick(1)",
        "import sqlalchemy\nsqlalchemy.select(1)",
        "Learner.__table__.select()",
        "from sqlalchemy import text\ntext('select 1')",
    ],
)
def test_a_select_elsewhere_is_found(tmp_path: Path, line: str):
    paths = plant(tmp_path, auth__scope_py=line, loaders__learner_py=line, resolvers__learner_py=line)
    found = architecture.stray_selects(tmp_path, paths)
    assert [line.split(":")[0] for line in found] == ["resolvers/learner.py"]


def test_rows_are_read_by_name():
    assert positional_reads(architecture.ROOT, PRODUCT) == []


def test_no_list_names_the_entities():
    assert listed_entities(architecture.ROOT, PRODUCT) == []


def test_statements_that_are_kept_are_built_outside_the_loop():
    assert architecture.built_on_the_loop(architecture.ROOT, FILES) == []


@pytest.mark.parametrize("cache", ["cache", "lru_cache(maxsize=10)", "functools.cache"])
@pytest.mark.parametrize("made", ["Select[Any]", "CTE", "tuple[ReturningInsert[int], list[str]]"])
def test_a_statement_that_another_cache_keeps_is_found(tmp_path: Path, cache: str, made: str):
    source = f"@{cache}\ndef _own(role: Role) -> {made}:\n    return made(role)\n"
    others = "@cached_statement\ndef _own(role: Role) -> Select:\n    return 1\n@cache\ndef f() -> int:\n    return 1\n"
    paths = plant(tmp_path, loaders__a_py=source, loaders__b_py=others)
    found = architecture.built_on_the_loop(tmp_path, paths)
    assert [line.split(":")[0] for line in found] == ["loaders/a.py"]


def test_no_coroutine_resolves_a_leaf():
    assert architecture.async_leaves(architecture.ROOT, FILES) == []


def test_a_coroutine_that_resolves_a_leaf_is_found(tmp_path: Path):
    source = """from schema.enums import Light
async def _late(row, loaders):
    return 1

def _known(row, loaders):
    return 1

class Aim(Node):
    light: list[Light] | None = related("A leaf.", _late)
    days: int = related("A leaf.", lambda row, loaders: _late(row, loaders))
    title: str = related("No coroutine.", _known)
    unit: Unit = related("No leaf.", _late)
"""
    paths = plant(tmp_path, schema__types__aim_py=source, loaders__aim_py=source)
    assert architecture.async_leaves(tmp_path, paths) == [
        f"schema/types/aim.py: line {line}: a coroutine resolves a leaf" for line in (9, 10)
    ]


def test_every_read_of_a_learners_data_is_scoped():
    assert architecture.unscoped(architecture.ROOT, FILES) == []


def test_the_linter_knows_which_tables_are_personal():
    personal = mapped_tables()
    assert all(
        personal[name] for name in ("Learner", "Evidence", "SignatureSlot", "TimeLogEntry", "User", "ManagerAllocation")
    )
    assert not any(personal[name] for name in ("Provider", "Qualification", "QualificationCriterion"))


CHOICE = """
def _seen(role, entity):
    if entity is Aim:
        return scope.sees_aim(role)
    return {}

def one(role, entity):
    return select(entity).where(_seen(role, entity))
"""
SCOPED = [
    "select(Evidence.id).where(scope.sees_record(role, Evidence.learner_id, Evidence.aim_id))",
    "select(Learner.id).where(Learner.id.in_(visible_learners(role)))",
    "select(Qualification.id)",
    # a comment gives the reason
    "# unscoped: the key was read in scope a line above\nselect(Evidence.id)",
    "select(  # unscoped: counts all, for the operator only\n    Evidence.id\n)",
    # through a variable
    "def read(role):\n    seen = scope.sees_learner(role, Aim.learner_id)\n    return select(Aim.id).where(seen)",
    "def read(role):\n    found = select(Aim.id)\n    found = found.where(sees_aim(role))\n    return found",
    "def read(role):\n    aims = select(Aim.id).where(sees_aim(role)).subquery()\n    return select(aims.c.id)",
    "theirs = aliased(Aim)\nrows = select(theirs.id).where(sees_aim(role, theirs))",
    CHOICE.format("scope.of_provider(Qualification)"),
]
UNSCOPED = [
    "select(Evidence.id).where(Evidence.id == key)",
    "select(Qualification.id).join(Aim, Aim.qualification_id == Qualification.id)",
    "select(func.count()).select_from(Learner).where(scope.of_provider(Learner))",
    "theirs = aliased(Aim)\nrows = select(theirs.id)",
    "pick(User.name)",
    "UserRow.select(role)",
    "UserRow.select(role).where(any_of(User.id), scope.of_provider(User))",
    "exists().where(SignatureSlot.id == key)",
    "update(Action).values(done=True)",
    "async def read(session, key):\n    return await session.get(Evidence, key)",
    "async def read(connection):\n    async for row in connection.stream(select(File.id)):\n        sees_file(row)",
    "text('select id from learner')",
    "select(table.c.id)",
    CHOICE.format("scope.of_provider(Learner)"),
    CHOICE.format("true()"),
    # a reason must be one
    "select(Evidence.id)  # unscoped: ok",
    # a scope in the function, but not on this statement
    "def read(role):\n    seen = select(Aim.id).where(sees_aim(role))\n    return seen, select(Evidence.id)",
    "def read(self, role):\n    self.seen = sees_aim(role)\n    return self.rows(select(Evidence.id))",
]
IMPORTS = "from sqlalchemy import exists, select, select as pick, text, update\n\n"


@pytest.mark.parametrize("source", SCOPED)
def test_a_scoped_read_passes(source: str):
    assert unscoped_statements(IMPORTS + source) == []


@pytest.mark.parametrize("source", UNSCOPED)
def test_an_unscoped_read_is_found(source: str):
    assert len(unscoped_statements(IMPORTS + source)) == 1


def test_log_events_have_names():
    assert architecture.log_events(architecture.ROOT, FILES) == []


def test_a_log_event_that_is_a_sentence_is_found(tmp_path: Path):
    source = 'log.info("swept", rows=1)\n_log.error("secret not readable", key=1)\nprint("not a log")\n'
    found = architecture.log_events(tmp_path, plant(tmp_path, db__a_py=source))
    assert found == ['db/a.py: line 2: the log event "secret not readable" is no name']


def test_no_file_names_a_registry_or_a_machine():
    assert architecture.addresses(architecture.ROOT, FILES) == []


def test_any_address_in_a_lock_file_is_found(tmp_path: Path):
    (tmp_path / "package-lock.json").write_text('{"funding": "https://example.org/us"}')
    found = architecture.addresses(tmp_path, ["package-lock.json"])
    assert found == ["package-lock.json: names https://example.org/us"]


def test_an_address_is_found(tmp_path: Path):
    paths = plant(
        tmp_path,
        web__lock_json='{"resolved' + '": "https://registry.npm' + 'js.org/x"}',
        db__a_py="# /wo" + "rk/main/x",
    )
    assert [line.split(":")[0] for line in architecture.addresses(tmp_path, paths)] == ["web/lock.json", "db/a.py"]


def test_every_imported_library_is_declared():
    assert architecture.undeclared(architecture.ROOT, FILES, (architecture.ROOT / "pyproject.toml").read_text()) == []


def test_an_undeclared_library_is_found(tmp_path: Path):
    paths = plant(tmp_path, db__a_py="import json, jwt, pytest, db.engine", tests__a_py="import pytest, pluggy")
    project = '[project]\ndependencies = ["PyJWT==2"]\n[dependency-groups]\ndev = ["pytest==9"]\n'
    assert architecture.undeclared(tmp_path, paths, project) == [
        "db/a.py: imports pytest, which pyproject.toml does not name for it",
        "tests/a.py: imports pluggy, which pyproject.toml does not name for it",
    ]


def test_the_lock_matches_the_project():
    read = (architecture.ROOT / "pyproject.toml").read_text(), (architecture.ROOT / "requirements.lock").read_text()
    assert architecture.unlocked(*read) == []
    assert "://" not in read[1]


def test_an_outdated_lock_is_found():
    project = '[project]\ndependencies = ["PyJWT[crypto]==2.15.1", "orjson>=3"]\n'
    project += '[dependency-groups]\ndev = ["pytest==9.2.0"]\n'
    lock = "pyjwt==2.15.0 \\\n    --hash=sha256:00\npytest==9.2.0\n"
    assert architecture.unlocked(project, lock) == [
        "requirements.lock: no hash for pytest",
        "requirements.lock: not PyJWT 2.15.1; run scripts/lock",
        "pyproject.toml: orjson>=3 has no exact version",
    ]
