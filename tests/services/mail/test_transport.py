"""Mail transports: SMTP URLs, required TLS, and .eml files without a server."""

import asyncio
import datetime as dt
from email import message_from_bytes
from email.policy import default

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP

from domain.mail import Mail
from services.mail import messages
from services.mail.messages import render_mail
from services.mail.transport import EmlFolder, SmtpServer, open_transport
from tests.support.smtp_mailbox import SENDER

AT = dt.datetime(2026, 7, 1, 9, 30, tzinfo=dt.UTC)
NOTE = Mail(messages.MESSAGE, "Note", "words\n")


async def test_without_a_server_messages_become_files(tmp_path):
    folder = open_transport(None, tmp_path / "mail", "portfolio@waymark.example")
    assert isinstance(folder, EmlFolder)
    message = render_mail(NOTE, to="dai@works.example", sender=folder.sender, number=3, created_at=AT)
    await folder.send(message)
    await folder.send(message)
    [path] = (tmp_path / "mail").iterdir()
    assert path.suffix == ".eml"
    assert path.stat().st_mode & 0o077 == 0
    assert message_from_bytes(path.read_bytes(), policy=default).get_content().split() == ["words"]


def opened(url: str, tmp_path) -> SmtpServer:
    return open_transport(url, tmp_path, "portfolio@waymark.example")


def test_smtp_urls(tmp_path):
    full = opened("smtp://us%40er:p%2Fw@post.example:2525", tmp_path)
    assert (full.host, full.port, full.username, full.password) == ("post.example", 2525, "us@er", "p/w")
    assert (full.tls, full.starttls) == (False, True)
    assert "p/w" not in repr(full)
    plain = opened("smtp://post.example", tmp_path)
    assert (plain.port, plain.starttls, plain.username) == (587, None, None)
    assert opened("smtp://u:p@post.example?starttls=off", tmp_path).starttls is False
    secure = opened("smtps://u:p@post.example", tmp_path)
    assert (secure.port, secure.tls, secure.starttls) == (465, True, False)


@pytest.mark.parametrize(
    "url",
    [
        "http://x",
        "smtp://",
        "post.example:25",
        "smtp://u:secret@h:port",
        "smtp://u:secret@h?tls=1",
        "smtp://u:secret@h?starttls=maybe",
    ],
)
def test_invalid_smtp_urls_are_explained_without_the_password(url, tmp_path):
    with pytest.raises(ValueError, match="smtp://user:password@host:port") as error:
        opened(url, tmp_path)
    assert "secret" not in str(error.value)


async def test_nothing_is_sent_in_clear_text_if_tls_is_required():
    received = []

    class Handler:
        async def handle_DATA(self, server, session, envelope):
            received.append(envelope)
            return "250 OK"

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), hostname="post.example"), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    message = render_mail(NOTE, to="dai@works.example", sender=SENDER, number=1, created_at=AT)
    try:
        with pytest.raises(aiosmtplib.SMTPException):
            await SmtpServer(SENDER, "127.0.0.1", port, starttls=True).send(message)
        assert received == []
        await SmtpServer(SENDER, "127.0.0.1", port).send(message)
        assert len(received) == 1
    finally:
        server.close()
