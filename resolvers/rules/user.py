"""Rules of users: whose account the viewer may change, and what its state allows."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from auth.viewer import Viewer
from domain.enums import Role, UserErrorCode
from domain.errors import ROLE_NOT_ALLOWED, UserError, user_error
from domain.sentences import Sentence, say
from loaders.core.registry import Loaders
from loaders.sampling import AimsToSampleLoader, read_policy
from loaders.user import UserRow
from loaders.user_state import (
    IsVisibleLearnerLoader,
    OpenWork,
    OpenWorkLoader,
    OtherMasterAdminLoader,
    RolesOfUserLoader,
    UserStateLoader,
    UserStateRow,
)
from resolvers.core.rules import RecordRules, own_record
from resolvers.core.separation_of_duties import not_self, roles_fit
from resolvers.rules.learner import LEARNER
from resolvers.rules.viewer import VIEWER
from resolvers.user.invitation import is_open_invitation

# Whose names and addresses each role may change: people who hold none but these roles.
_CORRECTED_BY = {
    Role.ASSESSOR: frozenset({Role.LEARNER}),
    Role.BASIC_ADMIN: frozenset({Role.EMPLOYER_MANAGER, Role.LEARNER}),
    Role.MASTER_ADMIN: frozenset(Role),
}
# The same for invitations.
_INVITED_BY = {**_CORRECTED_BY, Role.ASSESSOR: _CORRECTED_BY[Role.BASIC_ADMIN]}


@dataclass(frozen=True, slots=True)
class UserState:
    """What the rules know of a user. An account is not a learner's record, even where its user is a learner."""

    key: int
    learner_key: None = None


USER = RecordRules("User", state=lambda row: UserState(row.key))
USER.by_role("roleRevoke", "employerManagerDeallocate", "employerOverviewDeallocate", "assessorHandOver")
LEARNER.by_role("employerManagerAllocate", "employerManagerDeallocate")
VIEWER.by_role("assessorHandOver", "userInvite")


@USER.rule("samplingPlanMake")
def _plan_samples(viewer: Viewer, user: UserState, *, has_policy: bool, aims_to_sample: int) -> Iterator[UserError]:
    own = not_self(viewer, user.key, "OWN_DECISIONS", "assessorId")
    yield from own
    if not own and not has_policy:
        yield user_error(UserErrorCode.CONFLICT, say("NO_SAMPLING_POLICY"))
    elif not own and not aims_to_sample:
        yield user_error(UserErrorCode.INVALID, say("NOTHING_TO_PLAN"), "assessorId")


@USER.rule("userUpdate")
def _update(
    viewer: Viewer, user: UserState, *, archived: bool, roles: Collection[Role], sees_learner: bool
) -> Iterator[UserError]:
    if user.key != viewer.user_key and not corrects(viewer, roles, sees_learner):
        message = say("ACCOUNT_OF_OTHER_PERSON")
        yield user_error(UserErrorCode.NOT_ALLOWED, message, "id")
    elif archived:
        yield _archived("id")
    elif user.key == viewer.user_key:
        yield from own_record(viewer, (viewer.own_learner_key,))


@USER.fact
async def has_policy(loaders: Loaders, rows: Sequence[UserRow]) -> list[bool]:
    """Whether the provider has a sampling policy."""
    return [await read_policy(loaders.reading) is not None] * len(rows)


@USER.fact
async def aims_to_sample(loaders: Loaders, rows: Sequence[UserRow]) -> list[int]:
    """How many aims of theirs a plan can choose from."""
    found = await loaders[AimsToSampleLoader].load_many([row.key for row in rows])
    return [count or 0 for count in found]


@USER.rule("invitationResend")
def _resend_invitation(
    viewer: Viewer,
    user: UserState,
    *,
    archived: bool,
    invited: bool,
    roles: Collection[Role],
    sees_learner: bool,
) -> Iterator[UserError]:
    if not _holds_only(viewer, roles, sees_learner, _INVITED_BY):
        yield user_error(UserErrorCode.NOT_ALLOWED, ROLE_NOT_ALLOWED)
    elif archived:
        yield _archived("userId")
    elif not invited:
        message = say("INVITATION_USED")
        yield user_error(UserErrorCode.CONFLICT, message, "userId")


@USER.rule("userArchive")
def _archive(
    viewer: Viewer,
    user: UserState,
    *,
    archived: bool,
    only_master_admin: bool,
    open_work: OpenWork,
) -> Iterator[UserError]:
    if archived:
        return
    if user.key == viewer.user_key:
        message = say("OWN_ACCOUNT_ARCHIVE")
        yield user_error(UserErrorCode.CONFLICT, message, "id")
    elif only_master_admin:
        message = say("ONLY_MASTER_ADMIN")
        yield user_error(UserErrorCode.CONFLICT, message, "id")
    elif left := _left_with_nobody(open_work):
        message = say("OPEN_WORK", work=left)
        yield user_error(UserErrorCode.CONFLICT, message, "id")


@USER.rule("roleGrant")
def _grant_role(viewer: Viewer, user: UserState, *, archived: bool) -> Iterator[UserError]:
    if archived:
        yield user_error(UserErrorCode.CONFLICT, say("ACCOUNT_ARCHIVED_NO_ROLE"), "userId")
    else:
        yield from not_self(viewer, user.key, "OWN_ROLE")


@USER.rule("employerManagerAllocate")
def _allocate_to_manager(
    viewer: Viewer, user: UserState, *, archived: bool, roles: Collection[Role]
) -> Iterator[UserError]:
    yield from _allocate(viewer, user, archived, roles, Role.EMPLOYER_MANAGER)


@USER.rule("employerOverviewAllocate")
def _allocate_to_overview(
    viewer: Viewer, user: UserState, *, archived: bool, roles: Collection[Role]
) -> Iterator[UserError]:
    yield from _allocate(viewer, user, archived, roles, Role.EMPLOYER_OVERVIEW)


@USER.rule("secondFactorReset")
def _reset_second_factor(viewer: Viewer, user: UserState, *, archived: bool) -> Iterator[UserError]:
    if user.key == viewer.user_key:
        message = say("OWN_SECOND_FACTOR_RESET")
        yield user_error(UserErrorCode.NOT_ALLOWED, message, "userId")
    elif archived:
        yield user_error(UserErrorCode.CONFLICT, say("ACCOUNT_ARCHIVED_RESET"), "userId")


def corrects(viewer: Viewer, held: Collection[Role], sees_learner: bool) -> bool:
    """Returns whether the viewer may change the name and the e-mail address of another user who holds these roles.

    `sees_learner`: the viewer sees the user's learner record.
    """
    return _holds_only(viewer, held, sees_learner, _CORRECTED_BY)


def _holds_only(
    viewer: Viewer, held: Collection[Role], sees_learner: bool, table: Mapping[Role, frozenset[Role]]
) -> bool:
    """Returns whether a user holds none but the roles of the table; an assessor's learner must be of their case."""
    theirs = table.get(viewer.role)
    # Who has no entry corrects nobody, a user without any role included.
    if theirs is None or not theirs.issuperset(held):
        return False
    return viewer.role is not Role.ASSESSOR or Role.LEARNER not in held or sees_learner


def _allocate(
    viewer: Viewer, user: UserState, archived: bool, held: Collection[Role], role: Role
) -> Iterator[UserError]:
    if refused := not_self(viewer, user.key, "OWN_ALLOCATION", "userId"):
        yield from refused
    elif archived or role not in held:
        message = say("ROLE_MISSING_FOR_ALLOCATION", role=role)
        yield user_error(UserErrorCode.INVALID, message, "userId")
    else:
        yield from roles_fit(held, role, "userId")


def _left_with_nobody(work: OpenWork) -> list[Sentence]:
    """Returns what would be left with a person who will not come."""
    counted = (
        ("WORK_AS_ASSESSOR", work.assessed_aims),
        ("WORK_AS_IQA", work.sampled_aims),
        ("WORK_IN_SESSIONS", work.sessions),
    )
    return [say(reason, count=count) for reason, count in counted if count]


def _archived(field: str) -> UserError:
    return user_error(UserErrorCode.CONFLICT, say("ACCOUNT_ARCHIVED"), field)


@USER.fact
async def archived(loaders: Loaders, rows: Sequence[UserRow]) -> list[bool]:
    """Whether the account is archived."""
    return [state.archived_at is not None for state in await _states(loaders, rows)]


@USER.fact
async def invited(loaders: Loaders, rows: Sequence[UserRow]) -> list[bool]:
    """Whether the person was invited and has not used an invitation yet."""
    return [is_open_invitation(state) for state in await _states(loaders, rows)]


@USER.fact
async def sees_learner(loaders: Loaders, rows: Sequence[UserRow]) -> list[bool]:
    """Whether the viewer sees the learner record of the user, if there is one."""
    seen = await loaders[IsVisibleLearnerLoader].load_many([row.key for row in rows])
    return [bool(each) for each in seen]


async def _states(loaders: Loaders, rows: Sequence[UserRow]) -> list[UserStateRow]:
    states = await loaders[UserStateLoader].load_many([row.key for row in rows])
    return [state for state in states if state is not None]


@USER.fact
async def roles(loaders: Loaders, rows: Sequence[UserRow]) -> list[list[Role]]:
    """The roles that the user holds."""
    return await loaders[RolesOfUserLoader].load_many([row.key for row in rows])


@USER.fact
async def only_master_admin(loaders: Loaders, rows: Sequence[UserRow]) -> list[bool]:
    """Whether the user is a Master Admin, and no other active account is."""
    keys = [row.key for row in rows]
    held = await loaders[RolesOfUserLoader].load_many(keys)
    others = await loaders[OtherMasterAdminLoader].load_many(keys)
    return [Role.MASTER_ADMIN in each and not other for each, other in zip(held, others, strict=True)]


@USER.fact
async def open_work(loaders: Loaders, rows: Sequence[UserRow]) -> list[OpenWork | None]:
    """The work that would belong to no active user if the account were archived."""
    return await loaders[OpenWorkLoader].load_many([row.key for row in rows])
