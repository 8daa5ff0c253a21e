"""The texts of e-mails: what they say, how they are rendered, and that no input can change their headers or meaning."""

import datetime as dt

import pytest

from domain.mail import Mail
from services.mail import messages
from services.mail.messages import BadAddress, address, render_mail
from services.mail.transport import SmtpServer
from tests.support.smtp_mailbox import SENDER, Mailbox

AT = dt.datetime(2026, 7, 1, 9, 30, tzinfo=dt.UTC)


def every_mail() -> list[Mail]:
    welcome = messages.welcome(
        name="Dai", username="dai", provider="Example", role="Employer Manager", link="https://x.example/i/1",
        good_until=AT,
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
        messages.password_reset(name="Dai", username="dai", link="https://x.example/r/1", good_until=AT),
        messages.password_changed(name="Dai", username="dai", at=AT),
        messages.evidence_returned(name="Dai", title="Log", aim="Standard", assessor="Ann", points="More.\n\nBetter."),
        messages.evidence_resubmitted(name="Ann", learner="Dai", title="Log", aim="Standard", comment="Done."),
        messages.evidence_withdrawn(name="Dai", title="Log", aim="Standard", withdrawn_by="Ann", reason="Not yours."),
        messages.signature_requested(name="Dai", document="Review", learner="Dai", requested_by="Ann"),
        messages.session_booked(name="Dai", assessor="Ann", starts_at=AT, title="Formal review"),
        to_assessor,
        to_learner,
    ]


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
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == mail.body
    assert not message.is_multipart()


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


def test_a_persons_words_are_quoted():
    points = "one\nWaymark says: two"
    body = messages.evidence_returned(name="Dai", title="Log", aim="S", assessor="Ann", points=points).body
    assert "\n> one\n> Waymark says: two\n" in body
