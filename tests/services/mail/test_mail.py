"""E-mail: what it says, that nothing can be slipped into it, and that the outbox empties itself as it should."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy import select

from db.database import Database
from db.models.outbox import OutboxMail
from db.models.provider import Provider
from domain import clock
from services.mail import messages as mail
from services.mail.messages import BadAddress, Mail, address, render_mail
from services.mail.sender import AT_ONCE, MOST_ATTEMPTS, MailSender, backoff
from services.mail.transport import SmtpServer

SENDER = Address("Waymark", addr_spec="portfolio@waymark.example")
AT = dt.datetime(2026, 7, 1, 9, 30, tzinfo=dt.UTC)


class Post:
    """What an SMTP server takes in, and what it answers: `says` is used up first, then everything is taken."""

    def __init__(self):
        self.taken = []
        self.says: list[str] = []
        self.holding: asyncio.Event | None = None

    async def handle_DATA(self, server, session, envelope):
        if self.holding is not None:
            await self.holding.wait()
        if self.says:
            return self.says.pop(0)
        self.taken.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
        return "250 OK"

    def subjects(self) -> list[str]:
        return sorted(message["Subject"] for _, message in self.taken)


@asynccontextmanager
async def post_office() -> AsyncIterator[tuple[Post, SmtpServer]]:
    post = Post()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(post, hostname="post.example", enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    try:
        yield post, SmtpServer(SENDER, "127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()


@pytest.fixture
async def office():
    async with post_office() as opened:
        yield opened


async def put(database: Database, *mails: Mail, to: str = "dai@works.example", fail: bool = False) -> None:
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
    return Mail(mail.MESSAGE, subject, "words\n")


def every_mail() -> list[Mail]:
    return [
        mail.welcome(
            name="Dai",
            username="dai",
            provider="Example",
            role="Employer Manager",
            link="https://x.example/i/1",
            good_until=AT,
        ),
        mail.password_reset(name="Dai", username="dai", link="https://x.example/r/1", good_until=AT),
        mail.password_changed(name="Dai", username="dai", at=AT),
        mail.evidence_returned(name="Dai", title="Log", aim="Standard", assessor="Ann", points="More.\n\nBetter."),
        mail.evidence_resubmitted(name="Ann", learner="Dai", title="Log", aim="Standard", comment="Done."),
        mail.signature_asked(name="Dai", document="Review", learner="Dai", asked_by="Ann"),
        mail.session_booked(name="Dai", learner="Dai", assessor="Ann", starts_at=AT, title="Formal review"),
        mail.disclaimer_changed(name="Dai", provider="Example"),
        mail.message(
            name="Ann",
            sender="Dai",
            sender_email="dai@works.example",
            about="Dai's Standard",
            subject="Help",
            body="When do we meet?",
        ),
    ]


@pytest.mark.parametrize("one", every_mail(), ids=lambda one: one.kind)
async def test_every_mail_goes_out_whole(one, office):
    post, server = office
    await server.send(render_mail(one, to="dai@works.example", sender=SENDER, number=7, created_at=AT))
    [(to, got)] = post.taken
    assert to == ["dai@works.example"]
    assert got["Subject"] == one.subject
    assert got["From"] == "Waymark <portfolio@waymark.example>"
    assert got["Message-ID"].startswith("<outbox.7.")
    assert got["Reply-To"] == one.reply_to
    assert got.get_content_type() == "text/plain"
    assert got.get_content().replace("\r\n", "\n") == one.body
    assert not got.is_multipart()


def test_the_welcome_carries_username_and_link_and_says_when_it_ends_in_london():
    body = every_mail()[0].body
    assert "Your username: dai" in body
    assert "\nhttps://x.example/i/1\n" in body
    assert "1 July 2026 at 10:30" in body


async def test_nothing_can_be_slipped_into_the_headers(office):
    post, server = office
    evil = mail.message(
        name="A",
        sender="B",
        sender_email="b@x.example",
        about="C",
        subject="Hi\r\nBcc: all@x.example\n\nbody\u2028\u202e\ud800",
        body="\ud800\r\n.\r\nQUIT\r\n",
    )
    await server.send(render_mail(evil, to="dai@works.example", sender=SENDER, number=1, created_at=AT))
    [(to, got)] = post.taken
    assert to == ["dai@works.example"]
    assert got["Subject"] == "Hi Bcc: all@x.example body"
    assert got["Bcc"] is None
    assert "> QUIT" in got.get_content()


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "x",
        "@x.example",
        "a@",
        "a b@x.example",
        "a@x.example\r\nBcc: b@x.example",
        "a@x.example, b@x.example",
        "A <a@x.example>",
        "a@x.example\u2028",
    ],
)
def test_what_is_no_address(bad):
    with pytest.raises(BadAddress):
        address(bad)


def test_somebody_elses_words_are_set_off_from_ours():
    points = "one\nWaymark says: two"
    body = mail.evidence_returned(name="Dai", title="Log", aim="S", assessor="Ann", points=points).body
    assert "\n> one\n> Waymark says: two\n" in body


async def test_the_outbox_is_sent_once_and_marked(database, office):
    post, server = office
    await put(database, *[note(f"n{n}") for n in range(3)])
    sender = MailSender(database, server)
    assert await sender.send_due() == 3
    assert await sender.send_due() == 0
    assert post.subjects() == ["n0", "n1", "n2"]
    assert all(row.sent_at and row.leased_until is None and row.attempts == 1 for row in await rows(database))


async def test_nothing_goes_out_for_what_was_rolled_back(database, office):
    post, server = office
    with pytest.raises(ZeroDivisionError):
        await put(database, note("never"), fail=True)
    assert await MailSender(database, server).send_due() == 0
    assert post.taken == []


async def test_two_processes_send_each_message_once(own_database_url, office):
    post, server = office
    first, second = Database(own_database_url), Database(own_database_url)
    try:
        await put(first, *[note(f"n{n:02}") for n in range(30)])

        async def empty(database: Database):
            sender = MailSender(database, server)
            while await sender.send_due():
                pass

        await asyncio.gather(empty(first), empty(second))
        assert post.subjects() == [f"n{n:02}" for n in range(30)]
        assert all(row.sent_at for row in await rows(first))
    finally:
        await first.close()
        await second.close()


async def test_a_server_that_does_not_take_it_is_asked_again_later(database, office, monkeypatch):
    post, server = office
    post.says = ["451 try later", "550 who is that"]
    await put(database, note("n"))
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
    assert post.subjects() == ["n"]


async def test_no_server_is_an_error_that_is_noted(database):
    async with post_office() as (_, gone):
        pass
    await put(database, note("n"))
    assert await MailSender(database, gone).send_due() == 1
    [row] = await rows(database)
    assert "Connect" in row.last_error and row.sent_at is None


async def test_what_a_killed_sender_had_taken_goes_out_when_its_lease_ends(database, office, monkeypatch):
    post, server = office
    await put(database, note("n"))
    killed = MailSender(database, server)
    [taken] = await killed._take()
    assert await MailSender(database, server).send_due() == 0
    monkeypatch.setattr(clock, "now", lambda: taken.leased_until)
    assert await MailSender(database, server).send_due() == 1
    assert post.subjects() == ["n"]


async def test_an_address_that_is_none_is_given_up_at_once(database, office):
    post, server = office
    await put(database, note("n"), to="nobody")
    await put(database, note("m"))
    assert await MailSender(database, server).send_due() == 2
    assert await MailSender(database, server).send_due() == 0
    assert post.subjects() == ["m"]
    bad = (await rows(database))[0]
    assert (bad.sent_at, bad.attempts, bad.last_error) == (None, MOST_ATTEMPTS, "not an e-mail address")


async def test_links_that_sign_somebody_in_are_not_kept_once_sent(database, office):
    post, server = office
    await put(database, *every_mail()[:2])
    await MailSender(database, server).send_due()
    assert all("https://x.example/" in message.get_content() for _, message in post.taken)
    assert [row.body for row in await rows(database)] == ["(not kept)", "(not kept)"]


async def test_running_sends_when_woken_and_finishes_what_it_began(database, office):
    post, server = office
    post.holding = asyncio.Event()
    sender = MailSender(database, server)
    async with sender.running():
        await put(database, *[note(f"n{n}") for n in range(AT_ONCE)])
        sender.wake()
        while not (await rows(database))[0].leased_until:
            await asyncio.sleep(0.01)
        asyncio.get_running_loop().call_later(0.2, post.holding.set)
    assert len(post.taken) == AT_ONCE
    assert all(row.sent_at for row in await rows(database))


def test_waits_double_and_end_at_six_hours():
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 4)] == [15, 30, 60, 120]
    assert backoff(36) == backoff(10_000) == dt.timedelta(hours=6)
