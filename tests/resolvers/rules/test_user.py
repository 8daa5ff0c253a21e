"""What the rules of users answer: whose account each role corrects, invites, archives and allocates."""

from itertools import chain, combinations

import pytest

from domain.enums import Role
from loaders.user_state import OpenWork
from resolvers.rules.user import USER, UserState, corrects
from tests.support.rule_calls import ME, OTHER, me, refused

R = Role
LEARNER, ASSESSOR, IQA, MANAGER, OVERVIEW = R.LEARNER, R.ASSESSOR, R.IQA, R.EMPLOYER_MANAGER, R.EMPLOYER_OVERVIEW
BASIC, MASTER = R.BASIC_ADMIN, R.MASTER_ADMIN
# Each role alone, none, and all pairs.
HELD = [set(each) for each in chain([()], combinations(Role, 1), combinations(Role, 2))]
NO_WORK = OpenWork(0, 0, 0)
THEM, MYSELF = UserState(OTHER), UserState(ME)
ARCHIVED, NOT_BY_ROLE = "CONFLICT ACCOUNT_ARCHIVED", "NOT_ALLOWED ROLE_NOT_ALLOWED"


def may_correct(role: Role, held: set[Role], sees_learner: bool) -> bool:
    match role:
        case R.MASTER_ADMIN:
            return True
        case R.BASIC_ADMIN:
            return held <= {MANAGER, LEARNER}
        case R.ASSESSOR:
            return not held or (held == {LEARNER} and sees_learner)
    return False


def may_invite(role: Role, held: set[Role], sees_learner: bool) -> bool:
    if role is ASSESSOR:
        return held <= {MANAGER, LEARNER} and (LEARNER not in held or sees_learner)
    return may_correct(role, held, sees_learner)


@pytest.mark.parametrize("sees_learner", [False, True])
@pytest.mark.parametrize("role", Role)
def test_whose_name_each_role_changes(role: Role, sees_learner: bool) -> None:
    for held in HELD:
        allowed = may_correct(role, held, sees_learner)
        assert corrects(me(role), held, sees_learner) is allowed, held
        for archived in (False, True):
            facts = {"archived": archived, "roles": held, "sees_learner": sees_learner}
            other = [f"{ARCHIVED} id"] * archived if allowed else ["NOT_ALLOWED ACCOUNT_OF_OTHER_PERSON id"]
            assert refused(USER, "userUpdate", role, THEM, **facts) == other, held
            assert refused(USER, "userUpdate", role, MYSELF, **facts) == [f"{ARCHIVED} id"] * archived, held


def test_the_own_name_is_not_changed_in_another_role_than_that_of_the_own_record() -> None:
    facts = {"archived": False, "roles": {LEARNER, ASSESSOR}, "sees_learner": True}
    for state, errors in ((MYSELF, ["NOT_ALLOWED OWN_RECORD"]), (THEM, [])):
        assert refused(USER, "userUpdate", me(MASTER, own_learner=5), state, **facts) == errors
    assert refused(USER, "userUpdate", me(LEARNER, own_learner=5), MYSELF, **facts) == []


@pytest.mark.parametrize("sees_learner", [False, True])
@pytest.mark.parametrize("role", [ASSESSOR, BASIC, MASTER])
def test_who_invites_again(role: Role, sees_learner: bool) -> None:
    for held in HELD:
        allowed = may_invite(role, held, sees_learner)
        for archived in (False, True):
            for invited in (False, True):
                expected = [] if invited else ["CONFLICT INVITATION_USED userId"]
                if archived:
                    expected = [f"{ARCHIVED} userId"]
                facts = {"archived": archived, "invited": invited, "roles": held, "sees_learner": sees_learner}
                found = refused(USER, "invitationResend", role, THEM, **facts)
                if allowed:
                    assert found == expected, held
                else:
                    assert [each.split()[0] for each in found] == ["NOT_ALLOWED"], held


@pytest.mark.parametrize(
    ("state", "archived", "only", "work", "errors"),
    [
        (THEM, False, False, NO_WORK, []),
        (THEM, False, False, OpenWork(1, 0, 0), ["CONFLICT OPEN_WORK id"]),
        (THEM, False, True, OpenWork(1, 0, 0), ["CONFLICT ONLY_MASTER_ADMIN id"]),
        (THEM, False, True, NO_WORK, ["CONFLICT ONLY_MASTER_ADMIN id"]),
        (MYSELF, False, True, NO_WORK, ["CONFLICT OWN_ACCOUNT_ARCHIVE id"]),
        (MYSELF, False, False, NO_WORK, ["CONFLICT OWN_ACCOUNT_ARCHIVE id"]),
        (THEM, True, True, OpenWork(1, 1, 1), []),
        (MYSELF, True, False, NO_WORK, []),
    ],
)
def test_an_account_is_archived_once_its_work_has_another(
    state: UserState, archived: bool, only: bool, work: OpenWork, errors: list[str]
) -> None:
    facts = {"archived": archived, "only_master_admin": only, "open_work": work}
    assert refused(USER, "userArchive", MASTER, state, **facts) == errors


def test_the_work_that_is_left_is_named_with_its_numbers() -> None:
    facts = {"archived": False, "only_master_admin": False}
    for work, named in (
        (OpenWork(2, 0, 1), [("WORK_AS_ASSESSOR", 2), ("WORK_IN_SESSIONS", 1)]),
        (OpenWork(0, 3, 0), [("WORK_AS_IQA", 3)]),
    ):
        [error] = USER.errors("userArchive", me(MASTER), THEM, open_work=work, **facts)
        left = error.message.parameters["work"]  # type: ignore[attr-defined]
        assert [(each.reason, each.parameters["count"]) for each in left] == named


@pytest.mark.parametrize("archived", [False, True])
def test_roles_are_granted_to_others_with_an_active_account(archived: bool) -> None:
    gone = ["CONFLICT ACCOUNT_ARCHIVED_NO_ROLE userId"]
    assert refused(USER, "roleGrant", MASTER, THEM, archived=archived) == gone * archived
    assert refused(USER, "roleGrant", MASTER, MYSELF, archived=archived) == (
        gone if archived else ["NOT_ALLOWED OWN_ROLE"]
    )


@pytest.mark.parametrize("archived", [False, True])
def test_a_second_factor_is_reset_for_others_with_an_active_account(archived: bool) -> None:
    gone, own = "CONFLICT ACCOUNT_ARCHIVED_RESET userId", "NOT_ALLOWED OWN_SECOND_FACTOR_RESET userId"
    assert refused(USER, "secondFactorReset", MASTER, THEM, archived=archived) == [gone] * archived
    assert refused(USER, "secondFactorReset", MASTER, MYSELF, archived=archived) == [own]


@pytest.mark.parametrize(
    ("mutation", "role"), [("employerManagerAllocate", MANAGER), ("employerOverviewAllocate", OVERVIEW)]
)
def test_learners_and_sites_are_allocated_to_those_who_hold_the_role(mutation: str, role: Role) -> None:
    missing, both = "INVALID ROLE_MISSING_FOR_ALLOCATION userId", "CONFLICT ROLES_EXCLUDE_EACH_OTHER userId"
    own = "NOT_ALLOWED OWN_ALLOCATION userId"
    for held, errors in (
        ({role}, []), (set(), [missing]), ({LEARNER}, [missing]), (set(Role) - {role}, [missing]),
        ({role, LEARNER}, []), ({role, ASSESSOR}, [both]), ({role, MASTER}, [both]),
    ):  # fmt: skip
        assert refused(USER, mutation, MASTER, THEM, archived=False, roles=held) == errors, held
        assert refused(USER, mutation, MASTER, THEM, archived=True, roles=held) == [missing], held
        assert refused(USER, mutation, MASTER, MYSELF, archived=False, roles=held) == [own], held


@pytest.mark.parametrize("aims", [0, 1])
@pytest.mark.parametrize("has_policy", [False, True])
def test_a_plan_of_samples_needs_a_policy_and_aims_of_somebody_else(has_policy: bool, aims: int) -> None:
    facts = {"has_policy": has_policy, "aims_to_sample": aims}
    expected = [] if aims else ["INVALID NOTHING_TO_PLAN assessorId"]
    if not has_policy:
        expected = ["CONFLICT NO_SAMPLING_POLICY"]
    assert refused(USER, "samplingPlanMake", IQA, THEM, **facts) == expected
    assert refused(USER, "samplingPlanMake", IQA, MYSELF, **facts) == ["NOT_ALLOWED OWN_DECISIONS assessorId"]
