"""After an erasure no word of the learner is left in any file: database, write-ahead log, uploads, mail."""

import asyncio
import datetime as dt
import os
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from commands.privacy import erase_as_operator
from db.models.auth_session import LoginAttempt
from db.models.personal_data import DataSubject
from db.models.user import User
from db.sqlite_file import truncate_log
from domain import clock
from resolvers import privacy
from services.mail.mail_folder import erase_mail_files, names, sweep_mail_files
from services.storage.file_store import open_store
from tests.support.personal_marks import mark
from tests.support.privacy_scenario import Scene

# As long as the shortest column takes, in the folded form that names are searched in.
MARK = "zebedeequx"
ERASE = "mutation($id: ID!, $name: String!) { learnerErase(id: $id, confirmName: $name) { errors { code message } } }"
MESSAGE = "mutation($input: MessageSendInput!) { messageSend(input: $input) { errors { code } } }"
LOGIN = "mutation($input: LoginInput!) { login(input: $input) { errors { code } } }"
OTHERS_MAIL = b"To: boss@example.org\r\nSubject: Weekly news\r\n\r\nAll is well with zebedeequxson.\r\n"


async def leave_traces(scene: Scene) -> Path:
    """Uses the portfolio as a learner whose every word is the mark; returns the folder of sent mail."""
    mail, email = scene.folder / "mail", f"{MARK}@example.org"
    async with scene.database.writing() as session:
        await session.execute(update(User).where(User.id == scene.user.id).values(email=email))
    async with scene.running.signed_in("learner") as ada, scene.running.anonymous() as stranger:
        # An upload that no record uses, by content and by name.
        await ada.upload(f"{MARK}.txt", "text/plain", MARK.encode())
        found = await ada.data("{ viewer { learner { aims { id } } } }")
        aim = found["viewer"]["learner"]["aims"][0]["id"]
        await ada.data(MESSAGE, input={"aimId": aim, "subject": MARK, "body": MARK})
        await stranger.data(LOGIN, input={"username": "learner", "password": "wrong"})
        while not [path for path in mail.glob("*.eml") if MARK.encode() in path.read_bytes()]:
            await stranger.http.get("/health")
    mail.joinpath("others.eml").write_bytes(OTHERS_MAIL)
    async with scene.database.writing() as session:
        # The address is marked too; the username stays the one whose wrong passwords were counted.
        await session.execute(update(User).where(User.id == scene.user.id).values(email=MARK))
        subject = DataSubject(scene.learner.id, scene.user.id, scene.user.provider_id, MARK, "learner")
        marked = await mark(session, subject, MARK)
        await session.execute(update(User).where(User.id == scene.user.id).values(username="learner"))
    assert len(marked) > 15
    return mail


def files_with_the_mark(folder: Path) -> set[str]:
    """The kinds of files whose bytes hold the mark, in any case; a name that only begins with it does not count."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes().lower().replace(f"{MARK}son".encode(), b"")
            if MARK.encode() in content or MARK in path.name.lower():
                found.add(path.relative_to(folder).parts[0])
    return found


async def check_nothing_is_left(scene: Scene, mail: Path) -> None:
    assert files_with_the_mark(scene.folder) == set()
    assert MARK not in (await scene.dump()).lower()
    assert mail.joinpath("others.eml").read_bytes() == OTHERS_MAIL
    assert await scene.rows(LoginAttempt, LoginAttempt.subject.like("account:%")) == []


@pytest.mark.parametrize("by", ["a Master Admin", pytest.param("the operator", marks=pytest.mark.long)])
async def test_no_file_holds_a_word_of_an_erased_learner(scene: Scene, by: str) -> None:
    """On SQLite the database is looked through as bytes, with its write-ahead log and beside a reader."""
    url = make_url(scene.database.url)
    beside = scene.folder / "database"
    mail = await leave_traces(scene)
    if url.get_backend_name() == "sqlite":
        # Looked for where the database is, which is not in the data folder.
        beside.mkdir()
        for suffix in ("", "-wal"):
            beside.joinpath(f"db{suffix}").symlink_to(f"{url.database}{suffix}")
    expected = {"files", "mail"} | ({"database"} if beside.exists() else set())
    assert files_with_the_mark(scene.folder) == expected
    if by == "a Master Admin":
        async with scene.running.signed_in("master.admin") as master:
            erased = await master.data(ERASE, id=scene.id, name=MARK)
            assert erased["learnerErase"]["errors"] == []
    else:
        store = open_store(scene.folder / "files")
        assert await erase_as_operator(scene.database, store, scene.learner.id, mail) is None
    await check_nothing_is_left(scene, mail)


async def test_an_erasure_that_was_committed_succeeds_whatever_follows(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(url: str) -> bool:
        raise RuntimeError(MARK)

    monkeypatch.setattr(privacy, "truncate_log", fails)
    async with scene.running.signed_in("master.admin") as master:
        with capture_logs() as logs:
            erased = await master.data(ERASE, id=scene.id, name=scene.user.name)
    assert erased["learnerErase"]["errors"] == []
    failed = [line for line in logs if line["event"] == "after_commit_failed"]
    assert [(line["action"], line["cause"]) for line in failed] == [("learnerErase", "RuntimeError")]
    assert MARK not in str(logs)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_a_reader_delays_it_until_the_next_sweep(scene: Scene) -> None:
    log = Path(f"{make_url(scene.database.url).database}-wal")
    async with scene.database.snapshot() as reader:
        await reader.execute(text("select count(*) from file"))
        async with scene.database.writing() as session:
            await session.execute(update(User).where(User.id == scene.user.id).values(name=MARK))
        assert not await truncate_log(scene.database.url)
        assert log.stat().st_size > 0
    # The server of the scene reads and writes beside.
    async with asyncio.timeout(30):
        while not await truncate_log(scene.database.url):
            await asyncio.sleep(0.1)
    assert log.stat().st_size == 0


def test_mail_files_are_found_by_address_and_by_whole_name(tmp_path: Path) -> None:
    mails = {
        "to": "To: Ed@example.org\r\nSubject: Hello\r\n\r\nHello",
        "from": "To: a@b.example\r\nReply-To: ed@example.org\r\n\r\n",
        "subject": "To: a@b.example\r\nSubject: =?utf-8?b?RWQgTmFzaCDinJM=?=\r\n\r\n",
        "body": "To: a@b.example\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nabout Ed=\r\n Nash.",
        "other": "To: fred@example.org\r\nSubject: edited\r\n\r\nEd Nashville",
    }  # fmt: skip
    for name, mail in mails.items():
        tmp_path.joinpath(f"{name}.eml").write_bytes(mail.encode())
    assert erase_mail_files(tmp_path, "ed@example.org", "Ed Nash") == 4
    assert [path.name for path in tmp_path.iterdir()] == ["other.eml"]
    assert erase_mail_files(tmp_path, "", "Nobody") == 0
    assert names("With Ed.", "ed") and not names("edited", "Ed")


def test_old_mail_files_are_deleted(tmp_path: Path) -> None:
    for name, days in (("old", 31), ("new", 29)):
        path = tmp_path / f"{name}.eml"
        path.touch()
        at = (clock.now() - dt.timedelta(days=days)).timestamp()
        os.utime(path, (at, at))
    assert sweep_mail_files(tmp_path, clock.now()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["new.eml"]
    assert sweep_mail_files(tmp_path / "missing", clock.now()) == 0
