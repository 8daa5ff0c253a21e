"""Messages between a learner's people and their assessor: sent as e-mail, without attachments."""

from db.models.aim import Aim
from db.models.user import User
from domain.enums import Role, UserErrorCode
from repositories.evidence import names_of_aim
from resolvers.core.unit_of_work import Change, writes
from resolvers.core.validation import line, named, prose
from services.mail.messages import message

# Those who write to the assessor; the others write to the learner.
_TO_ASSESSOR = (Role.LEARNER, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW)


@writes("messageSend")
async def send(change: Change, *, aim_id: str, subject: str, body: str) -> None:
    """Sends an e-mail to the aim's assessor, or from an assessor or admin to its learner [001].

    Refuses with NOT_FOUND, NOT_ALLOWED, REQUIRED and INVALID for the fields, INVALID where there is nobody to write to.
    """
    aim = await named(change, Aim, aim_id, "input", "aimId", locked=False)
    if aim is not None:
        change.allow()
    subject = line(change, subject, "input", "subject")
    body = prose(change, body, "input", "body")
    change.check()
    assert aim is not None
    names = await names_of_aim(change.session, aim)
    to_assessor = change.viewer.role in _TO_ASSESSOR
    key = aim.assessor_id if to_assessor else names.learner_user_key
    receiver = None if key is None else await change.session.get_one(User, key)
    if receiver is None or receiver.archived_at is not None:
        who = "assessor" if to_assessor else "learner"
        change.fault(UserErrorCode.INVALID, f"There is no {who} to write to at the moment.", "input", "aimId")
        change.check()
        return
    mail = message(
        name=receiver.name,
        sender=change.viewer.name,
        # A learner sees nobody's e-mail address: their answer goes through Waymark.
        sender_email=change.viewer.email if to_assessor else None,
        about=f"{names.learner}, {names.title}",
        subject=subject,
        body=body,
    )
    change.mail(receiver.email, mail)
    change.record("Aim", aim.id, learner_id=aim.learner_id, aim_id=aim.id, to="assessor" if to_assessor else "learner")
