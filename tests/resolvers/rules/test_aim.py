"""What the rules of aims, breaks, learners, time log entries and the viewer's own account answer."""

import datetime as dt
from dataclasses import replace

import pytest

from db.models.aim import Aim
from db.models.aim_break import AimBreak
from db.models.learner import Learner
from db.models.time_log_entry import TimeLogEntry
from domain import clock
from domain.enums import AimStatus, Role
from resolvers.rules.aim import AIM, AimState, has_break
from resolvers.rules.aim_break import BREAK, BreakState
from resolvers.rules.learner import LEARNER as LEARNERS
from resolvers.rules.learner import LearnerState
from resolvers.rules.time_log_entry import ENTRY, EntryState
from resolvers.rules.viewer import VIEWER
from tests.support.rule_calls import LEARNER, ME, OTHER, each_with, me, refused

DAY = dt.date(2026, 6, 10)


def aim(status: AimStatus = AimStatus.IN_TRAINING, assessor: int | None = OTHER) -> AimState:
    return AimState(LEARNER, status, assessor)


def test_the_state_of_an_entity_is_that_of_its_columns() -> None:
    assert AimState.of(Aim(learner_id=LEARNER, status=AimStatus.SUSPENDED, assessor_id=OTHER, iqa_id=ME)) == aim(
        AimStatus.SUSPENDED
    )
    assert BreakState.of(AimBreak(learner_id=LEARNER, returned_on=DAY)) == BreakState(LEARNER, DAY)
    for erased_at in (None, clock.now()):
        found = LearnerState.of(Learner(id=LEARNER, erased_at=erased_at))
        assert found == LearnerState(LEARNER, erased_at is not None)
    for approved_at in (None, clock.now()):
        entry = TimeLogEntry(learner_id=LEARNER, added_by_id=OTHER, approved_at=approved_at, automatic=False)
        assert EntryState.of(entry) == EntryState(LEARNER, OTHER, approved_at is not None, False)


def test_the_version_of_an_aim_that_has_ended_does_not_change() -> None:
    answers = {each: refused(AIM, "aimVersionChange", Role.ASSESSOR, aim(each)) for each in AimStatus}
    ended = ["CONFLICT COMPONENT_ENDED id"]
    assert answers == each_with(AimStatus, {AimStatus.COMPLETED: ended, AimStatus.WITHDRAWN: ended})


@pytest.mark.parametrize("since", [None, DAY])
def test_a_break_begins_in_training_and_once(since: dt.date | None) -> None:
    answers = {each: refused(AIM, "breakBegin", Role.ASSESSOR, aim(each), on_break_since=since) for each in AimStatus}
    running = ["CONFLICT BREAK_OVERLAPS_OPEN input.aimIds.0"] if since else []
    expected = dict.fromkeys(AimStatus, ["CONFLICT COMPONENT_NOT_IN_TRAINING input.aimIds.0"])
    assert answers == expected | {AimStatus.IN_TRAINING: running, AimStatus.SUSPENDED: running}


def test_a_break_on_the_same_days_is_named_with_its_days() -> None:
    later = DAY + dt.timedelta(days=3)
    assert (has_break(DAY).reason, has_break(DAY).parameters) == ("BREAK_OVERLAPS_OPEN", {"start": DAY})
    ended = has_break(DAY, later)
    assert (ended.reason, ended.parameters) == ("BREAK_OVERLAPS", {"start": DAY, "end": later})


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize("assessor", [None, OTHER])
def test_a_message_has_a_recipient(archived: bool, assessor: int | None) -> None:
    roles = [Role.LEARNER, Role.ASSESSOR, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW, Role.BASIC_ADMIN]
    answers = {
        role: refused(AIM, "messageSend", role, aim(assessor=assessor), recipient_archived=archived)
        for role in [*roles, Role.MASTER_ADMIN]
    }
    to_learner = ["INVALID LEARNER_ARCHIVED input.aimId"] if archived else []
    to_assessor = ["INVALID COMPONENT_WITHOUT_ASSESSOR input.aimId"] if archived or assessor is None else []
    assert answers == {
        Role.LEARNER: to_assessor,
        Role.EMPLOYER_MANAGER: to_assessor,
        Role.EMPLOYER_OVERVIEW: to_assessor,
        Role.ASSESSOR: to_learner,
        Role.BASIC_ADMIN: to_learner,
        Role.MASTER_ADMIN: to_learner,
    }


def test_a_break_ends_once() -> None:
    assert refused(BREAK, "breakEnd", Role.ASSESSOR, BreakState(LEARNER, None)) == []
    assert refused(BREAK, "breakEnd", Role.ASSESSOR, BreakState(LEARNER, DAY)) == ["CONFLICT BREAK_ENDED id"]


def test_an_erased_learner_does_not_change_and_has_no_new_aim() -> None:
    for mutation, field in (("learnerUpdate", "id"), ("aimAdd", "input.learnerId")):
        assert refused(LEARNERS, mutation, Role.ASSESSOR, LearnerState(LEARNER, False)) == []
        found = refused(LEARNERS, mutation, Role.ASSESSOR, LearnerState(LEARNER, True))
        assert found == [f"CONFLICT LEARNER_ERASED {field}"]


def test_a_learner_with_another_role_is_not_erased_the_first_time() -> None:
    answers = {
        (erased, len(roles)): refused(
            LEARNERS, "learnerErase", Role.MASTER_ADMIN, LearnerState(LEARNER, erased), other_roles=roles
        )
        for erased in (False, True)
        for roles in ([], [Role.ASSESSOR])
    }
    other = ["CONFLICT LEARNER_HAS_OTHER_ROLES id"]
    assert answers == {(False, 0): [], (False, 1): other, (True, 0): [], (True, 1): []}


APPROVED, THEIRS = "NOT_ALLOWED ENTRY_APPROVED id", "NOT_ALLOWED ENTRY_OF_OTHER_PERSON id"
AUTOMATIC = "NOT_ALLOWED ENTRY_AUTOMATIC id"


@pytest.mark.parametrize(
    ("role", "by", "approved", "automatic", "update", "delete"),
    [
        (Role.LEARNER, ME, False, False, "", ""),
        (Role.LEARNER, ME, False, True, THEIRS, THEIRS),
        (Role.LEARNER, OTHER, False, False, THEIRS, THEIRS),
        (Role.LEARNER, OTHER, False, True, THEIRS, THEIRS),
        (Role.LEARNER, OTHER, True, False, APPROVED, APPROVED),
        (Role.LEARNER, ME, True, False, APPROVED, APPROVED),
        (Role.ASSESSOR, ME, False, False, "", ""),
        (Role.ASSESSOR, OTHER, False, False, "", ""),
        (Role.ASSESSOR, OTHER, False, True, "", AUTOMATIC),
        (Role.ASSESSOR, ME, False, True, "", AUTOMATIC),
        (Role.ASSESSOR, ME, True, True, APPROVED, APPROVED),
    ],
)
def test_who_changes_and_deletes_an_entry(
    role: Role, by: int, approved: bool, automatic: bool, update: str, delete: str
) -> None:
    entry = EntryState(LEARNER, by, approved, automatic)
    assert refused(ENTRY, "timeLogEntryUpdate", role, entry) == [update] * bool(update)
    assert refused(ENTRY, "timeLogEntryDelete", role, entry) == [delete] * bool(delete)


@pytest.mark.parametrize("mutation", ["cvSectionSave", "cvDocumentAdd", "cvDocumentRemove", "photoSet"])
def test_what_belongs_to_a_learner_record_needs_one(mutation: str) -> None:
    for own, errors in ((LEARNER, []), (None, ["NOT_ALLOWED NO_LEARNER_RECORD"])):
        who = me(Role.LEARNER, own)
        assert refused(VIEWER, mutation, who, who) == errors


def test_a_second_factor_is_begun_confirmed_and_removed_once() -> None:
    answers = {}
    for has, begun in ((False, False), (False, True), (True, True)):
        who = replace(me(Role.ASSESSOR), has_second_factor=has, has_begun_second_factor=begun)
        answers[has, begun] = [
            refused(VIEWER, f"secondFactor{each}", who, who) for each in ("Enrol", "Confirm", "Remove")
        ]
    has = ["CONFLICT HAS_SECOND_FACTOR"]
    nothing, none = ["CONFLICT NO_SECOND_FACTOR_TO_CONFIRM code"], ["CONFLICT NO_SECOND_FACTOR"]
    assert answers == {
        (False, False): [[], nothing, none],
        (False, True): [[], [], none],
        (True, True): [has, nothing, []],
    }


def test_a_code_is_for_those_without_a_password() -> None:
    for has_password, errors in ((False, []), (True, ["INVALID HAS_PASSWORD"])):
        who = replace(me(Role.LEARNER), has_password=has_password)
        assert refused(VIEWER, "signingCodeRequest", who, who) == errors
