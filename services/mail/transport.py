"""The ways to deliver an e-mail: an SMTP server, or .eml files in a folder if none is set."""

import asyncio
import os
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
import structlog

from services.mail.messages import BadAddress, address

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 30.0
_STARTTLS = {"required": True, "auto": None, "off": False}


class Transport(Protocol):
    """Delivers rendered messages. Once `send` returns, the message is accepted for delivery."""

    @property
    def sender(self) -> Address:
        """The address that mail comes from."""

    async def send(self, message: EmailMessage) -> None:
        """Raises OSError (TimeoutError included) or aiosmtplib.SMTPException if the message was not accepted."""


def open_transport(url: str | None, folder: Path, sender: str) -> Transport:
    """The transport for a URL. `sender`: the address that mail comes from.

    `smtp://user:password@host:587?starttls=required|auto|off` or `smtps://…`, with user and password percent-encoded. A
    password requires TLS unless the URL says `starttls=off`. Without a URL, messages become files in `folder`, with a
    warning in the log. Raises ValueError, whose message says what to set and never repeats the password.
    """
    try:
        from_address = Address("Waymark", addr_spec=address(sender).addr_spec)
    except BadAddress:
        raise ValueError("The address that mail comes from must look like portfolio@example.org.") from None
    if not url:
        log.warning("mail_written_to_folder", folder=str(folder), hint="set WAYMARK_SMTP_URL to send e-mail")
        return EmlFolder(folder, from_address)
    invalid = ValueError("The SMTP URL must look like smtp://user:password@host:port?starttls=required, or smtps://…")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise invalid from None
    options = parse_qs(parts.query)
    starttls = options.pop("starttls", ["required" if parts.password else "auto"])[-1]
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or options or starttls not in _STARTTLS:
        raise invalid
    tls = parts.scheme == "smtps"
    return SmtpServer(
        sender=from_address,
        host=parts.hostname,
        port=port or (465 if tls else 587),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=tls,
        starttls=False if tls else _STARTTLS[starttls],
    )


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """An SMTP server, with one connection for each message. `starttls`: True required, None if offered, False never."""

    sender: Address
    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: bool = False
    starttls: bool | None = None

    async def send(self, message: EmailMessage) -> None:
        await aiosmtplib.send(
            message,
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            use_tls=self.tls,
            start_tls=self.starttls,
            timeout=TIMEOUT_SECONDS,
        )

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port})"


@dataclass(frozen=True, slots=True)
class EmlFolder:
    """A folder of .eml files, one for each message; sending a message again replaces its file."""

    folder: Path
    sender: Address

    async def send(self, message: EmailMessage) -> None:
        path = await asyncio.to_thread(self._write, message)
        log.info("mail_written", path=str(path))

    def _write(self, message: EmailMessage) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = message["Message-ID"].strip("<>").partition("@")[0]
        path = self.folder / f"{message['Date'].datetime:%Y%m%d-%H%M%S}-{name}.eml"
        temporary = path.with_suffix(".part")
        # Readable by the server's user alone: the message may hold a link that gives access to an account.
        with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(message.as_bytes(policy=SMTP_POLICY))
        temporary.rename(path)
        return path
