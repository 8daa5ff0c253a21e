"""Enrols learners, and changes their records."""

from typing import TypedDict, Unpack

from db.models.employer import Employer
from db.models.learner import Learner
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.sentences import say
from domain.uln import is_uln
from repositories.learner import uln_taken
from repositories.user import allocations_of, grants_of_user, use_of_username
from resolvers.core.attachments import attach, claim_picture
from resolvers.core.changes import assign, changed_texts
from resolvers.core.separation_of_duties import check_not_own_record
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity, single_line
from resolvers.rules.learner import LEARNER, LearnerState
from resolvers.rules.user import corrects
from resolvers.user.email_change import parse_email, request_email_change
from resolvers.user.invitation import add_email_taken, create_user, parse_username


class LearnerChanges(TypedDict, total=False):
    """The changes of a learner: what is missing or None is not changed, except that None removes ULN and photo.

    Texts of the learner's own row need no entry here: `resolvers.core.changes.changed_texts` finds their columns.
    """

    name: str | None
    uln: str | None
    employer_id: str | None
    photo_file_id: str | None
    email: str | None


@mutation("learnerEnrol")
async def enrol(uow: UnitOfWork, *, name: str, email: str, employer_id: str, uln: str | None = None) -> int:
    """Adds a learner with an account, and sends the invitation. Returns the learner's key.

    An assessor sees learners whom they enrolled until the first aim is added. Rejects with NOT_ALLOWED, NOT_FOUND for
    the employer, REQUIRED or INVALID for the fields, and CONFLICT for an e-mail or a ULN that is taken.
    """
    uow.authorize()
    name = single_line(uow, name, "input", "name")
    username = parse_username(uow, email, "input", "email")
    use = await use_of_username(uow.session, uow.viewer.provider_key, username)
    if use.user_key is not None:
        add_email_taken(uow, "input", "email")
    if uln is not None:
        uln = await _parse_uln(uow, uln)
    employer = await require_entity(uow, Employer, employer_id, "input", "employerId", locked=False)
    uow.raise_errors()
    assert employer is not None
    user = await create_user(uow, name, email, username, Role.LEARNER, use.password_hash)
    learner = Learner(
        provider_id=user.provider_id,
        user_id=user.id,
        employer_id=employer.id,
        uln=uln,
        created_at=uow.now,
        enrolled_by_id=uow.viewer.user_key,
    )
    uow.session.add(learner)
    await uow.session.flush()
    uow.audit("Learner", learner.id, learner_id=learner.id)
    return learner.id


@mutation("learnerUpdate")
async def update(uow: UnitOfWork, *, id: str, **changes: Unpack[LearnerChanges]) -> int:
    """Changes a learner's record. With the employer, the Employer Overviews who see them change; managers do not.

    An e-mail address counts once it is confirmed. Rejects with NOT_FOUND, NOT_ALLOWED, REQUIRED or INVALID for the
    fields, and CONFLICT for a ULN or an address that is taken.
    """
    learner = await uow.get(Learner, id, "id")
    uow.require(LEARNER, LearnerState.of(learner))
    user = await uow.session.get_one(User, learner.user_id, with_for_update={"key_share": True})
    values = changed_texts(uow, Learner, changes)
    name, photo = changes.get("name"), None
    if name is not None:
        name = single_line(uow, name, "input", "name")
    if "uln" in changes:
        uln = changes["uln"]
        values["uln"] = None if uln is None else await _parse_uln(uow, uln, learner.id)
    if (employer_id := changes.get("employer_id")) is not None:
        employer = await require_entity(uow, Employer, employer_id, "input", "employerId", locked=False)
        values["employer_id"] = employer.id if employer else None
        if employer is not None and employer.id in await allocations_of(uow.session, Role.EMPLOYER_OVERVIEW, user.id):
            check_not_own_record(uow, user.id, {user.id}, "input", "employerId")
    if "photo_file_id" in changes:
        photo_id = changes["photo_file_id"]
        photo = None if photo_id is None else await claim_picture(uow, photo_id, "input", "photoFileId")
        values["photo_file_id"] = photo.id if photo else None
    new_email = None
    if (email := changes.get("email")) is not None:
        new_email = await _new_email(uow, user, email)
    uow.raise_errors()
    changed = sorted(assign(learner, values))
    if photo is not None:
        attach(photo, learner.id)
    if name is not None and name != user.name:
        user.name = name
        changed.append("name")
    if new_email is not None:
        await request_email_change(uow, user, new_email)
        changed.append("email")
    if changed:
        uow.audit("Learner", learner.id, learner_id=learner.id, fields=changed)
    return learner.id


async def _new_email(uow: UnitOfWork, user: User, email: str) -> str | None:
    """Returns the learner's new address; records an error unless the viewer may change it, as `userUpdate` says."""
    # The learner was read within the viewer's scope.
    if not corrects(uow.viewer, await grants_of_user(uow.session, user.id), sees_learner=True):
        message = say("EMAIL_OF_PERSON_WITH_OTHER_ROLES")
        uow.add_error(UserErrorCode.NOT_ALLOWED, message, "input", "email")
        return None
    return await parse_email(uow, user, email, "input", "email")


async def _parse_uln(uow: UnitOfWork, uln: str, excluding: int | None = None) -> str:
    """Returns the Unique Learner Number without spaces; records INVALID, or CONFLICT where another learner has it."""
    uln, field = "".join(uln.split()), ("input", "uln")
    if not is_uln(uln):
        message = say("ULN_INVALID")
        uow.add_error(UserErrorCode.INVALID, message, *field)
    elif await uln_taken(uow.session, uow.viewer.provider_key, uln, excluding):
        message = say("ULN_TAKEN")
        uow.add_error(UserErrorCode.CONFLICT, message, *field)
    return uln
