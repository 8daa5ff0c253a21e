"""An e-mail without its recipient."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail without its recipient.

    `subject` is one line, `reply_to` is set if answers go to a person, `calendar` is an entry for the recipient's
    calendar (iCalendar) without organizer and attendee. `unsubscribe_url` is where the recipient ends such e-mails.
    """

    kind: str
    subject: str
    body: str
    reply_to: str | None = None
    calendar: str | None = None
    unsubscribe_url: str | None = None
