"""The SMTP server of the tests of e-mail."""

from collections.abc import AsyncIterator

import pytest

from services.mail.transport import SmtpServer
from tests.support.smtp_mailbox import Mailbox, smtp_server


@pytest.fixture
async def smtp() -> AsyncIterator[tuple[Mailbox, SmtpServer]]:
    async with smtp_server() as opened:
        yield opened
