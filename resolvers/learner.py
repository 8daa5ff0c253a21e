"""Learners are enrolled, and their records changed."""

from typing import Any, TypedDict, Unpack

from db.models.employer import Employer
from db.models.file import File
from db.models.learner import Learner
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.uln import is_uln
from repositories.learner import uln_taken
from repositories.user import allocations_of, user_key_by_username
from resolvers.core.attachments import attach, claim_upload
from resolvers.core.separation_of_duties import check_not_own_record
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity, single_line
from resolvers.user.invitation import add_email_taken, create_user, parse_username


class LearnerChanges(TypedDict, total=False):
    """The changes of a learner: what is missing or None is not changed, except that None removes ULN and photo."""

    name: str | None
    uln: str | None
    employer_id: str | None
    photo_file_id: str | None


@mutation("learnerEnrol")
async def enrol(uow: UnitOfWork, *, name: str, email: str, employer_id: str, uln: str | None = None) -> int:
    """Adds a learner with an account, and sends the invitation. Returns the learner's key.

    An assessor sees learners whom they enrolled until the first aim is added. Rejects with NOT_ALLOWED, NOT_FOUND for
    the employer, REQUIRED or INVALID for the fields, and CONFLICT for an e-mail or a ULN that is taken.
    """
    uow.authorize()
    name = single_line(uow, name, "input", "name")
    username = parse_username(uow, email, "input", "email")
    if await user_key_by_username(uow.session, username) is not None:
        add_email_taken(uow, "input", "email")
    if uln is not None:
        uln = await _parse_uln(uow, uln)
    employer = await require_entity(uow, Employer, employer_id, "input", "employerId", locked=False)
    uow.raise_errors()
    assert employer is not None
    user = await create_user(uow, name, email, username, Role.LEARNER)
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

    Rejects with NOT_FOUND, NOT_ALLOWED, REQUIRED or INVALID for the fields, and CONFLICT for a ULN that is taken.
    """
    learner = await uow.get(Learner, id, "id")
    uow.authorize()
    user = await uow.session.get_one(User, learner.user_id, with_for_update={"key_share": True})
    values: dict[str, Any] = {}
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
        photo = await _photo(uow, changes["photo_file_id"])
        values["photo_file_id"] = photo.id if photo else None
    if learner.erased_at is not None:
        message = "This learner's record was erased, so it cannot be changed."
        uow.add_error(UserErrorCode.CONFLICT, message, "id")
    uow.raise_errors()
    changed = sorted(field for field, value in values.items() if getattr(learner, field) != value)
    for field in changed:
        setattr(learner, field, values[field])
    if photo is not None:
        attach(photo, learner.id)
    if name is not None and name != user.name:
        user.name = name
        changed.append("name")
    if changed:
        uow.audit("Learner", learner.id, learner_id=learner.id, fields=changed)
    return learner.id


async def _parse_uln(uow: UnitOfWork, uln: str, excluding: int | None = None) -> str:
    """Returns the Unique Learner Number without spaces; records INVALID, or CONFLICT where another learner has it."""
    uln, field = "".join(uln.split()), ("input", "uln")
    if not is_uln(uln):
        message = "This is not a valid ULN. A ULN has 10 digits. Compare each digit with the learner's document."
        uow.add_error(UserErrorCode.INVALID, message, *field)
    elif await uln_taken(uow.session, uow.viewer.provider_key, uln, excluding):
        message = "Another learner already has this ULN. Check the number, or search for that learner."
        uow.add_error(UserErrorCode.CONFLICT, message, *field)
    return uln


async def _photo(uow: UnitOfWork, id: str | None) -> File | None:
    """Returns the viewer's own upload; records an error where it is not a picture."""
    field = ("input", "photoFileId")
    file = None if id is None else await claim_upload(uow, id, *field)
    if file is not None and not file.content_type.startswith("image/"):
        uow.add_error(UserErrorCode.INVALID, "This file is not a picture. Upload a JPEG or a PNG.", *field)
    return file
