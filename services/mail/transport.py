"""How e-mail leaves: through an SMTP server, or as .eml files in a folder where none is set."""

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

# A server that has not answered by then is tried again later (seconds).
TIMEOUT = 30.0
_STARTTLS = {"required": True, "auto": None, "off": False}


class Transport(Protocol):
    """Takes one rendered message. Once `send` returns, somebody else is answerable for it."""

    sender: Address

    async def send(self, message: EmailMessage) -> None:
        """Raises OSError (TimeoutError included) or aiosmtplib.SMTPException where the message was not taken."""


def open_transport(url: str | None, folder: Path, sender: str) -> Transport:
    """The transport that the settings name. `sender`: the address that mail comes from.

    `smtp://user:password@host:587?starttls=required|auto|off` or `smtps://…`; user and password percent-encoded. With a
    password TLS is required unless `starttls=off` is said. Without a URL, messages become files in `folder`, and the
    log says so. Raises ValueError, which says what to write and never repeats the password.
    """
    try:
        from_address = Address("Waymark", addr_spec=address(sender).addr_spec)
    except BadAddress:
        raise ValueError("The address that mail comes from must read like portfolio@example.org.") from None
    if not url:
        log.warning("mail_goes_to_files", folder=str(folder), hint="set WAYMARK_SMTP_URL to send e-mail")
        return EmlFolder(folder, from_address)
    wrong = ValueError("The SMTP URL must read smtp://user:password@host:port?starttls=required, or smtps://…")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    options = parse_qs(parts.query)
    starttls = options.pop("starttls", ["required" if parts.password else "auto"])[-1]
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or options or starttls not in _STARTTLS:
        raise wrong
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
    """An SMTP server; a connection a message. `starttls`: True required, None where offered, False never."""

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
            timeout=TIMEOUT,
        )

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port})"


@dataclass(frozen=True, slots=True)
class EmlFolder:
    """A folder of .eml files, one a message; the same message again replaces its file."""

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
        # Links that sign somebody in may stand in it: for the server's own user alone.
        with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(message.as_bytes(policy=SMTP_POLICY))
        temporary.rename(path)
        return path
