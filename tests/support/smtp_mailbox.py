"""An SMTP server for tests of the mail transport: stores what it accepts, and rejects or waits as a test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP

from services.mail.transport import SmtpServer

SENDER = Address("Waymark", addr_spec="portfolio@waymark.example")


class Mailbox:
    """The messages that an SMTP server accepted. It sends `responses` first, and accepts everything after them."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], EmailMessage]] = []
        self.responses: list[str] = []
        # While set to an event, messages are accepted only after the event.
        self.waits_for: asyncio.Event | None = None

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.waits_for is not None:
            await self.waits_for.wait()
        if self.responses:
            return self.responses.pop(0)
        self.received.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
        return "250 OK"

    def subjects(self) -> list[str]:
        """The subjects of all messages, sorted."""
        return sorted(message["Subject"] for _, message in self.received)


@asynccontextmanager
async def smtp_server() -> AsyncIterator[tuple[Mailbox, SmtpServer]]:
    """An SMTP server until the block ends, and the transport that sends to it."""
    mailbox = Mailbox()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(mailbox, hostname="post.example", enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    try:
        yield mailbox, SmtpServer(SENDER, "127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
