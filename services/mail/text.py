"""What the texts of e-mails have in common: headers, quotations, lists and times."""

import datetime as dt
from collections.abc import Sequence

from domain.clock import LONDON
from domain.mail import Mail
from domain.text import clean_line, clean_lines

MAX_SUBJECT_LENGTH = 200


def header_line(text: str) -> str:
    """Text for a header: no line breaks, no control or invisible characters, at most 200 characters."""
    return clean_line(text)[:MAX_SUBJECT_LENGTH]


def make_mail(kind: str, subject: str, body: str, reply_to: str | None = None) -> Mail:
    """Returns the e-mail with this text; `subject` may contain what people wrote."""
    # JSON can carry lone surrogates, which cannot be encoded as UTF-8: replaced, or the mail could never be sent.
    body = body.strip("\n").encode("utf-8", "replace").decode()
    return Mail(kind, header_line(subject), f"{body}\n", reply_to)


def quoted(text: str) -> str:
    """What a person wrote, as a quotation, so that it cannot be mistaken for text from Waymark."""
    lines = clean_lines(text).split("\n") if clean_lines(text) else ["(nothing)"]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def listed(lines: Sequence[str]) -> str:
    """A list, one item a line."""
    return "\n".join(f"- {line}" for line in lines)


def format_time(at: dt.datetime) -> str:
    """A moment in London: "1 July 2026 at 10:30"."""
    local = at.astimezone(LONDON)
    return f"{local.day} {local:%B %Y} at {local:%H:%M}"
