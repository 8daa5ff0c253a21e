"""Learners: read by id and in pages, enrolled and changed."""

from typing import Any, TypedDict

from db.models.employer import Employer
from db.models.file import File
from db.models.learner import Learner
from db.models.user import User
from domain import global_id as ids
from domain.enums import LearnerOrder, Role, TrafficLight, UserErrorCode
from domain.uln import is_uln
from loaders import learner
from loaders.core.pagination import Page
from loaders.learner import LearnerRow, LearnersAsked
from repositories.people import is_uln_taken, user_named
from resolvers.core.context import Context
from resolvers.core.unit_of_work import Change, writes
from resolvers.core.validation import line, named
from resolvers.file import bind, usable
from resolvers.invitation import make_login, taken, username_of


async def page(
    context: Context,
    *,
    search: str | None = None,
    employer_id: str | None = None,
    assessor_id: str | None = None,
    traffic_light: TrafficLight | None = None,
    past_planned_end: bool | None = None,
    aim_traffic_light: TrafficLight | None = None,
    order_by: LearnerOrder = LearnerOrder.NAME_ASC,
    first: int = 20,
    after: str | None = None,
    counted: bool = False,
) -> Page[LearnerRow]:
    """A page of the learners that the viewer sees. Raises BadArgument for a page or cursor that cannot be."""
    asked = asked_for(search, employer_id, assessor_id, traffic_light, past_planned_end, aim_traffic_light)
    return await learner.read_page(context.loaders.reading, asked, order_by, first, after, counted)


def asked_for(
    search: str | None = None,
    employer_id: str | None = None,
    assessor_id: str | None = None,
    traffic_light: TrafficLight | None = None,
    past_planned_end: bool | None = None,
    aim_traffic_light: TrafficLight | None = None,
) -> LearnersAsked:
    """The filters as keys and values."""
    return LearnersAsked(
        search=search or None,
        # An id that names nothing finds nothing: 0 is nobody's key.
        employer_key=None if employer_id is None else ids.decode("Employer", employer_id) or 0,
        assessor_key=None if assessor_id is None else ids.decode("User", assessor_id) or 0,
        traffic_light=traffic_light,
        past_planned_end=past_planned_end,
        aim_traffic_light=aim_traffic_light,
    )


class LearnerChanges(TypedDict, total=False):
    """What a change of a learner may set; what is left out or None stays, but None takes the ULN or the photo away."""

    name: str | None
    uln: str | None
    employer_id: str | None
    photo_file_id: str | None


@writes("learnerEnrol")
async def enrol(change: Change, *, name: str, email: str, employer_id: str, uln: str | None = None) -> int:
    """Makes a learner with a login, and sends the invitation.

    An assessor sees whom they enrolled until there is an aim. Refuses with NOT_ALLOWED, NOT_FOUND for the employer,
    REQUIRED or INVALID for the fields, and CONFLICT for an e-mail or a ULN that is another's.
    """
    change.allow()
    name = line(change, name, "input", "name")
    username = username_of(change, email, "input", "email")
    if await user_named(change.session, username) is not None:
        taken(change, "input", "email")
    if uln is not None:
        uln = await _checked_uln(change, uln)
    employer = await named(change, Employer, employer_id, "input", "employerId", locked=False)
    change.check()
    assert employer is not None
    user = await make_login(change, name, email, username, Role.LEARNER)
    learner = Learner(
        provider_id=user.provider_id,
        user_id=user.id,
        employer_id=employer.id,
        uln=uln,
        created_at=change.now,
        enrolled_by_id=change.viewer.user_key,
    )
    change.session.add(learner)
    await change.session.flush()
    change.record("Learner", learner.id, learner_id=learner.id)
    return learner.id


@writes("learnerUpdate")
async def update(change: Change, *, id: str, changes: LearnerChanges) -> int:
    """Changes a learner's record. An Employer Overview's sight follows the employer, a manager's allocation stays.

    Refuses with NOT_FOUND, NOT_ALLOWED, REQUIRED or INVALID for the fields, and CONFLICT for a ULN that is another's.
    """
    learner = await change.get(Learner, id, "id")
    change.allow()
    user = await change.session.get_one(User, learner.user_id, with_for_update={"key_share": True})
    wanted: dict[str, Any] = {}
    name, photo = changes.get("name"), None
    if name is not None:
        name = line(change, name, "input", "name")
    if "uln" in changes:
        uln = changes["uln"]
        wanted["uln"] = None if uln is None else await _checked_uln(change, uln, learner.id)
    if (employer_id := changes.get("employer_id")) is not None:
        employer = await named(change, Employer, employer_id, "input", "employerId", locked=False)
        wanted["employer_id"] = employer and employer.id
    if "photo_file_id" in changes:
        photo = await _photo(change, changes["photo_file_id"])
        wanted["photo_file_id"] = photo and photo.id
    if learner.erased_at is not None:
        change.fault(UserErrorCode.CONFLICT, "This learner's record was erased.", "id")
    change.check()
    fields = sorted(field for field, value in wanted.items() if getattr(learner, field) != value)
    for field in fields:
        setattr(learner, field, wanted[field])
    if photo is not None:
        bind(photo, learner.id)
    if name is not None and name != user.name:
        user.name = name
        fields.append("name")
    if fields:
        change.record("Learner", learner.id, learner_id=learner.id, fields=fields)
    return learner.id


async def _checked_uln(change: Change, uln: str, but: int | None = None) -> str:
    """The number without the spaces in it; notes INVALID, or CONFLICT where it is another learner's."""
    uln, field = "".join(uln.split()), ("input", "uln")
    if not is_uln(uln):
        message = "A ULN has 10 digits, does not begin with 0, and its last digit checks the others. Compare them."
        change.fault(UserErrorCode.INVALID, message, *field)
    elif await is_uln_taken(change.session, change.viewer.provider_key, uln, but):
        message = "Another learner has this ULN already. Compare it, or look for that learner."
        change.fault(UserErrorCode.CONFLICT, message, *field)
    return uln


async def _photo(change: Change, id: str | None) -> File | None:
    """The viewer's own upload, if it is a picture; notes what is wrong with it."""
    field = ("input", "photoFileId")
    file = None if id is None else await usable(change, id, *field)
    if file is not None and not file.content_type.startswith("image/"):
        change.fault(UserErrorCode.INVALID, "A photo is a picture, such as a JPEG or a PNG. Upload one.", *field)
    return file
