"""What all tests share: databases on both backends."""

import asyncio
import gc
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvloop
from xdist.dsession import Producer
from xdist.scheduler import Scheduling

from db.database import Database
from tests.support.databases import BACKENDS, Databases
from tests.support.demo_server import Demo
from tests.support.forked_exports import fork_exports
from tests.support.one_database import mark_second_databases
from tests.support.scenarios.base import open_scenario
from tests.support.scenarios.empty_portfolio import EmptyPortfolio, build_empty_portfolio
from tests.support.scenarios.full_portfolio import FullPortfolio, build_full_portfolio
from tests.support.shared_folder import SharedFolder
from tests.support.shared_work import (
    collect_garbage_as_a_server,
    commit_without_waiting_for_the_disk,
    hash_passwords_cheaply,
    keep_worker_processes,
    share_compiled_statements,
    share_tls_context,
)
from tests.support.work_units import WorkUnits

# What is collected stays: to look for garbage in it takes a third of the time. `collect_garbage_as_a_server` ends this.
gc.disable()
# The loop of the server: it takes a seventh less processor time than asyncio's own.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
share_compiled_statements()
share_tls_context()
keep_worker_processes()
fork_exports()
hash_passwords_cheaply()
commit_without_waiting_for_the_disk()

# What starts processes and waits for them takes longest: it goes first, so that no worker is left alone with it at the
# end.
_FIRST = (
    "tests/commands/test_command_line.py", "tests/system/fuzz/", "tests/system/faults/",
    "tests/docs/test_operations.py",
    "tests/system/browser/test_accessibility.py", "tests/authorization/", "tests/transport/observability/",
    "tests/schema/test_served_schema.py", "tests/system/browser/", "tests/queries/", "tests/services/audit/",
    "tests/system/scaling/", "tests/system/journeys/", "tests/system/clients/",
)  # fmt: skip


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what has the mark `long`
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files before the others, each file in its own order."""
    mark_second_databases(items)

    def place(item: pytest.Item) -> int:
        return next((number for number, start in enumerate(_FIRST) if item.nodeid.startswith(start)), len(_FIRST))

    items.sort(key=place)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Units of our own for `--dist loadfile`."""
    return WorkUnits(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    collect_garbage_as_a_server()


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> SharedFolder:
    """What the workers of a run share: templates of databases and the PostgreSQL server."""
    base = tmp_path_factory.getbasetemp()
    # Each worker of xdist has a folder of its own in that of the run.
    return SharedFolder((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared")


@pytest.fixture(scope="session")
async def databases(tmp_path_factory: pytest.TempPathFactory, shared_folder: SharedFolder) -> AsyncIterator[Databases]:
    """The maker of databases: `await databases.fresh(backend, recipe)`."""
    maker = Databases(tmp_path_factory.mktemp("databases"), shared_folder)
    yield maker
    await maker.close()


@pytest.fixture(scope="session")
def demo(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo: `await demo.database_url(backend)`, or `async with demo.serving(backend) as running`."""
    return Demo(databases, tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Each test that uses this fixture, also through another one, runs on SQLite and on PostgreSQL."""
    return request.param


@pytest.fixture(scope="session")
async def database_url(databases: Databases, backend: str) -> str:
    """A database with every table and no row, shared by the tests of a file that reads or keeps to its own rows."""
    return await databases.fresh(backend)


@pytest.fixture
async def database(databases: Databases, backend: str) -> AsyncIterator[Database]:
    """An open `Database` with every table and no row, for one test alone."""
    async with databases.opened(backend) as (database, _):
        yield database


@pytest.fixture
def own_database_url(database: Database) -> str:
    """The URL of `database`, for one test alone."""
    return database.url


@pytest.fixture
async def empty_portfolio(databases: Databases, backend: str, tmp_path: Path) -> AsyncIterator[EmptyPortfolio]:
    """The scenario on a database of its own, for one test."""
    async with open_scenario(databases, backend, build_empty_portfolio, tmp_path) as scenario:
        yield scenario


@pytest.fixture
async def full_portfolio(databases: Databases, backend: str, tmp_path: Path) -> AsyncIterator[FullPortfolio]:
    """The scenario on a database of its own, for one test."""
    async with open_scenario(databases, backend, build_full_portfolio, tmp_path) as scenario:
        yield scenario


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says why tests were skipped, a line a reason."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)
    for reason, number in reasons.items():
        terminalreporter.write_line(f"{number} skipped: {reason}")
