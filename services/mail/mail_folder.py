"""E-mails as files in a folder, where there is no SMTP server: which of them erasure and retention delete."""

import datetime as dt
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import cast

# As long as the outbox keeps sent mail (db/models/outbox.py).
KEPT_FOR = dt.timedelta(days=30)


def names(text: str, name: str) -> bool:
    """Whether the text has the whole name, in any case: "Ed" is not in "edited"."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def erase_mail_files(folder: Path, address: str, name: str) -> int:
    """Deletes the mails to or from the address and those that name the person; returns how many. Blocks."""
    deleted = 0
    for path in folder.glob("*.eml"):
        try:
            mail = cast(EmailMessage, message_from_bytes(path.read_bytes(), policy=SMTP))
        except FileNotFoundError:
            continue
        addresses = {str(mail[header] or "").casefold() for header in ("To", "Reply-To")}
        text = f"{mail['Subject']}\n{mail.get_content()}"
        if (address and address.casefold() in addresses) or names(text, name):
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted


def sweep_mail_files(folder: Path, now: dt.datetime) -> int:
    """Deletes the mails that are older than 30 days; returns how many. Blocks."""
    deleted = 0
    for path in folder.glob("*.eml"):
        if path.stat().st_mtime < (now - KEPT_FOR).timestamp():
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted
