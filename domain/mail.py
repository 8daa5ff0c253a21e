"""An e-mail before it has a receiver."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    """A message without its receiver: kind, subject (one line) and body; `reply_to` where answers go to a person."""

    kind: str
    subject: str
    body: str
    reply_to: str | None = None
