"""`backup` while people write, and `restore`: what comes back is one moment; what is not whole is not put back."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from commands import parser
from db.database import Database
from db.models.registry import AuditEvent, File
from resolvers import evidence
from services.audit.verify import find_problems
from services.backup.backup import BackupError, create_backup
from services.backup.restore import restore
from services.settings import read_settings
from services.storage.file_store import open_store
from tests.services.audit.test_verify import upload
from tests.support.databases import Databases
from tests.support.scenarios import PASSWORD, Stage, set_stage


@pytest.fixture
async def stage(databases: Databases, tmp_path: Path) -> Any:
    database = Database(await databases.fresh("sqlite"))
    yield await set_stage(database, tmp_path / "data")
    await database.close()


async def submit(stage: Stage, number: int) -> None:
    file_id = await upload(stage, "learner", f"work {number}".encode())
    await evidence.submit(
        stage.at("learner"), aim_id=stage.aim, file_id=file_id, title=f"Work {number}", description="How",
        declare_own_work=True, password=PASSWORD,
    )  # fmt: skip


async def backed_up(stage: Stage, folder: Path) -> Path:
    await create_backup(stage.database.url, stage.services.files, folder)
    return folder


async def whole(url: str, files: Path) -> list[str]:
    database = Database(url)
    try:
        return [sentence async for sentence in find_problems(database, open_store(files))]
    finally:
        await database.close()


async def test_a_backup_while_people_write_is_one_moment(stage: Stage, tmp_path: Path) -> None:
    await submit(stage, 0)
    writing = asyncio.create_task(_keep_submitting(stage))
    backups = []
    for number in range(3):
        await asyncio.sleep(0.2)
        backups.append(await backed_up(stage, tmp_path / f"backup-{number}"))
    writing.cancel()
    written = await asyncio.gather(writing, return_exceptions=True)
    assert isinstance(written[0], asyncio.CancelledError)
    counts = []
    for number, folder in enumerate(backups):
        url, files = f"sqlite:///{tmp_path}/back-{number}/waymark.db", tmp_path / f"back-{number}" / "files"
        assert await restore(folder, url, files, overwrite=False) == []
        assert await whole(url, files) == []
        back = Database(url)
        counts.append(len(await back.rows(AuditEvent.__table__.select())))
        await back.close()
    # Each is a later moment than the one before; people were not held up meanwhile.
    assert 0 < counts[0] < counts[2]


async def _keep_submitting(stage: Stage) -> None:
    number = 0
    while True:
        number += 1
        await submit(stage, number)


async def test_restoring_sets_aside_and_only_when_told(stage: Stage, tmp_path: Path) -> None:
    await submit(stage, 1)
    folder = await backed_up(stage, tmp_path / "backup")
    await submit(stage, 2)
    target, files = tmp_path / "live" / "waymark.db", tmp_path / "live" / "files"
    url = f"sqlite:///{target}"
    await restore(folder, url, files, overwrite=False)
    before = target.read_bytes()
    with pytest.raises(BackupError, match="There is an installation already"):
        await restore(folder, url, files, overwrite=False)
    assert target.read_bytes() == before
    aside = await restore(folder, url, files, overwrite=True)
    assert sorted(path.name.split(".before-")[0] for path in aside) == ["files", "waymark.db"]
    assert all(path.exists() for path in aside)
    assert await whole(url, files) == []


async def test_a_database_in_use_is_not_replaced(stage: Stage, tmp_path: Path) -> None:
    folder = await backed_up(stage, tmp_path / "backup")
    await stage.rows(File)
    with pytest.raises(BackupError, match="A server still uses"):
        await restore(folder, stage.database.url, tmp_path / "data" / "files", overwrite=True)
    await submit(stage, 1)


@pytest.mark.parametrize(
    ("breaking", "sentence"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "no backup, or one that was not finished"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json is damaged"),
        (lambda folder: _edit(folder, format=2), "another version"),
        (lambda folder: _flip(folder / "database.db"), "database.db was changed"),
        (lambda folder: _flip(_a_file(folder)), "was changed"),
        (lambda folder: _a_file(folder).unlink(), "is missing"),
        (lambda folder: _edit(folder, files={"../../outside": {"size": 1, "sha256": "0" * 64}}), "is damaged"),
    ],
)
async def test_a_backup_that_is_not_whole_is_not_put_back(
    stage: Stage, tmp_path: Path, breaking: Any, sentence: str
) -> None:
    await submit(stage, 1)
    folder = await backed_up(stage, tmp_path / "backup")
    breaking(folder)
    with pytest.raises(BackupError, match=sentence):
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


async def test_a_damaged_file_is_named_and_left_out(stage: Stage, tmp_path: Path) -> None:
    await submit(stage, 1)
    await submit(stage, 2)
    first, second = await stage.rows(File)
    _flip(tmp_path / "data" / "files" / first.storage_key)
    made = await create_backup(stage.database.url, stage.services.files, tmp_path / "backup")
    assert (made.files, made.damaged) == (1, [first.storage_key])
    assert [_a_file(tmp_path / "backup").name] == [second.storage_key.split("/")[1]]


async def test_a_folder_with_something_in_it_is_left_alone(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BackupError, match="is not empty"):
        await create_backup(stage.database.url, stage.services.files, tmp_path)
    with pytest.raises(BackupError, match="docs/operations.md"):
        await create_backup("postgresql://somebody@host/database", stage.services.files, tmp_path / "backup")
    assert (tmp_path / "notes.txt").read_text() == "mine"


async def test_the_commands(stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As an operator runs them, each in a process's own event loop."""
    await submit(stage, 1)
    await stage.database.close()

    async def run(data: Path, database: Path, *words: str) -> int:
        settings = read_settings(
            {"WAYMARK_DATA": str(data), "WAYMARK_DATABASE_URL": f"sqlite:///{database}", "WAYMARK_BASE_URL": "http://x.test",
             "WAYMARK_SECRET_KEYS": "a:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
        )  # fmt: skip
        asked = parser().parse_args(words)
        return await asyncio.to_thread(asked.run, settings, asked)

    source, backup, target = Path(stage.database.url.split("///")[1]), str(tmp_path / "backup"), tmp_path / "live"
    assert await run(tmp_path / "data", source, "verify") == 0
    assert "The trail of provider 1 ends at line 1: " in capsys.readouterr().out
    assert await run(tmp_path / "data", source, "backup", backup) == 0
    assert "the database and 1 files" in capsys.readouterr().out
    assert await run(target, target / "waymark.db", "restore", backup) == 0
    assert "The backup is back, and whole." in capsys.readouterr().out
    assert await run(target, target / "waymark.db", "restore", backup) == 1
    assert "There is an installation already" in capsys.readouterr().err
    shutil.rmtree(target / "files")
    assert await run(target, target / "waymark.db", "verify") == 1
    assert "1 things are not as they were written" in capsys.readouterr().err
