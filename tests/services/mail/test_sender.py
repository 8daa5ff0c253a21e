"""The sender of the outbox: each e-mail is sent once, retried with backoff, and never sent for a rolled-back change."""

import asyncio
import datetime as dt

import pytest
from sqlalchemy import select

from db.database import Database
from db.models.outbox import OutboxMail
from db.models.provider import Provider
from domain import clock
from domain.mail import Mail
from services.mail import messages
from services.mail.sender import MAX_ATTEMPTS, MailSender, backoff
from tests.support.smtp_mailbox import smtp_server

AT = dt.datetime(2026, 7, 1, 9, 30, tzinfo=dt.UTC)


async def queue(database: Database, *mails: Mail, to: str = "dai@works.example", fail: bool = False) -> None:
    async with database.writing() as session:
        provider = (await session.scalars(select(Provider))).first()
        if provider is None:
            provider = Provider(name="Example Training", created_at=AT)
            session.add(provider)
            await session.flush()
        now = clock.now()
        for one in mails:
            session.add(
                OutboxMail(
                    provider_id=provider.id,
                    kind=one.kind,
                    to_address=to,
                    reply_to=one.reply_to,
                    subject=one.subject,
                    body=one.body,
                    created_at=now,
                    due_at=now,
                )
            )
        if fail:
            await session.flush()
            raise ZeroDivisionError


async def rows(database: Database) -> list[OutboxMail]:
    async with database.writing() as session:
        return list((await session.scalars(select(OutboxMail).order_by(OutboxMail.id))).all())


def note(subject: str) -> Mail:
    return Mail(messages.MESSAGE, subject, "words\n")


async def test_the_outbox_is_sent_once_and_recorded(database, smtp):
    mailbox, server = smtp
    await queue(database, *[note(f"n{n}") for n in range(3)])
    sender = MailSender(database, server)
    assert await sender.send_due() == 3
    assert await sender.send_due() == 0
    assert mailbox.subjects() == ["n0", "n1", "n2"]
    assert all(row.sent_at and row.leased_until is None and row.attempts == 1 for row in await rows(database))


async def test_a_rolled_back_change_sends_nothing(database, smtp):
    mailbox, server = smtp
    with pytest.raises(ZeroDivisionError):
        await queue(database, note("never"), fail=True)
    assert await MailSender(database, server).send_due() == 0
    assert mailbox.received == []


async def test_two_processes_send_each_message_once(own_database_url, smtp):
    mailbox, server = smtp
    first, second = Database(own_database_url), Database(own_database_url)
    try:
        await queue(first, *[note(f"n{n:02}") for n in range(30)])

        async def send_all(database: Database):
            sender = MailSender(database, server)
            while await sender.send_due():
                pass

        await asyncio.gather(send_all(first), send_all(second))
        assert mailbox.subjects() == [f"n{n:02}" for n in range(30)]
        assert all(row.sent_at for row in await rows(first))
    finally:
        await first.close()
        await second.close()


async def test_a_rejected_message_is_retried_later(database, smtp, monkeypatch):
    mailbox, server = smtp
    mailbox.responses = ["451 try later", "550 who is that"]
    await queue(database, note("n"))
    sender = MailSender(database, server)
    start = clock.now()
    for attempt in (1, 2, 3):
        assert await sender.send_due() == 1
        [row] = await rows(database)
        assert row.attempts == attempt
        if attempt < 3:
            assert row.sent_at is None
            assert row.last_error.startswith("SMTPDataError")
            assert row.due_at >= start + backoff(attempt)
            assert await sender.send_due() == 0
            monkeypatch.setattr(clock, "now", lambda later=row.due_at: later)
    assert row.sent_at and row.last_error is None
    assert mailbox.subjects() == ["n"]


async def test_an_unreachable_server_is_recorded_as_an_error(database):
    async with smtp_server() as (_, stopped):
        pass
    await queue(database, note("n"))
    assert await MailSender(database, stopped).send_due() == 1
    [row] = await rows(database)
    assert "Connect" in row.last_error and row.sent_at is None


async def test_mail_of_a_killed_sender_is_sent_after_its_lease(database, smtp, monkeypatch):
    mailbox, server = smtp
    await queue(database, note("n"))
    killed = MailSender(database, server)
    [leased] = await killed.lease()
    assert await MailSender(database, server).send_due() == 0
    monkeypatch.setattr(clock, "now", lambda: leased.leased_until)
    assert await MailSender(database, server).send_due() == 1
    assert mailbox.subjects() == ["n"]


async def test_an_invalid_address_is_not_retried(database, smtp):
    mailbox, server = smtp
    await queue(database, note("n"), to="nobody")
    await queue(database, note("m"))
    assert await MailSender(database, server).send_due() == 2
    assert await MailSender(database, server).send_due() == 0
    assert mailbox.subjects() == ["m"]
    bad = (await rows(database))[0]
    assert (bad.sent_at, bad.attempts, bad.last_error) == (None, MAX_ATTEMPTS, "not an e-mail address")


async def test_bodies_with_access_links_are_deleted_once_sent(database, smtp):
    mailbox, server = smtp
    link = "https://x.example/1"
    welcome = messages.welcome(name="Dai", username="dai", provider="E", role="Learner", link=link, valid_until=AT)
    reset = messages.password_reset(name="Dai", username="dai", provider="Hill", link=link, valid_until=AT)
    await queue(database, welcome, reset)
    await MailSender(database, server).send_due()
    assert all("https://x.example/" in message.get_content() for _, message in mailbox.received)
    assert [row.body for row in await rows(database)] == ["(not kept)", "(not kept)"]


async def test_running_sends_when_woken_and_finishes_its_attempts(database, smtp):
    mailbox, server = smtp
    mailbox.waits_for = asyncio.Event()
    sender = MailSender(database, server)
    async with sender.running():
        await queue(database, *[note(f"n{n}") for n in range(MailSender.batch_size)])
        sender.wake()
        while not (await rows(database))[0].leased_until:
            await asyncio.sleep(0.01)
        asyncio.get_running_loop().call_later(0.2, mailbox.waits_for.set)
    assert len(mailbox.received) == MailSender.batch_size
    assert all(row.sent_at for row in await rows(database))


def test_the_wait_doubles_up_to_six_hours():
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 4)] == [15, 30, 60, 120]
    assert backoff(36) == backoff(10_000) == dt.timedelta(hours=6)
