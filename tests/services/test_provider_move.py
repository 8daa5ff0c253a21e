"""A provider moves from one installation to another with its figures, its files and its audit trail, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from commands.command_line import make_parser
from db import updated_at_triggers
from db.database import Database
from db.models.access_key import AccessKey
from db.models.aim import AimProgress
from db.models.audit_event import AuditEvent
from db.models.employer import Employer
from db.models.file import File
from db.models.provider import Provider
from db.models.provider_keys import PROVIDER
from db.models.registry import mapped_classes, metadata
from db.models.user import User
from domain import clock
from domain.enums import Role
from services.audit.verify import find_problems
from services.provider_move.archive import MANIFEST, Manifest
from services.provider_move.exporting import export_provider
from services.provider_move.importing import import_provider
from services.provider_move.rows import MoveError, check_keys, moved_tables, stays
from services.settings import read_settings
from services.storage.file_store import open_store
from tests.support import damaged_exports
from tests.support.databases import BACKENDS, Databases
from tests.support.demo_server import Demo
from tests.support.saved_answers import saved_answers, without_ids

NAME = "Calder Vale College"


@dataclass(frozen=True)
class Source:
    """An exported provider of the demo, and what its people saw before."""

    path: Path
    manifest: Manifest
    answers: dict[tuple[str, str], Any]


@dataclass(frozen=True)
class Target:
    """An installation to which a provider may move."""

    database: Database
    folder: Path

    @property
    def store(self) -> Any:
        return open_store(self.folder / "files")

    async def count(self, table: Any) -> int:
        async with self.database.reading(primary=True) as connection:
            return await connection.scalar(select(func.count()).select_from(table)) or 0

    async def problems(self) -> list[str]:
        return [problem async for problem in find_problems(self.database, self.store)]

    def files(self) -> int:
        return sum(1 for path in (self.folder / "files").rglob("*") if path.is_file())


@pytest.fixture(scope="module")
async def source(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("source")
    database = Database(await demo.copied("sqlite", folder))
    async with database.writing() as session:
        user = (await session.scalars(select(User).join(Provider).where(Provider.name == NAME).limit(1))).one()
        user.calendar_nonce = "nonce-of-a-link"
        session.add(
            AccessKey(
                provider_id=user.provider_id, user_id=user.id, role=Role.MASTER_ADMIN, name="A program",
                secret_sha256="5" * 64, created_at=clock.now(), expires_at=clock.now(),
            )
        )  # fmt: skip
        # As PostgreSQL leaves an event for a moment after the commit.
        unsealed = {"sequence": -1, "previous_hash": "", "hash": "", "detail": {}, "at": clock.now(), "action": "login"}
        await session.execute(insert(AuditEvent).values(provider_id=user.provider_id, **unsealed))
    manifest = await export_provider(database, open_store(folder / "files"), NAME, folder / "calder.zip")
    answers = await saved_answers(database, folder, NAME)
    await database.close()
    return Source(folder / "calder.zip", manifest, answers)


@pytest.fixture
async def fresh(databases: Databases, backend: str, tmp_path: Path) -> AsyncIterator[Target]:
    """An installation without a provider."""
    async with databases.opened(backend) as (database, _):
        yield Target(database, tmp_path)


async def test_to_an_installation_without_providers(source: Source, fresh: Target) -> None:
    """Ids stay, and so does all that people see; the trail goes on, and no number is given again."""
    imported = await import_provider(fresh.database, fresh.store, source.path)
    assert imported.keeps_ids
    assert await saved_answers(fresh.database, fresh.folder, NAME) == source.answers
    assert await fresh.problems() == []
    assert fresh.files() == len(source.manifest.files) > 10
    for table in metadata.tables.values():
        moved = source.manifest.tables.get(table.name)
        # The event of the import, and its record.
        more = 1 if table.name in ("audit_event", "provider_move") else 0
        assert await fresh.count(table) == (moved.rows + more if moved else table.name == "alembic_version"), table.name
    async with fresh.database.writing() as session:
        assert (await session.scalars(select(User.calendar_nonce).distinct())).all() == [None]
        values = {"provider_id": imported.provider_key, "name": "New", "sort_name": "new", "created_at": clock.now()}
        key = (await session.execute(insert(Employer).values(values))).inserted_primary_key[0]
        assert key == source.manifest.last_numbers["employer"] + 1


@pytest.mark.long
async def test_to_an_installation_where_ids_are_in_use(
    source: Source, demo: Demo, databases: Databases, backend: str, tmp_path: Path
) -> None:
    """Ids are others; the trail keeps its hashes, also through a second move."""
    there = Target(Database(await demo.copied(backend, tmp_path / "there")), tmp_path / "there")
    with pytest.raises(MoveError, match="of that name or UKPRN already"):
        await import_provider(there.database, there.store, source.path)
    async with there.database.writing() as session:
        await session.execute(update(Provider).values(name=func.lower(Provider.name), ukprn=None))
    before, files = await there.count(Employer), there.files()
    imported = await import_provider(there.database, there.store, source.path)
    assert not imported.keeps_ids
    assert await there.count(Employer) == before + source.manifest.tables["employer"].rows
    # The demo's files are there already, and belong to others.
    assert there.files() == files + len(source.manifest.files)
    assert await there.problems() == []
    answers = await saved_answers(there.database, tmp_path, NAME)
    assert {key: without_ids(each) for key, each in answers.items()} == {
        key: without_ids(each) for key, each in source.answers.items()
    }
    path = tmp_path / "again.zip"
    lost = await _lose_a_file(there, imported.provider_key)
    manifest = await export_provider(there.database, there.store, NAME, path)
    assert manifest.damaged == [lost]
    # The event that was not sealed, and that of the import.
    assert manifest.trail_line == source.manifest.trail_line + 2
    other = next(each for each in BACKENDS if each != backend)
    async with databases.opened(other) as (database, _):
        await import_provider(database, (last := Target(database, tmp_path / "last")).store, path)
        async with database.writing() as session:
            await session.execute(text("UPDATE audit_event SET address = 'x' WHERE sequence = 5"))
        problems = [problem.partition(": ")[2] for problem in await last.problems()]
        assert problems == ["line 5 was changed", "it is not in the store"]
        # Under its key another provider could have a file here.
        assert await database.rows(select(File.id).where(File.storage_key == lost)) == []
    await there.database.close()


async def _lose_a_file(target: Target, provider_key: int) -> str:
    """Loses a file that one record names, as a disk does; returns its storage key."""
    async with target.database.reading() as connection:
        keys = select(File.storage_key).where(File.provider_id == provider_key, File.storage_key.is_not(None))
        found = await connection.scalar(keys.group_by(File.storage_key).having(func.count() == 1).limit(1))
    (target.folder / "files" / str(found)).unlink()
    return str(found)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(damaged_exports.cut, "is not a complete export", marks=pytest.mark.long),
        pytest.param(
            lambda path: damaged_exports.rewritten(path, lambda members: members.pop(MANIFEST)),
            "is not a complete export: it has no manifest", marks=pytest.mark.long,
        ),
        pytest.param(damaged_exports.flip, "The export is damaged", marks=pytest.mark.long),
        pytest.param(
            damaged_exports.flip_compressed, "The export is damaged: tables/.* cannot be read", marks=pytest.mark.long
        ),
        (damaged_exports.with_another_event, "of the audit trail was changed"),
        (damaged_exports.without_a_row, "rows refer to others that it does not have"),
        pytest.param(damaged_exports.of_another_version, "Update both installations", marks=pytest.mark.long),
    ],
)  # fmt: skip
async def test_a_damaged_export_changes_nothing(
    source: Source, databases: Databases, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "damaged.zip"
    path.write_bytes(source.path.read_bytes())
    damage(path)
    async with databases.opened("sqlite") as (database, _):
        target = Target(database, tmp_path)
        with pytest.raises(MoveError, match=message):
            await import_provider(database, target.store, path)
        assert [await target.count(table) for table in moved_tables()] == [0] * len(moved_tables())
        assert target.files() == 0
        async with database.reading() as connection:
            triggers = await connection.scalar(text("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"))
        assert triggers == len(updated_at_triggers.triggers("sqlite"))


async def test_a_hostile_export_changes_nothing(source: Source, databases: Databases, tmp_path: Path) -> None:
    """Its author computes the digests of it: it still reaches no row, key or file of another provider."""
    path = tmp_path / "hostile.zip"
    async with databases.opened("sqlite") as (database, _):
        target = Target(database, tmp_path)
        for what, (change, message) in damaged_exports.HOSTILE.items():
            path.write_bytes(source.path.read_bytes())
            change(path)
            with pytest.raises(MoveError, match=message):
                await import_provider(database, target.store, path)
            assert await target.count(Provider) == await target.count(User) == target.files() == 0, what


def test_a_reference_to_nothing_needs_no_rows() -> None:
    table = AimProgress.__table__
    row = {**dict.fromkeys(table.columns.keys()), "provider_id": 1, "aim_id": 2, "learner_id": 3, "policy_id": None}
    numbers = {"aim": 2, "learner": 3, "off_the_job_policy": 0, "qualification_unit": 0}
    check_keys(table, row, 1, numbers)
    for name in ("provider_id", "aim_id", "learner_id", "policy_id"):
        with pytest.raises(MoveError, match="keys that are not the provider's"):
            check_keys(table, {**row, name: (row[name] or 0) + 1}, 1, numbers)


async def test_an_export_that_is_not_made_leaves_no_file(demo: Demo, tmp_path: Path) -> None:
    database = Database(await demo.copied("sqlite", tmp_path))
    store, path = open_store(tmp_path / "files"), tmp_path / "calder.zip"
    with pytest.raises(MoveError, match="no provider with this UKPRN or name"):
        await export_provider(database, store, "Nobody", path)
    async with database.writing() as session:
        await session.execute(text("UPDATE audit_event SET address = 'x' WHERE sequence = 3"))
    with pytest.raises(MoveError, match="line 3 was changed"):
        await export_provider(database, store, NAME, path)
    await database.close()
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("calder")] == []


async def test_the_commands(source: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = read_settings(
        {"WAYMARK_DATA": str(tmp_path), "WAYMARK_DATABASE_URL": f"sqlite:///{tmp_path}/w.db", "WAYMARK_BASE_URL": "http://x.test",
         "WAYMARK_SECRET_KEYS": "a:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
    )  # fmt: skip

    async def run(*words: str) -> tuple[int, str]:
        arguments = make_parser().parse_args(words)
        status = await asyncio.to_thread(arguments.run, settings, arguments)
        written = capsys.readouterr()
        return status, written.out + written.err

    assert (await run("migrate"))[0] == 0
    status, written = await run("provider-import", str(source.path))
    assert status == 0, written
    assert f"SHA-256 of the manifest: {source.manifest.sha256()}\nIds are those from before." in written
    assert "already. Nothing was imported." in (await run("provider-import", str(source.path)))[1]
    copy = str(tmp_path / "copy.zip")
    status, written = await run("provider-export", "10990002", copy)
    assert status == 0 and f"rows and {len(source.manifest.files):,} files of {NAME}." in written
    assert (await run("provider-export", "10990002", copy)) == (1, f"{copy} exists. Use a new file for each export.\n")


def test_each_class_moves_or_says_why_not() -> None:
    """What a secret of the installation is has no place in an export, and can be missing where it moves to."""
    moved = {table.name for table in moved_tables()}
    for each in mapped_classes():
        has_provider = each is Provider or PROVIDER in each.__table__.columns
        assert (each.__tablename__ in moved) == (has_provider and not stays(each)), each
        if each.__tablename__ in moved:
            named = [column for column in each.__table__.columns if "secret" in column.name or "token" in column.name]
            assert all(column.info["of_installation"] and column.nullable for column in named), each
    for reference in (key for table in moved_tables() for key in table.foreign_keys):
        assert reference.column.table.name in moved, reference
