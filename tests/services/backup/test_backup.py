"""`backup` while the server writes, and `restore`: a backup is a snapshot, and a damaged one is not restored."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from commands.command_line import make_parser
from db.database import Database
from db.models.audit_event import AuditEvent
from db.models.file import File
from resolvers.evidence import submission
from services.audit.verify import find_problems
from services.backup.backup import BackupError, create_backup
from services.backup.restore import restore
from services.settings import read_settings
from services.storage.file_store import open_store
from tests.services.audit.test_verify import upload
from tests.support.databases import Databases
from tests.support.scenarios.base import PASSWORD, open_scenario
from tests.support.scenarios.empty_portfolio import EmptyPortfolio, build_empty_portfolio


@pytest.fixture
async def scenario(databases: Databases, tmp_path: Path) -> AsyncIterator[EmptyPortfolio]:
    async with open_scenario(databases, "sqlite", build_empty_portfolio, tmp_path / "data") as scenario:
        yield scenario


async def submit(scenario: EmptyPortfolio, number: int) -> None:
    file_id = await upload(scenario, "learner", f"work {number}".encode())
    await submission.submit(
        scenario.context("learner"), aim_id=scenario.aim, file_id=file_id, title=f"Work {number}", description="How",
        declare_own_work=True, password=PASSWORD,
    )  # fmt: skip


async def back_up(scenario: EmptyPortfolio, folder: Path) -> Path:
    await create_backup(scenario.database.url, scenario.services.files, folder)
    return folder


async def problems_of(url: str, files: Path) -> list[str]:
    database = Database(url)
    try:
        return [problem async for problem in find_problems(database, open_store(files))]
    finally:
        await database.close()


async def test_a_backup_under_load_is_a_snapshot(scenario: EmptyPortfolio, tmp_path: Path) -> None:
    await submit(scenario, 0)
    writing = asyncio.create_task(_keep_submitting(scenario))
    backups = []
    for number in range(3):
        await asyncio.sleep(0.2)
        backups.append(await back_up(scenario, tmp_path / f"backup-{number}"))
    writing.cancel()
    written = await asyncio.gather(writing, return_exceptions=True)
    assert isinstance(written[0], asyncio.CancelledError)
    counts = []
    for number, folder in enumerate(backups):
        target = tmp_path / f"restored-{number}"
        url, files = f"sqlite:///{target}/waymark.db", target / "files"
        assert await restore(folder, url, files, overwrite=False) == []
        assert await problems_of(url, files) == []
        restored = Database(url)
        counts.append(len(await restored.rows(AuditEvent.__table__.select())))
        await restored.close()
    # Later backups hold more: writes went on meanwhile.
    assert 0 < counts[0] < counts[2]


async def _keep_submitting(scenario: EmptyPortfolio) -> None:
    number = 0
    while True:
        number += 1
        await submit(scenario, number)


async def test_restore_moves_an_installation_aside_only_with_overwrite(
    scenario: EmptyPortfolio, tmp_path: Path
) -> None:
    await submit(scenario, 1)
    folder = await back_up(scenario, tmp_path / "backup")
    await submit(scenario, 2)
    target, files = tmp_path / "live" / "waymark.db", tmp_path / "live" / "files"
    url = f"sqlite:///{target}"
    await restore(folder, url, files, overwrite=False)
    before = target.read_bytes()
    with pytest.raises(BackupError, match="There is already an installation"):
        await restore(folder, url, files, overwrite=False)
    assert target.read_bytes() == before
    moved = await restore(folder, url, files, overwrite=True)
    assert sorted(path.name.split(".before-")[0] for path in moved) == ["files", "waymark.db"]
    assert all(path.exists() for path in moved)
    assert await problems_of(url, files) == []


async def test_a_database_in_use_is_not_replaced(scenario: EmptyPortfolio, tmp_path: Path) -> None:
    folder = await back_up(scenario, tmp_path / "backup")
    await scenario.rows(File)
    with pytest.raises(BackupError, match="A server still uses"):
        await restore(folder, scenario.database.url, tmp_path / "data" / "files", overwrite=True)
    await submit(scenario, 1)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "is not a complete backup"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json is damaged"),
        (lambda folder: _edit(folder, format=2), "another version"),
        (lambda folder: _flip(folder / "database.db"), "database.db was changed"),
        (lambda folder: _flip(_a_file(folder)), "was changed"),
        (lambda folder: _a_file(folder).unlink(), "is missing"),
        (
            lambda folder: _edit(folder, files={"../../outside": {"size": 1, "sha256": "0" * 64}}),
            "manifest.json is damaged",
        ),
    ],
)
async def test_a_damaged_backup_is_not_restored(
    scenario: EmptyPortfolio, tmp_path: Path, damage: Any, message: str
) -> None:
    await submit(scenario, 1)
    folder = await back_up(scenario, tmp_path / "backup")
    damage(folder)
    with pytest.raises(BackupError, match=message):
        await restore(folder, f"sqlite:///{tmp_path}/live/waymark.db", tmp_path / "live" / "files", overwrite=True)
    assert not (tmp_path / "live").exists()


def _a_file(folder: Path) -> Path:
    return next(path for path in sorted((folder / "files").rglob("*")) if path.is_file())


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _edit(folder: Path, **changes: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, **changes}))


async def test_a_damaged_file_is_reported_and_left_out(scenario: EmptyPortfolio, tmp_path: Path) -> None:
    await submit(scenario, 1)
    await submit(scenario, 2)
    first, second = await scenario.rows(File)
    _flip(tmp_path / "data" / "files" / first.storage_key)
    backup = await create_backup(scenario.database.url, scenario.services.files, tmp_path / "backup")
    assert (backup.files, backup.damaged) == (1, [first.storage_key])
    assert [_a_file(tmp_path / "backup").name] == [second.storage_key.split("/")[1]]


async def test_a_folder_that_is_not_empty_is_not_used(scenario: EmptyPortfolio, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BackupError, match="is not empty"):
        await create_backup(scenario.database.url, scenario.services.files, tmp_path)
    with pytest.raises(BackupError, match="docs/operations.md"):
        await create_backup("postgresql://somebody@host/database", scenario.services.files, tmp_path / "backup")
    assert (tmp_path / "notes.txt").read_text() == "mine"


async def test_the_commands(scenario: EmptyPortfolio, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command runs in an event loop of its own, as in a process."""
    await submit(scenario, 1)
    await scenario.database.close()

    async def run(data: Path, database: Path, *words: str) -> int:
        settings = read_settings(
            {"WAYMARK_DATA": str(data), "WAYMARK_DATABASE_URL": f"sqlite:///{database}", "WAYMARK_BASE_URL": "http://x.test",
             "WAYMARK_SECRET_KEYS": "a:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
        )  # fmt: skip
        arguments = make_parser().parse_args(words)
        return await asyncio.to_thread(arguments.run, settings, arguments)

    source, backup, target = Path(scenario.database.url.split("///")[1]), str(tmp_path / "backup"), tmp_path / "live"
    assert await run(tmp_path / "data", source, "verify") == 0
    assert "The audit trail of provider 1 ends at line 1: " in capsys.readouterr().out
    assert await run(tmp_path / "data", source, "backup", backup) == 0
    assert "the database and 1 file. " in capsys.readouterr().out
    assert await run(target, target / "waymark.db", "restore", backup) == 0
    assert "The backup was restored and has no problems." in capsys.readouterr().out
    assert await run(target, target / "waymark.db", "restore", backup) == 1
    assert "There is already an installation" in capsys.readouterr().err
    shutil.rmtree(target / "files")
    assert await run(target, target / "waymark.db", "verify") == 1
    assert "1 problem found." in capsys.readouterr().err
