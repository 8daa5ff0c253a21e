"""What the rules of sessions, progress reviews and samples answer."""

import datetime as dt

import pytest

from db.models.session import Session
from domain import clock
from domain.enums import Role, SampleStatus, SessionStatus, SessionType
from resolvers.core.signatures import Signature
from resolvers.rules.review import REVIEW, Answer, ReviewState
from resolvers.rules.sample import SAMPLE, SAMPLE_ACTION, SampleActionState, SampleState
from resolvers.rules.session import SESSION, SessionState
from tests.support.rule_calls import LEARNER, ME, OTHER, each_with, refused

NOW = clock.now()
SECOND = dt.timedelta(seconds=1)


def session(
    status: SessionStatus = SessionStatus.PLANNED,
    starts_at: dt.datetime = NOW,
    type: SessionType = SessionType.FORMAL_REVIEW,
) -> SessionState:
    return SessionState(LEARNER, 3, status, starts_at, type)


def test_the_state_of_an_entity_is_that_of_its_columns() -> None:
    found = Session(
        learner_id=LEARNER, number=3, status=SessionStatus.PLANNED, starts_at=NOW, type=SessionType.FORMAL_REVIEW
    )
    assert SessionState.of(found) == session()


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_planned_session_that_has_begun_is_completed(seconds: int) -> None:
    answers = {
        each: refused(SESSION, "sessionComplete", Role.ASSESSOR, session(each, NOW + seconds * SECOND), now=NOW)
        for each in SessionStatus
    }
    assert answers == dict.fromkeys(SessionStatus, ["CONFLICT SESSION_COMPLETED id"]) | {
        SessionStatus.CANCELLED: ["CONFLICT SESSION_CANCELLED id"],
        SessionStatus.PLANNED: ["INVALID SESSION_NOT_STARTED input.attended"] if seconds > 0 else [],
    }


def test_a_session_that_took_place_is_not_cancelled() -> None:
    answers = {each: refused(SESSION, "sessionCancel", Role.ASSESSOR, session(each)) for each in SessionStatus}
    held = ["CONFLICT SESSION_CANNOT_BE_CANCELLED id"]
    assert answers == each_with(SessionStatus, {SessionStatus.ATTENDED: held, SessionStatus.NOT_ATTENDED: held})


def test_a_session_of_an_issued_review_is_not_reopened() -> None:
    assert refused(SESSION, "sessionReopen", Role.ASSESSOR, session(), review_issued=False) == []
    found = refused(SESSION, "sessionReopen", Role.ASSESSOR, session(), review_issued=True)
    assert found == ["CONFLICT SESSION_OF_ISSUED_REVIEW id"]


def test_a_review_is_started_in_a_formal_review_that_may_still_take_place() -> None:
    for type in SessionType:
        for has_review in (False, True):
            answers = {
                each: refused(SESSION, "reviewStart", Role.ASSESSOR, session(each, type=type), has_review=has_review)
                for each in SessionStatus
            }
            if has_review:
                assert answers == each_with(SessionStatus, {})
            elif type is not SessionType.FORMAL_REVIEW:
                wrong = ["INVALID SESSION_NOT_FORMAL_REVIEW sessionId"]
                assert answers == dict.fromkeys(SessionStatus, wrong)
            else:
                not_held = ["CONFLICT SESSION_NOT_HELD sessionId"]
                expected = {SessionStatus.CANCELLED: not_held, SessionStatus.NOT_ATTENDED: not_held}
                assert answers == each_with(SessionStatus, expected)


DRAFT, ISSUED = ReviewState(LEARNER, False), ReviewState(LEARNER, True)
OF_OTHER, LEFT = Answer(Role.LEARNER, OTHER, "Other"), Answer(Role.LEARNER, OTHER, "Other", left=True)
TAKEN = ["CONFLICT ANSWERED_BY_OTHER id"]


@pytest.mark.parametrize(
    ("role", "answers", "errors"),
    [
        (Role.LEARNER, [], []),
        (Role.LEARNER, [Answer(Role.LEARNER, ME, "Me")], []),
        (Role.LEARNER, [OF_OTHER], TAKEN),
        (Role.LEARNER, [LEFT], []),
        (Role.LEARNER, [Answer(Role.ASSESSOR, OTHER, "Other")], []),
        (Role.LEARNER, [Answer(Role.ASSESSOR, ME, "Me")], ["NOT_ALLOWED ANSWERED_IN_OTHER_ROLE id"]),
        (Role.LEARNER, [OF_OTHER, Answer(Role.ASSESSOR, ME)], ["NOT_ALLOWED ANSWERED_IN_OTHER_ROLE id"]),
        (Role.EMPLOYER_MANAGER, [Answer(Role.EMPLOYER_MANAGER, OTHER, "Other")], TAKEN),
        (Role.ASSESSOR, [Answer(Role.ASSESSOR, OTHER, "Other")], []),
        (Role.ASSESSOR, [Answer(Role.LEARNER, ME, "Me")], ["NOT_ALLOWED ANSWERED_IN_OTHER_ROLE id"]),
    ],
)
def test_each_role_of_a_draft_is_answered_by_one_person(role: Role, answers: list[Answer], errors: list[str]) -> None:
    assert refused(REVIEW, "reviewAnswer", role, DRAFT, answers=answers) == errors
    assert refused(REVIEW, "reviewAnswer", role, ISSUED, answers=answers) == ["CONFLICT REVIEW_ISSUED id"]


@pytest.mark.parametrize("attended", [False, True])
@pytest.mark.parametrize("role", [None, Role.LEARNER, Role.ASSESSOR])
def test_a_review_is_issued_once_held_and_answered_by_its_assessor(attended: bool, role: Role | None) -> None:
    facts = {"answers": [Answer(role, OTHER)] if role else [], "attended": attended}
    errors = ["CONFLICT ASSESSOR_HAS_NOT_ANSWERED id"] if role is not Role.ASSESSOR else []
    expected = errors if attended else ["CONFLICT REVIEW_NOT_HELD id"]
    assert refused(REVIEW, "reviewIssue", Role.ASSESSOR, DRAFT, **facts) == expected
    assert refused(REVIEW, "reviewIssue", Role.ASSESSOR, ISSUED, **facts) == []


def test_an_issued_review_is_signed_by_the_roles_of_its_slots() -> None:
    slots = [Signature(Role.LEARNER, None)]
    assert refused(REVIEW, "reviewSign", Role.LEARNER, DRAFT, slots=slots) == ["CONFLICT REVIEW_NOT_ISSUED id"]
    assert refused(REVIEW, "reviewSign", Role.LEARNER, ISSUED, slots=slots) == []
    other = refused(REVIEW, "reviewSign", Role.EMPLOYER_MANAGER, ISSUED, slots=slots)
    assert other == ["NOT_ALLOWED ROLE_DOES_NOT_SIGN id"]


CONCLUDED, OWN = "CONFLICT SAMPLE_CONCLUDED id", "NOT_ALLOWED UNIT_ASSESSED_BY_VIEWER id"


@pytest.mark.parametrize(
    ("concluded", "assessors", "errors"),
    [
        (False, {OTHER}, []),
        (False, {OTHER, ME}, [OWN]),
        (True, {OTHER}, [CONCLUDED]),
        (True, {ME}, [CONCLUDED, OWN]),
    ],
)
def test_a_sample_is_looked_at_by_an_iqa_who_did_not_assess_the_unit(
    concluded: bool, assessors: set[int], errors: list[str]
) -> None:
    for status in SampleStatus:
        sample = SampleState(LEARNER, status, concluded)
        for has_evidence in (False, True):
            nothing = [] if has_evidence else ["INVALID NOTHING_TO_SAMPLE id"]
            facts = {"assessors": assessors, "has_evidence": has_evidence}
            assert refused(SAMPLE, "sampleBegin", Role.IQA, sample, **facts) == (errors or nothing)
        begun = [] if status is SampleStatus.IN_PROGRESS else ["CONFLICT SAMPLE_NOT_BEGUN id"]
        assert refused(SAMPLE, "sampleConclude", Role.IQA, sample, assessors=assessors) == (errors or begun)


def test_an_action_of_a_sample_is_answered_while_it_is_open_and_closed_by_no_assessor_of_the_unit() -> None:
    still_open, closed = SampleActionState(LEARNER, False), SampleActionState(LEARNER, True)
    assert refused(SAMPLE_ACTION, "sampleActionAnswer", Role.ASSESSOR, still_open) == []
    answered = refused(SAMPLE_ACTION, "sampleActionAnswer", Role.ASSESSOR, closed)
    assert answered == ["CONFLICT SAMPLE_ACTION_CLOSED id"]
    answers = {
        (action.closed, key): refused(SAMPLE_ACTION, "sampleActionClose", Role.IQA, action, assessors={key})
        for action in (still_open, closed)
        for key in (ME, OTHER)
    }
    assert answers == {(False, ME): [OWN], (False, OTHER): [], (True, ME): [], (True, OTHER): []}
