"""A real SMTP server that stores the messages that it receives, and a reader of the links in them."""

import asyncio
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP

# Seconds to wait for a message.
PATIENCE = 10.0


class Post:
    """`async with Post() as post`: `post.url` is its WAYMARK_SMTP_URL, `await post.to(address)` the next message."""

    def __init__(self) -> None:
        self._arrived: list[EmailMessage] = []
        self._news = asyncio.Condition()

    async def __aenter__(self) -> "Post":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, hostname="post.example"), "127.0.0.1", 0)
        self.url = f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}?starttls=off"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=default)
        assert envelope.rcpt_tos == [message["To"].addresses[0].addr_spec]
        async with self._news:
            self._arrived.append(message)  # type: ignore[arg-type]
            self._news.notify_all()
        return "250 OK"

    async def to(self, address: str, subject: str = "") -> EmailMessage:
        """Waits for a message to an address with the words in the subject. Returns the first that is not taken."""

        def found() -> EmailMessage | None:
            return next((one for one in self._arrived if one["To"] == address and subject in one["Subject"]), None)

        async with self._news, asyncio.timeout(PATIENCE):
            await self._news.wait_for(found)
            message = found()
            assert message is not None
            self._arrived.remove(message)
            return message

    def waiting_for(self, address: str) -> list[str]:
        """Returns the subjects of the messages to an address that are not taken yet."""
        return [one["Subject"] for one in self._arrived if one["To"] == address]


def link_in(message: EmailMessage) -> str:
    """Returns the only link of a message."""
    (link,) = re.findall(r"^(https?://\S+)\s*$", message.get_body(("plain",)).get_content(), re.MULTILINE)
    return link
