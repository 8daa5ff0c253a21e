"""Everything that is stored is readable by the server's user alone, whatever the umask and what was there before."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.file_permissions import log_permissions, restrict_stored
from services.settings import Settings, read_settings
from tests.support import preloaded_process
from tests.support.architecture import ROOT
from tests.support.demo_server import Demo
from tests.support.server_process import STOPPED_BY_SIGTERM, ServerProcess

# Of a shell that was set up by somebody who likes to share.
OPEN_UMASK = 0o000
RESET = "mutation($u: String!) { passwordResetRequest(username: $u) { errors { code } } }"


def modes(*folders: Path) -> dict[str, str]:
    """Path -> permissions, of what other users can access in some way."""
    paths = [path for folder in folders for path in (folder, *folder.rglob("*")) if not path.is_symlink()]
    open_ones = {path: stat.S_IMODE(path.stat().st_mode) for path in paths}
    return {str(path): oct(mode) for path, mode in open_ones.items() if mode & 0o077}


def settings_for(folder: Path, **environment: str) -> Settings:
    return read_settings({"WAYMARK_DATA": str(folder), **environment})


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A data folder as a server of 0.1.0 with an open umask left it: files of every kind that others can read."""
    data = tmp_path / "data"
    for name in ("demo.db", "demo.db-wal", "demo.db-shm", "keys/demo.key", "mail/1.eml", "files/ab/cd", "report.zip"):
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("d29yZHM=")
        path.chmod(0o644)
    for folder in (data, *data.rglob("*")):
        if folder.is_dir():
            folder.chmod(0o755)
    return data


def test_what_was_there_before_is_restricted(shared: Path) -> None:
    assert len(modes(shared)) == 12
    with capture_logs() as logs:
        log_permissions(settings_for(shared))
    assert modes(shared) == {}
    assert {line["kind"]: line["paths"] for line in logs if line["event"] == "permissions_restricted"} == {
        "database": 3, "data folder": 1, "keys": 2, "e-mails": 2, "uploaded files": 3, "other files": 1,
    }  # fmt: skip
    with capture_logs() as logs:
        log_permissions(settings_for(shared))
    assert logs == []
    # The owner's own permissions stay as they were.
    (shared / "run").touch(mode=0o755)
    (shared / "run").chmod(0o755)
    restrict_stored(settings_for(shared))
    assert stat.S_IMODE((shared / "run").stat().st_mode) == 0o700


def test_what_belongs_to_somebody_else_is_warned_of(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with capture_logs() as logs:
        log_permissions(settings_for(shared))
    assert len(modes(shared)) == 12
    assert {line["kind"]: line["paths"] for line in logs} == {
        "database": 3, "data folder": 1, "keys": 2, "e-mails": 2, "uploaded files": 3, "other files": 1,
    }  # fmt: skip
    assert {(line["event"], line["log_level"]) for line in logs} == {("readable_by_other_users", "warning")}
    assert all("chmod" in line["hint"] and line["first"].startswith(str(shared)) for line in logs)


def test_the_database_and_the_files_may_be_elsewhere(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for name in ("waymark.db", "waymark.db-wal", "not ours"):
        (tmp_path / "elsewhere" / name).touch(mode=0o644)
    (shared / "files").rename(tmp_path / "store")
    places = {
        "WAYMARK_DATABASE_URL": f"sqlite:///{tmp_path}/elsewhere/waymark.db", "WAYMARK_FILES_URL": f"{tmp_path}/store",
        "WAYMARK_BASE_URL": "https://portfolio.example", "WAYMARK_SECRET_KEYS": "a:" + "bXkga2V5IGlzIG5vdCBzaG9y" * 3,
    }  # fmt: skip
    found = restrict_stored(settings_for(shared, **places))
    assert (found["database"].restricted, found["uploaded files"].restricted) == (2, 3)
    # Waymark keeps nothing else in those folders.
    assert sorted(Path(path).name for path in modes(tmp_path / "elsewhere", tmp_path / "store")) == [
        "elsewhere", "not ours",
    ]  # fmt: skip


def test_a_link_is_not_followed(shared: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch(mode=0o644)
    (shared / "files" / "link").symlink_to(outside)
    restrict_stored(settings_for(shared))
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644


async def test_a_server_and_the_commands_create_nothing_that_others_can_read(
    demo: Demo, backend: str, tmp_path: Path
) -> None:
    """With a umask of 000: uploads, mail, the database with its log, backups and exports of commands."""
    data, made = tmp_path / "data", tmp_path / "made"
    for folder in (data, made):
        folder.mkdir()
    server = ServerProcess(await demo.copied(backend, data), data, {})
    server.umask = OPEN_UMASK

    def run(*words: str) -> None:
        done = preloaded_process.run(*words, environment=server.environment, umask=OPEN_UMASK)
        assert done.returncode == 0, done.stderr

    await server.start()
    async with server.signed_in("learner") as ada:
        me: Any = await ada.data("{ viewer { learner { id } } }")
        await ada.upload("notes.txt", "text/plain", b"notes")
        await ada.data(RESET, u="learner")
    async with server.anonymous() as stranger:
        while not list((data / "mail").glob("*.eml")):
            await stranger.http.get("/health")
    run("subject-access", me["viewer"]["learner"]["id"], "--to", str(made / "ada.zip"))
    if backend == "sqlite":
        run("backup", str(made / "backup"))
        database = Path(server.environment["WAYMARK_DATABASE_URL"].partition(":///")[2])
        beside = [database.with_name(f"{database.name}{suffix}") for suffix in ("", "-wal", "-shm")]
        assert {stat.S_IMODE(path.stat().st_mode) for path in beside} == {0o600}
    server.terminate()
    assert await server.stopped() == STOPPED_BY_SIGTERM
    if backend == "sqlite":
        run("restore", str(made / "backup"), "--overwrite")
    made.chmod(0o700)
    assert modes(data, made) == {}
    assert len(list(data.rglob("*"))) > 10 and (made / "ada.zip").is_file()


def test_the_unit_file_says_so_too() -> None:
    units = list((ROOT / "deploy").glob("*.service"))
    assert units and all("UMask=0077\n" in unit.read_text() for unit in units)
