"""Messages between a learner's people and their assessor: sent as e-mail, without attachments."""

from db.models.aim import Aim
from db.models.user import User
from domain.enums import Role, UserErrorCode
from repositories.evidence import aim_names
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line, require_entity, single_line
from services.mail.messages import message

# Those who write to the assessor; the others write to the learner.
_TO_ASSESSOR = (Role.LEARNER, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW)


@mutation("messageSend")
async def send(uow: UnitOfWork, *, aim_id: str, subject: str, body: str) -> None:
    """Sends an e-mail to the aim's assessor, or from an assessor or admin to its learner [001].

    Refuses with NOT_FOUND, NOT_ALLOWED, REQUIRED and INVALID for the fields, INVALID where there is nobody to write to.
    """
    aim = await require_entity(uow, Aim, aim_id, "input", "aimId", locked=False)
    if aim is not None:
        uow.authorize()
    subject = single_line(uow, subject, "input", "subject")
    body = multi_line(uow, body, "input", "body")
    uow.raise_errors()
    assert aim is not None
    names = await aim_names(uow.session, aim)
    to_assessor = uow.viewer.role in _TO_ASSESSOR
    key = aim.assessor_id if to_assessor else names.learner_user_key
    receiver = None if key is None else await uow.session.get_one(User, key)
    if receiver is None or receiver.archived_at is not None:
        who = "assessor" if to_assessor else "learner"
        uow.add_error(UserErrorCode.INVALID, f"There is no {who} to write to at the moment.", "input", "aimId")
        uow.raise_errors()
        return
    mail = message(
        name=receiver.name,
        sender=uow.viewer.name,
        # A learner sees nobody's e-mail address: their answer goes through Waymark.
        sender_email=uow.viewer.email if to_assessor else None,
        about=f"{names.learner}, {names.title}",
        subject=subject,
        body=body,
    )
    uow.send_mail(receiver.email, mail)
    uow.audit("Aim", aim.id, learner_id=aim.learner_id, aim_id=aim.id, to="assessor" if to_assessor else "learner")
