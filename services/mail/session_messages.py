"""The e-mails about sessions and about who assesses a learner."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from domain.clock import LONDON
from domain.mail import Mail
from services.mail.calendar_entry import session_event, session_invitation
from services.mail.text import format_time, listed, make_mail

SESSION_BOOKED = "session_booked"
SESSION_MOVED = "session_moved"
SESSION_CHANGED = "session_changed"
SESSION_CANCELLED = "session_cancelled"
ASSESSOR_CHANGED = "assessor_changed"
CASELOAD_CHANGED = "caseload_changed"


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """A planned session, as an e-mail names it; `learner` is None in an e-mail to the learner."""

    number: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    location: str | None
    learner: str | None = None


@dataclass(frozen=True, slots=True)
class SessionDetails:
    """A session as its e-mails describe it. `version` grows with each change; `link` opens it in the frontend."""

    key: int
    version: int
    number: int
    assessor: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    location: str | None
    link: str


def session_booked(*, name: str, session: SessionDetails) -> Mail:
    """Tells a learner when and where a session takes place that was booked."""
    return _session_mail(
        SESSION_BOOKED,
        f"Session on {format_time(session.starts_at)}",
        session,
        f"""
Hello {name},

Session {session.number} with {session.assessor} takes place:

{_when_and_where(session.starts_at, session.ends_at, session.location)}

To see how to prepare, open the session in your learning plan and read its planning notes.
""",
    )


def session_changed(
    *, name: str, session: SessionDetails, from_starts_at: dt.datetime, from_ends_at: dt.datetime,
    from_location: str | None,
) -> Mail:  # fmt: skip
    """Tells a learner how a planned session was changed: from when and where to when and where, if it was moved."""
    before = _when_and_where(from_starts_at, from_ends_at, from_location)
    after = _when_and_where(session.starts_at, session.ends_at, session.location)
    if (from_starts_at, from_ends_at) != (session.starts_at, session.ends_at):
        kind, subject = SESSION_MOVED, f"Moved: session on {format_time(session.starts_at)}"
        what = f"was moved.\n\nBefore:\n{before}\n\nNow:\n{after}"
    else:
        kind, subject = SESSION_CHANGED, f"Changed: session on {format_time(session.starts_at)}"
        what = f"was changed. It takes place:\n\n{after}"
        if from_location != session.location:
            what += f"\n\nThe place was {from_location or 'not given'} before."
    return _session_mail(
        kind,
        subject,
        session,
        f"""
Hello {name},

Session {session.number} with {session.assessor} {what}

To see what is planned, open the session in your learning plan.
""",
    )


def session_cancelled(*, name: str, session: SessionDetails) -> Mail:
    """Tells a learner that a session does not take place."""
    return _session_mail(
        SESSION_CANCELLED,
        f"Cancelled: session on {format_time(session.starts_at)}",
        session,
        f"""
Hello {name},

Session {session.number} with {session.assessor} does not take place. It was planned:

{_when_and_where(session.starts_at, session.ends_at, session.location)}
""",
    )


def _session_mail(kind: str, subject: str, session: SessionDetails, body: str) -> Mail:
    """The e-mail with its link and its calendar entry."""
    mail = make_mail(kind, subject, f"{body}\nOpen it in Waymark:\n{session.link}\n")
    event = session_event(
        key=session.key, sequence=session.version, summary=f"Session {session.number} with {session.assessor}",
        starts_at=session.starts_at, ends_at=session.ends_at, location=session.location, description=session.link,
        cancelled=kind == SESSION_CANCELLED,
    )  # fmt: skip
    return dataclasses.replace(mail, calendar=session_invitation(event))


def _when_and_where(starts_at: dt.datetime, ends_at: dt.datetime, location: str | None) -> str:
    starts, ends = starts_at.astimezone(LONDON), ends_at.astimezone(LONDON)
    until = f"{ends:%H:%M}" if ends.date() == starts.date() else format_time(ends_at)
    return f"From: {format_time(starts_at)}\nUntil: {until}\nPlace: {location or 'not given'}"


def assessor_changed(
    *, name: str, aims: Sequence[str], assessor: str, previous: str | None, sessions: Sequence[PlannedSession]
) -> Mail:
    """Tells a learner who assesses their aims from now on, and which sessions take place with that person."""
    instead = f" instead of {previous}" if previous else ""
    return make_mail(
        ASSESSOR_CHANGED,
        f"Your assessor is now {assessor}",
        f"""
Hello {name},

{assessor} is your assessor{instead} for:

{listed(aims)}
{_session_list("These sessions take place as planned, with your new assessor:", sessions)}""",
    )


def caseload_changed(
    *, name: str, received: bool, other: str | None, aims: Sequence[str], sessions: Sequence[PlannedSession]
) -> Mail:
    """Tells an assessor which aims they have `received` or handed over, and the sessions to come about them.

    `aims`: lines with learner and title. `other`: the assessor on the other side.
    """
    if received:
        subject, what = "Components were handed over to you", "You are now the assessor of these components"
        where = f". {other} was the assessor before" if other else ""
    else:
        subject, what = "Components were handed over", "You are no longer the assessor of these components"
        where = f". {other} is the assessor now" if other else ""
    note = (
        "These sessions go with them. Check that they fit in with your other sessions:"
        if received
        else ("These sessions go with them:")
    )
    return make_mail(
        CASELOAD_CHANGED,
        subject,
        f"""
Hello {name},

{what}{where}.

{listed(aims)}
{_session_list(note, sessions)}""",
    )


def _session_list(heading: str, sessions: Sequence[PlannedSession]) -> str:
    """The planned sessions under a heading; empty without any."""
    if not sessions:
        return ""
    lines = [
        f"Session {each.number}{f' with {each.learner}' if each.learner else ''}, {format_time(each.starts_at)}"
        f"{f', {each.location}' if each.location else ''}"
        for each in sessions
    ]
    return f"\n{heading}\n\n{listed(lines)}\n"
