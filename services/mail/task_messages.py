"""The texts of e-mails about tasks: those that arose, reminders, and the daily one with all that waits."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.enums import TaskKind
from domain.mail import Mail
from services.mail.text import listed, make_mail

TASKS_AROSE = "tasks_arose"
TASKS_WAIT = "tasks_wait"
TASKS_TODAY = "tasks_today"

# Of more, the e-mail says how many.
MAX_LINES = 20
_FOOTER = """
Open Waymark:
{start}

You get this e-mail because of your settings in Waymark. To stop e-mails of this kind:
{stop}
"""
# One and several of a kind.
_NOUNS = {
    TaskKind.SIGN_DOCUMENT: ("document to sign", "documents to sign"),
    TaskKind.SIGN_UNIT: ("unit to sign", "units to sign"),
    TaskKind.SIGN_REVIEW: ("review to sign", "reviews to sign"),
    TaskKind.ANSWER_REVIEW: ("review to contribute to", "reviews to contribute to"),
    TaskKind.BOOK_REVIEW: ("review to book", "reviews to book"),
    TaskKind.ASSESS_EVIDENCE: ("piece of evidence to assess", "pieces of evidence to assess"),
    TaskKind.RESUBMIT_EVIDENCE: ("piece of evidence to improve", "pieces of evidence to improve"),
    TaskKind.RESPOND_TO_ACTION: ("action to respond to", "actions to respond to"),
    TaskKind.FOLLOW_UP_ACTION: ("action to follow up", "actions to follow up"),
    TaskKind.APPROVE_TIME: ("time log entry to approve", "time log entries to approve"),
    TaskKind.CONFIRM_TIME: ("time log entry to confirm", "time log entries to confirm"),
    TaskKind.LOG_LEARNING: ("time log without new entries", "time logs without new entries"),
    TaskKind.CHOOSE_UNITS: ("choice of units to make", "choices of units to make"),
    TaskKind.SAMPLE_UNIT: ("unit to sample", "units to sample"),
    TaskKind.ANSWER_SAMPLE: ("sampling action to answer", "sampling actions to answer"),
    TaskKind.SESSION_SOON: ("session soon", "sessions soon"),
}


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task: what to do, about whom, and by when."""

    title: str
    learner: str
    due_on: dt.date | None

    @property
    def text(self) -> str:
        """Returns the line of an e-mail."""
        about = "" if self.learner in self.title else f" ({self.learner})"
        due = f", by {self.due_on.day} {self.due_on:%B %Y}" if self.due_on else ""
        return f"{self.title}{about}{due}"


def counted(kind: TaskKind, count: int) -> str:
    """Returns "1 document to sign" or "3 documents to sign"."""
    return f"{count} {_NOUNS[kind][count != 1]}"


def tasks_arose(*, name: str, kind: TaskKind, tasks: Sequence[TaskLine], start: str, stop: str) -> Mail:
    """Tells a person what new work of one kind waits. `start` and `stop`: links to the app, and to end such e-mails."""
    subject = counted(kind, len(tasks))
    return _mail(TASKS_AROSE, f"New: {subject}", f"This now waits for you: {subject}.", name, tasks, start, stop)


def tasks_wait(*, name: str, kind: TaskKind, tasks: Sequence[TaskLine], start: str, stop: str) -> Mail:
    """Reminds a person of work of one kind that still waits."""
    subject = counted(kind, len(tasks))
    what = f"This still waits for you: {subject}."
    return _mail(TASKS_WAIT, f"Reminder: {subject}", what, name, tasks, start, stop)


def tasks_today(
    *, name: str, counts: Sequence[tuple[TaskKind, int]], tasks: Sequence[TaskLine], start: str, stop: str
) -> Mail:
    """Tells a person once a day what waits: how much of each kind, and the most urgent of it."""
    total = sum(count for _, count in counts)
    subject = "1 task waits for you" if total == 1 else f"{total} tasks wait for you"
    what = f"This waits for you today:\n\n{listed([counted(kind, count) for kind, count in counts])}\n\nMost urgent:"
    return _mail(TASKS_TODAY, f"Today: {subject}", what, name, tasks, start, stop, more=total)


def _mail(
    mail_kind: str,
    subject: str,
    what: str,
    name: str,
    tasks: Sequence[TaskLine],
    start: str,
    stop: str,
    more: int | None = None,
) -> Mail:
    lines = [task.text for task in tasks[:MAX_LINES]]
    left = (len(tasks) if more is None else more) - len(lines)
    rest = f"\nand {left} more.\n" if left else ""
    body = f"Hello {name},\n\n{what}\n\n{listed(lines)}\n{rest}" + _FOOTER.format(start=start, stop=stop)
    return replace(make_mail(mail_kind, subject, body), unsubscribe_url=stop)
