"""Notifies the learner by e-mail when a session is booked, moved, changed or cancelled."""

import datetime as dt
from dataclasses import dataclass

from db.models.learner import Learner
from db.models.session import Session
from db.models.user import User
from domain.enums import SessionStatus
from resolvers.core.unit_of_work import UnitOfWork
from services.mail.session_messages import SessionDetails, session_booked, session_cancelled, session_changed


@dataclass(frozen=True, slots=True)
class PreviousTime:
    """When and where a session was planned before it was changed."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    location: str | None

    @classmethod
    def of(cls, session: Session) -> "PreviousTime":
        """Returns those of a session that has not been changed yet."""
        return cls(session.starts_at, session.ends_at, session.location)


async def notify_learner(
    uow: UnitOfWork, session: Session, assessor: User | None = None, previous: PreviousTime | None = None
) -> None:
    """Sends the learner an e-mail with a calendar entry, unless the session has begun or their account is archived.

    `previous`: as it was planned before; None for a session that is new or cancelled.
    """
    latest = max(session.starts_at, previous.starts_at) if previous else session.starts_at
    if latest <= uow.now:
        return
    # The calendar entry has the version that is stored.
    await uow.session.flush()
    learner = await uow.session.get_one(Learner, session.learner_id)
    user = await uow.session.get_one(User, learner.user_id)
    if user.archived_at is not None:
        return
    if assessor is None:
        assessor = await uow.session.get_one(User, session.assessor_id)
    details = SessionDetails(
        key=session.id, version=session.version, number=session.number, assessor=assessor.name,
        starts_at=session.starts_at, ends_at=session.ends_at, location=session.location,
        link=uow.link_to("Session", session.id),
    )  # fmt: skip
    if session.status is SessionStatus.CANCELLED:
        mail = session_cancelled(name=user.name, session=details)
    elif previous is None:
        mail = session_booked(name=user.name, session=details)
    else:
        mail = session_changed(
            name=user.name, session=details, from_starts_at=previous.starts_at, from_ends_at=previous.ends_at,
            from_location=previous.location,
        )  # fmt: skip
    uow.send_mail(user.email, mail)
