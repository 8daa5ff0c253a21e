"""Sends messages between a learner or employer and the assessor, as e-mail without attachments."""

import datetime as dt
import math

from db.models.aim import Aim
from db.models.user import User
from domain.enums import PortfolioPart, UserErrorCode
from domain.errors import reject
from domain.sentences import say
from repositories.aim import aim_names
from repositories.usage import lock_own_account, messages_since
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line, require_entity, single_line
from resolvers.rules.aim import AIM, WRITE_TO_ASSESSOR, AimState
from services.change_feed.changed_parts import changed_parts
from services.mail.messages import message


@mutation("messageSend")
async def send(uow: UnitOfWork, *, aim_id: str, subject: str, body: str) -> None:
    """Sends an e-mail to the aim's assessor, or from an assessor or admin to its learner.

    Rejects with NOT_FOUND, NOT_ALLOWED, REQUIRED and INVALID for the fields, with INVALID where there is no recipient,
    and with TOO_MANY_ATTEMPTS after the messages of a day.
    """
    aim = await require_entity(uow, Aim, aim_id, "input", "aimId", locked=False)
    if aim is not None:
        uow.authorize()
    subject = single_line(uow, subject, "input", "subject")
    body = multi_line(uow, body, "input", "body")
    uow.raise_errors()
    assert aim is not None
    names = await aim_names(uow.session, aim)
    to_assessor = uow.viewer.role in WRITE_TO_ASSESSOR
    key = aim.assessor_id if to_assessor else names.learner_user_key
    recipient = None if key is None else await uow.session.get_one(User, key)
    archived = recipient is not None and recipient.archived_at is not None
    uow.require(AIM, AimState.of(aim), recipient_archived=archived)
    assert recipient is not None
    await _check_quota(uow)
    mail = message(
        name=recipient.name,
        sender=uow.viewer.name,
        # Learners do not see e-mail addresses: their reply goes through Waymark.
        sender_email=uow.viewer.email if to_assessor else None,
        about=f"{names.learner}, {names.title}",
        subject=subject,
        body=body,
    )
    uow.send_mail(recipient.email, mail, by_viewer=True)
    changed_parts(uow.session).add(PortfolioPart.MESSAGE)
    uow.audit("Aim", aim.id, learner_id=aim.learner_id, aim_id=aim.id, to="assessor" if to_assessor else "learner")


async def _check_quota(uow: UnitOfWork) -> None:
    most, day = uow.services.quotas.messages_day, dt.timedelta(hours=24)
    if not uow.services.database.is_sqlite:
        await lock_own_account(uow.session, uow.viewer.user_key)
    sent, first = await messages_since(uow.session, uow.viewer.user_key, uow.now - day)
    if sent >= most and first is not None:
        hours = math.ceil((first + day - uow.now) / dt.timedelta(hours=1))
        error = say("TOO_MANY_MESSAGES", most=most, count=max(hours, 1))
        raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, error, "input")
