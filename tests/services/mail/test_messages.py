"""The texts of e-mails: what they say, how they are rendered, and that no input can change their headers or meaning."""

import datetime as dt

import pytest
from icalendar import Calendar

from domain.mail import Mail
from services.mail import guest_messages, messages, session_messages
from services.mail.messages import BadAddress, address, render_mail
from services.mail.transport import SmtpServer
from tests.support.smtp_mailbox import SENDER, Mailbox

HOUR = dt.timedelta(hours=1)
AT = dt.datetime(2026, 7, 1, 9, 30, tzinfo=dt.UTC)


SESSION = session_messages.SessionDetails(
    key=7, version=3, number=2, assessor="Ann", starts_at=AT, ends_at=AT + HOUR, location="Büro, 2. Stock",
    link="https://x.example/open/Session_7",
)  # fmt: skip
PLANNED = session_messages.PlannedSession(2, AT, AT + HOUR, None, "Dai")


def every_mail() -> list[Mail]:
    welcome = messages.welcome(
        name="Dai", username="dai", provider="Example", role="Employer Manager", link="https://x.example/i/1",
        valid_until=AT,
    )  # fmt: skip
    to_assessor = messages.message(
        name="Ann", sender="Dai", sender_email="dai@works.example", about="Dai's Standard", subject="Help",
        body="When do we meet?",
    )  # fmt: skip
    to_learner = messages.message(
        name="Dai", sender="Ann", sender_email=None, about="Dai's Standard", subject="Re: Help", body="On Monday."
    )
    return [
        welcome,
        messages.password_reset(name="Dai", username="dai", provider="Hill", link="https://x.example/", valid_until=AT),
        messages.password_changed(name="Dai", username="dai", at=AT),
        messages.evidence_returned(name="Dai", title="Log", aim="Standard", assessor="Ann", points="More.\n\nBetter."),
        messages.evidence_resubmitted(name="Ann", learner="Dai", title="Log", aim="Standard", comment="Done."),
        messages.evidence_withdrawn(name="Dai", title="Log", aim="Standard", withdrawn_by="Ann", reason="Not yours."),
        messages.signature_requested(name="Dai", document="Review", learner="Dai", requested_by="Ann"),
        session_messages.session_booked(name="Dai", session=SESSION),
        session_messages.session_changed(
            name="Dai", session=SESSION, from_starts_at=AT - HOUR, from_ends_at=AT, from_location="Site A"
        ),
        session_messages.session_changed(
            name="Dai", session=SESSION, from_starts_at=AT, from_ends_at=AT + HOUR, from_location=None
        ),
        session_messages.session_cancelled(name="Dai", session=SESSION),
        session_messages.assessor_changed(
            name="Dai", aims=["Standard"], assessor="Ann", previous="Bob", sessions=[PLANNED]
        ),
        session_messages.caseload_changed(
            name="Ann", received=True, other="Bob", aims=["Dai: Standard"], sessions=[PLANNED]
        ),
        messages.email_confirmation(name="Dai", provider="Example", link="https://x.example/email", valid_until=AT),
        messages.email_change_requested(name="Dai", provider="Example"),
        guest_messages.guest_invitation(
            name="Jo", document="Review", learner="Dai", invited_by="Ann", provider="Example",
            role="an Employer Manager", link="https://x.example/sign", valid_until=AT,
        ),
        guest_messages.guest_code(name="Jo", document="Review", code="12345678", valid_until=AT),
        to_assessor,
        to_learner,
    ]  # fmt: skip


@pytest.mark.parametrize("mail", every_mail(), ids=lambda mail: mail.kind)
async def test_every_mail_is_delivered_completely(mail: Mail, smtp: tuple[Mailbox, SmtpServer]):
    mailbox, server = smtp
    await server.send(render_mail(mail, to="dai@works.example", sender=SENDER, number=7, created_at=AT))
    [(to, message)] = mailbox.received
    assert to == ["dai@works.example"]
    assert message["Subject"] == mail.subject
    assert message["From"] == "Waymark <portfolio@waymark.example>"
    assert message["Message-ID"].startswith("<outbox.7.")
    assert message["Reply-To"] == mail.reply_to
    text = message.get_body(("plain",))
    assert text.get_content().replace("\r\n", "\n") == mail.body
    assert message.is_multipart() == (mail.calendar is not None)


async def test_a_session_is_put_into_the_calendar_moved_and_removed(smtp: tuple[Mailbox, SmtpServer]):
    mailbox, server = smtp
    for mail, method in (
        (session_messages.session_booked(name="Dai", session=SESSION), "REQUEST"),
        (session_messages.session_cancelled(name="Dai", session=SESSION), "CANCEL"),
    ):
        await server.send(render_mail(mail, to="dai@works.example", sender=SENDER, number=7, created_at=AT))
        (_, message) = mailbox.received[-1]
        invitation, attachment = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
        assert invitation.get_param("method") == method and attachment.get_filename() == "session.ics"
        assert attachment.get_content() == invitation.get_content()
        calendar = Calendar.from_ical(attachment.get_content())
        (event,) = calendar.walk("VEVENT")
        assert (calendar["method"], event["status"]) == (method, "CANCELLED" if method == "CANCEL" else "CONFIRMED")
        assert (event["uid"], event["sequence"], event["location"]) == ("session-7@waymark", 3, "Büro, 2. Stock")
        assert (event.start, event.end) == (AT, AT + HOUR)
        assert event["organizer"] == f"mailto:{SENDER.addr_spec}" and event["attendee"] == "mailto:dai@works.example"


def test_a_moved_session_says_from_when_and_where_to_when_and_where():
    moved = session_messages.session_changed(
        name="Dai", session=SESSION, from_starts_at=AT - HOUR, from_ends_at=AT, from_location="Site A"
    )
    assert moved.kind == "session_moved" and moved.subject == "Moved: session on 1 July 2026 at 10:30"
    before, _, now = moved.body.partition("Now:")
    assert "From: 1 July 2026 at 09:30\nUntil: 10:30\nPlace: Site A" in before
    assert "From: 1 July 2026 at 10:30\nUntil: 11:30\nPlace: Büro, 2. Stock" in now
    assert "\nhttps://x.example/open/Session_7\n" in now


def test_the_welcome_has_username_and_link_and_its_expiry_in_london_time():
    body = every_mail()[0].body
    assert "Your username: dai" in body
    assert "\nhttps://x.example/i/1\n" in body
    assert "1 July 2026 at 10:30" in body


def test_a_message_says_how_to_answer():
    to_assessor, to_learner = every_mail()[-2:]
    assert "To answer, reply to this e-mail." in to_assessor.body and to_assessor.reply_to == "dai@works.example"
    assert "To answer, send a message in Waymark." in to_learner.body and to_learner.reply_to is None


async def test_input_cannot_add_headers(smtp: tuple[Mailbox, SmtpServer]):
    mailbox, server = smtp
    malicious = messages.message(
        name="A",
        sender="B",
        sender_email="b@x.example",
        about="C",
        subject="Hi\r\nBcc: all@x.example\n\nbody\u2028\u202e\ud800",
        body="\ud800\r\n.\r\nQUIT\r\n",
    )
    await server.send(render_mail(malicious, to="dai@works.example", sender=SENDER, number=1, created_at=AT))
    [(to, message)] = mailbox.received
    assert to == ["dai@works.example"]
    assert message["Subject"] == "Hi Bcc: all@x.example body"
    assert message["Bcc"] is None
    assert "> QUIT" in message.get_content()


@pytest.mark.parametrize(
    "text",
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
def test_texts_that_are_not_an_address(text: str):
    with pytest.raises(BadAddress):
        address(text)


async def test_a_domain_with_accents_is_sent_as_idna(smtp: tuple[Mailbox, SmtpServer]):
    mailbox, server = smtp
    mail = messages.password_changed(name="Ann", username="ann", at=AT)
    await server.send(render_mail(mail, to="ann@bücher.example", sender=SENDER, number=1, created_at=AT))
    [(to, message)] = mailbox.received
    assert to == ["ann@xn--bcher-kva.example"] and message["To"] == "ann@xn--bcher-kva.example"


def test_a_persons_words_are_quoted():
    points = "one\nWaymark says: two"
    body = messages.evidence_returned(name="Dai", title="Log", aim="S", assessor="Ann", points=points).body
    assert "\n> one\n> Waymark says: two\n" in body
