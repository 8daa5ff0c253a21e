"""The sweeper: it deletes what has ended and nothing else, in batches, one process at a time, with its files."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from db.background_task import running
from db.database import Database
from db.models.access_key import AccessKey
from db.models.auth_session import (
    AuthSession,
    IdempotencyKey,
    LoginAttempt,
    OneTimeToken,
    PasswordResetRequest,
    RefreshToken,
    SigningCode,
)
from db.models.base import Base
from db.models.file import File
from db.models.guest_invitation import GuestInvitation
from db.models.learner import Learner
from db.models.outbox import MAX_ATTEMPTS, OutboxMail
from db.models.provider import Provider
from db.models.signature_request import SignatureSlot
from db.models.task_reminder import TaskReminder
from db.models.updated_at import DeletedRecord
from db.models.user import User
from domain import clock
from domain.enums import Role
from domain.updated_since import DELETIONS_KEPT
from services import sweeper as sweeper_module
from services.storage.file_store import FileStore, open_store
from services.sweeper import BATCH_SIZE, Sweeper, swept_classes
from tests.support.factories import DAY, Factory

MINUTE = dt.timedelta(minutes=1)


class Place:
    """A database with a learner, a store, and the sweeper over both."""

    def __init__(self, database: Database, store: FileStore) -> None:
        self.database, self.store = database, store
        self.sweeper = Sweeper(database, store)
        self.now = clock.now()
        self.user: User

    async def add(self, *rows: Base) -> None:
        async with self.database.writing() as session:
            session.add_all(rows)

    async def keys(self, column: Any) -> list[Any]:
        async with self.database.snapshot() as session:
            return list(await session.scalars(select(column).order_by(column)))

    def mail(self, number: int, **columns: Any) -> OutboxMail:
        values = {"created_at": self.now - 90 * DAY, "due_at": self.now - 90 * DAY, **columns}
        return OutboxMail(
            provider_id=self.user.provider_id, kind="message", to_address="a@example.org", subject=str(number),
            body="", **values,
        )  # fmt: skip


@pytest.fixture
async def place(database: Database, tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(database, open_store(tmp_path))
    async with database.writing() as session:
        factory = Factory(session)
        learner = await factory.learner(await factory.provider(), "Ada")
        made.user = await session.get_one(User, learner.user_id)
    yield made


async def test_rows_go_when_their_time_has_come_and_not_before(place: Place) -> None:
    now, user = place.now, place.user
    for subject, age in (("old", 16 * MINUTE), ("new", 14 * MINUTE)):
        await place.add(LoginAttempt(subject=subject, at=now - age))
    for key, age in (("old", 8 * DAY), ("new", 6 * DAY)):
        await place.add(IdempotencyKey(user_id=user.id, key=key, request_sha256="0" * 64, created_at=now - age))
    for digest, age in (("a" * 64, 2 * DAY), ("b" * 64, dt.timedelta(hours=23))):
        columns = {"token_sha256": digest, "issued_at": now - 9 * DAY, "expires_at": now - age}
        await place.add(OneTimeToken(provider_id=user.provider_id, user_id=user.id, purpose="reset", **columns))
    for name, age in (("old", 61 * MINUTE), ("new", 59 * MINUTE)):
        request = {"network": "192.0.2.1", "address": "192.0.2.1", "requested_at": now - age}
        await place.add(PasswordResetRequest(username=name, **request))
    session = AuthSession(
        provider_id=user.provider_id, user_id=user.id, role=Role.LEARNER, started_at=now - 2 * DAY, expires_at=now + DAY
    )  # fmt: skip
    await place.add(session)
    for mac, age in (("old", 61 * MINUTE), ("new", 59 * MINUTE)):
        owner = {"provider_id": user.provider_id, "user_id": user.id, "sign_in_id": session.id, "code_mac": mac}
        await place.add(SigningCode(issued_at=now - age, expires_at=now - age, **owner))
    record = {"provider_id": user.provider_id, "learner_id": 1, "record_type": "Action", "record_key": 1}
    await place.add(*(DeletedRecord(deleted_at=now - DELETIONS_KEPT - days * DAY, **record) for days in (8, 6)))
    for task_key, age in ((1, 181 * DAY), (2, 179 * DAY)):
        owner = {"provider_id": user.provider_id, "user_id": user.id}
        await place.add(TaskReminder(task_key=task_key, sent_at=now - age, **owner))
    async with place.database.writing() as writing:
        factory = Factory(writing)
        await factory.access_key(user, Role.LEARNER, "wmk_old", name="old", expires_at=now - 91 * DAY)
        await factory.access_key(user, Role.LEARNER, "wmk_gone", name="gone", revoked_at=now - 91 * DAY)
        await factory.access_key(user, Role.LEARNER, "wmk_new", name="new", expires_at=now - 89 * DAY)
    await _add_links(place)
    await place.add(
        place.mail(1, sent_at=now - 31 * DAY),
        place.mail(2, sent_at=now - 29 * DAY),
        place.mail(3, attempts=MAX_ATTEMPTS),
        # A server that was off for months still sends it.
        place.mail(4, attempts=MAX_ATTEMPTS - 1),
    )
    assert await place.sweeper.sweep(now) == {
        "wrong_guess": 1, "idempotency_key": 1, "one_time_token": 1, "outbox_mail": 2, "refresh_token": 0, "sign_in": 0,
        "file": 0, "guest_invitation": 1, "password_reset_request": 1, "signing_code": 1, "task_reminder": 1,
        "access_key": 2, "identity_login": 0, "deleted_record": 1, "bulk_export": 0, "report_schedule": 0,
        "upload_part": 0, "push_message": 0, "push_subscription": 0,
    }  # fmt: skip
    assert await place.keys(AccessKey.name) == ["new"]
    assert await place.keys(LoginAttempt.subject) == ["new"]
    assert await place.keys(IdempotencyKey.key) == ["new"]
    assert await place.keys(OneTimeToken.token_sha256) == ["b" * 64]
    assert await place.keys(PasswordResetRequest.username) == ["new"]
    assert await place.keys(SigningCode.code_mac) == ["new"]
    assert await place.keys(GuestInvitation.token_sha256) == ["b" * 64]
    assert await place.keys(OutboxMail.subject) == ["2", "4"]
    assert await place.keys(TaskReminder.task_key) == [2]


async def _add_links(place: Place) -> None:
    """Adds a link of a guest that expired 31 days ago, and one that expired 29 days ago."""
    async with place.database.writing() as session:
        learner = (await session.scalars(select(Learner))).one()
        request = await Factory(session).signature_request(learner, place.user, (Role.EMPLOYER_MANAGER,))
        slot = (await session.scalars(select(SignatureSlot).where(SignatureSlot.request_id == request.id))).one()
        for digest, age in (("a" * 64, 31 * DAY), ("b" * 64, 29 * DAY)):
            link = GuestInvitation(
                provider_id=learner.provider_id, learner_id=learner.id, slot_id=slot.id, invited_by_id=place.user.id,
                name="Jo", email="jo@example.org", document_sha256="0" * 64, token_sha256=digest,
                invited_at=place.now - 60 * DAY, expires_at=place.now - age,
            )  # fmt: skip
            session.add(link)


async def test_a_session_that_has_ended_goes_after_its_tokens(place: Place) -> None:
    now, user = place.now, place.user
    async with place.database.writing() as session:
        factory = Factory(session)
        ages = {
            "ended": (31 * DAY, None), "ended lately": (20 * DAY, None), "expired": (None, 31 * DAY),
            "live": (None, None),
        }  # fmt: skip
        kept = {}
        for name, (ended, expired) in ages.items():
            made = await factory.auth_session(
                user, Role.LEARNER, started_at=now - 60 * DAY, ended_at=ended and now - ended,
                expires_at=now - expired if expired else now + DAY,
            )  # fmt: skip
            kept[name] = made.id
            token = {"token_sha256": f"{made.id:064}", "issued_at": now, "expires_at": now}
            session.add(RefreshToken(sign_in_id=made.id, **token))
        # A token that has not expired keeps the session that it names.
        later = await factory.auth_session(user, Role.LEARNER, ended_at=now - 40 * DAY)
        session.add(RefreshToken(sign_in_id=later.id, token_sha256="f" * 64, issued_at=now, expires_at=now + 2 * DAY))
    swept = await place.sweeper.sweep(now + MINUTE)
    assert (swept["refresh_token"], swept["sign_in"]) == (0, 0)
    swept = await place.sweeper.sweep(now + DAY + MINUTE)
    assert (swept["refresh_token"], swept["sign_in"]) == (4, 2)
    assert await place.keys(AuthSession.id) == sorted([kept["ended lately"], kept["live"], later.id])
    swept = await place.sweeper.sweep(now + 4 * DAY)
    assert (swept["refresh_token"], swept["sign_in"]) == (1, 1)
    assert await place.keys(AuthSession.id) == sorted([kept["ended lately"], kept["live"]])


async def stored(place: Place, *chunks: bytes) -> str:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return (await place.store.write(stream(), limit=100)).storage_key


async def test_an_upload_that_nothing_uses_goes_with_its_bytes(place: Place) -> None:
    now, user = place.now, place.user
    old, young, used = [await stored(place, name) for name in (b"old", b"young", b"used")]
    async with place.database.writing() as session:
        factory = Factory(session)
        learner = await factory.learner(await session.get_one(Provider, user.provider_id), "Cy")
        aim = await factory.aim(learner)
        third = {"announced_at": now - 3 * DAY}
        await factory.file(user, name="old", storage_key=old, **third, uploaded_at=now - 3 * DAY)
        await factory.file(user, name="arrived later", storage_key=young, **third, uploaded_at=now - DAY)
        await factory.file(user, name="never arrived", sha256=None, **third, uploaded_at=None)
        await factory.file(user, name="just announced", sha256=None, announced_at=now - DAY, uploaded_at=None)
        await factory.file(user, learner, name="used", storage_key=used, **third, uploaded_at=now - 3 * DAY)
        # As an installation could have it: a record refers to a file that names no learner.
        referred = await factory.file(user, name="referred to", **third, uploaded_at=now - 3 * DAY)
        await factory.evidence(aim, user, file_id=referred.id)
    assert (await place.sweeper.sweep(now))["file"] == 2
    left = await place.keys(File.name)
    assert {"arrived later", "just announced", "used", "referred to"} <= set(left)
    assert {"old", "never arrived"}.isdisjoint(left)
    assert [await place.store.exists(key) for key in (old, young, used)] == [False, True, True]
    assert place.sweeper.states["file"].rows == 3


async def test_a_file_that_a_request_is_about_to_use_stays(place: Place) -> None:
    """The request has locked the row: on SQLite the sweeper waits for its commit, on PostgreSQL it skips the row."""
    long_ago = place.now - 3 * DAY
    async with place.database.writing() as session:
        key = (await Factory(session).file(place.user, announced_at=long_ago, uploaded_at=long_ago)).id
        learner_key = await session.scalar(select(Learner.id))
    async with place.database.writing() as session:
        file = await session.get_one(File, key, with_for_update={"key_share": True})
        sweeping = asyncio.create_task(place.sweeper.sweep(place.now))
        await asyncio.wait([sweeping], timeout=0.5 if place.database.is_sqlite else 60)
        assert sweeping.done() is not place.database.is_sqlite
        file.learner_id = learner_key
    assert (await sweeping)["file"] == 0
    assert await place.keys(File.id) == [key]


async def test_a_long_pass_is_many_short_transactions(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper_module, "PAUSE_SECONDS", 0)
    rows = [{"subject": f"account:{number}", "at": place.now - DAY} for number in range(BATCH_SIZE * 2 + 10)]
    async with place.database.writing() as session:
        await session.execute(LoginAttempt.__table__.insert(), rows)
    sizes = []
    delete_batch = place.sweeper._delete_batch

    async def counted(*arguments: Any) -> int:
        sizes.append(await delete_batch(*arguments))
        return sizes[-1]

    monkeypatch.setattr(place.sweeper, "_delete_batch", counted)
    with capture_logs() as logs:
        assert (await place.sweeper.sweep(place.now))["wrong_guess"] == len(rows)
    assert [size for size in sizes if size] == [BATCH_SIZE, BATCH_SIZE, 10]
    (line,) = [line for line in logs if line["event"] == "swept"]
    assert (line["table"], line["rows"], line["left"]) == ("wrong_guess", len(rows), 0)
    state = place.sweeper.states["wrong_guess"]
    assert (state.rows, state.deleted) == (0, len(rows)) and state.last_run is not None


async def test_one_pass_is_bounded(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper_module, "BATCH_SIZE", 3)
    monkeypatch.setattr(sweeper_module, "MAX_BATCHES", 2)
    await place.add(*(LoginAttempt(subject=str(number), at=place.now - DAY) for number in range(10)))
    assert (await place.sweeper.sweep(place.now))["wrong_guess"] == 6
    assert place.sweeper.states["wrong_guess"].rows == 4


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_of_two_processes_one_sweeps(place: Place) -> None:
    await place.add(LoginAttempt(subject="old", at=place.now - DAY))
    other = Sweeper(place.database, place.store)
    async with place.database.writing() as session:
        assert await session.scalar(select(func.pg_try_advisory_xact_lock(sweeper_module._LOCK)))
        async with asyncio.timeout(5):
            assert (await other.sweep(place.now))["wrong_guess"] == 0
    assert (await other.sweep(place.now))["wrong_guess"] == 1


async def test_many_sweepers_at_once_delete_each_row_once(place: Place) -> None:
    await place.add(*(LoginAttempt(subject=str(number), at=place.now - DAY) for number in range(300)))
    sweepers = [Sweeper(place.database, place.store) for _ in range(5)]
    await asyncio.gather(*(each.sweep(place.now) for each in sweepers))
    assert sum(each.states["wrong_guess"].deleted for each in sweepers) == 300
    assert await place.keys(LoginAttempt.id) == []


async def test_a_table_that_cannot_be_swept_keeps_no_other_from_it(place: Place) -> None:
    await place.add(LoginAttempt(subject="old", at=place.now - DAY))
    async with place.database.writing() as session:
        await session.execute(text("alter table one_time_token rename to gone"))
    with capture_logs() as logs:
        swept = await place.sweeper.sweep(place.now)
    assert swept["wrong_guess"] == 1
    (line,) = [line for line in logs if line["event"] == "sweep_failed"]
    assert list(line["causes"]) == ["one_time_token"]
    assert place.sweeper.states["one_time_token"].last_run is None


async def test_it_runs_beside_the_server(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper_module, "INTERVAL_SECONDS", 0.02)
    async with running(place.sweeper.run, "sweeper"), asyncio.timeout(10):
        for subject in ("first", "second"):
            await place.add(LoginAttempt(subject=subject, at=place.now - DAY))
            while await place.keys(LoginAttempt.id):
                await asyncio.sleep(0.02)


def test_rows_go_before_those_that_they_refer_to() -> None:
    order = [entity.__tablename__ for entity, _ in swept_classes()]
    assert order.index("refresh_token") < order.index("sign_in")
