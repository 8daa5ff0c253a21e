"""Learners: enrolled and changed."""

from typing import Any, TypedDict, Unpack

from db.models.employer import Employer
from db.models.file import File
from db.models.learner import Learner
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.uln import is_uln
from repositories.people import uln_taken, user_key_by_username
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity, single_line
from resolvers.file import attach, claim_upload
from resolvers.invitation import make_login, taken, username_of


class LearnerChanges(TypedDict, total=False):
    """What a change of a learner may set; what is left out or None stays, but None takes the ULN or the photo away."""

    name: str | None
    uln: str | None
    employer_id: str | None
    photo_file_id: str | None


@mutation("learnerEnrol")
async def enrol(uow: UnitOfWork, *, name: str, email: str, employer_id: str, uln: str | None = None) -> int:
    """Makes a learner with a login, and sends the invitation.

    An assessor sees whom they enrolled until there is an aim. Refuses with NOT_ALLOWED, NOT_FOUND for the employer,
    REQUIRED or INVALID for the fields, and CONFLICT for an e-mail or a ULN that is another's.
    """
    uow.authorize()
    name = single_line(uow, name, "input", "name")
    username = username_of(uow, email, "input", "email")
    if await user_key_by_username(uow.session, username) is not None:
        taken(uow, "input", "email")
    if uln is not None:
        uln = await _checked_uln(uow, uln)
    employer = await require_entity(uow, Employer, employer_id, "input", "employerId", locked=False)
    uow.raise_errors()
    assert employer is not None
    user = await make_login(uow, name, email, username, Role.LEARNER)
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
    """Changes a learner's record. An Employer Overview's sight follows the employer, a manager's allocation stays.

    Refuses with NOT_FOUND, NOT_ALLOWED, REQUIRED or INVALID for the fields, and CONFLICT for a ULN that is another's.
    """
    learner = await uow.get(Learner, id, "id")
    uow.authorize()
    user = await uow.session.get_one(User, learner.user_id, with_for_update={"key_share": True})
    wanted: dict[str, Any] = {}
    name, photo = changes.get("name"), None
    if name is not None:
        name = single_line(uow, name, "input", "name")
    if "uln" in changes:
        uln = changes["uln"]
        wanted["uln"] = None if uln is None else await _checked_uln(uow, uln, learner.id)
    if (employer_id := changes.get("employer_id")) is not None:
        employer = await require_entity(uow, Employer, employer_id, "input", "employerId", locked=False)
        wanted["employer_id"] = employer and employer.id
    if "photo_file_id" in changes:
        photo = await _photo(uow, changes["photo_file_id"])
        wanted["photo_file_id"] = photo and photo.id
    if learner.erased_at is not None:
        uow.add_error(UserErrorCode.CONFLICT, "This learner's record was erased.", "id")
    uow.raise_errors()
    fields = sorted(field for field, value in wanted.items() if getattr(learner, field) != value)
    for field in fields:
        setattr(learner, field, wanted[field])
    if photo is not None:
        attach(photo, learner.id)
    if name is not None and name != user.name:
        user.name = name
        fields.append("name")
    if fields:
        uow.audit("Learner", learner.id, learner_id=learner.id, fields=fields)
    return learner.id


async def _checked_uln(uow: UnitOfWork, uln: str, but: int | None = None) -> str:
    """The number without the spaces in it; notes INVALID, or CONFLICT where it is another learner's."""
    uln, field = "".join(uln.split()), ("input", "uln")
    if not is_uln(uln):
        message = "A ULN has 10 digits, does not begin with 0, and its last digit checks the others. Compare them."
        uow.add_error(UserErrorCode.INVALID, message, *field)
    elif await uln_taken(uow.session, uow.viewer.provider_key, uln, but):
        message = "Another learner has this ULN already. Compare it, or look for that learner."
        uow.add_error(UserErrorCode.CONFLICT, message, *field)
    return uln


async def _photo(uow: UnitOfWork, id: str | None) -> File | None:
    """The viewer's own upload, if it is a picture; notes what is wrong with it."""
    field = ("input", "photoFileId")
    file = None if id is None else await claim_upload(uow, id, *field)
    if file is not None and not file.content_type.startswith("image/"):
        uow.add_error(UserErrorCode.INVALID, "A photo is a picture, such as a JPEG or a PNG. Upload one.", *field)
    return file
