"""What the rules of evidence and of actions answer, for each status and each submitter."""

import pytest

from db.models.action import Action
from db.models.evidence import Evidence
from domain.enums import ActionStatus, EvidenceStatus, Role
from resolvers.core.signatures import Signature
from resolvers.rules.action import ACTION, ActionState
from resolvers.rules.evidence import EVIDENCE, EvidenceState
from tests.support.rule_calls import LEARNER, ME, OTHER, each_with, refused

WITHDRAWN = ["CONFLICT EVIDENCE_WITHDRAWN id"]


def evidence(status: EvidenceStatus = EvidenceStatus.SUBMITTED, by: int = ME) -> EvidenceState:
    return EvidenceState(LEARNER, status, by)


def test_the_state_of_an_entity_is_that_of_its_columns() -> None:
    found = EvidenceState.of(Evidence(learner_id=LEARNER, status=EvidenceStatus.RETURNED, submitted_by_id=OTHER))
    assert found == EvidenceState(LEARNER, EvidenceStatus.RETURNED, OTHER)
    action = Action(learner_id=LEARNER, status=ActionStatus.COMPLETE, accepts_evidence=True)
    assert ActionState.of(action) == ActionState(LEARNER, ActionStatus.COMPLETE, True)


@pytest.mark.parametrize("mutation", ["evidenceAssess", "evidenceUnmap"])
def test_withdrawn_evidence_is_not_assessed(mutation: str) -> None:
    answers = {each: refused(EVIDENCE, mutation, Role.ASSESSOR, evidence(each)) for each in EvidenceStatus}
    assert answers == each_with(EvidenceStatus, {EvidenceStatus.WITHDRAWN: WITHDRAWN})


def test_returned_or_withdrawn_evidence_is_not_returned() -> None:
    answers = {each: refused(EVIDENCE, "evidenceReturn", Role.ASSESSOR, evidence(each)) for each in EvidenceStatus}
    returned = ["CONFLICT EVIDENCE_RETURNED id"]
    expected = {EvidenceStatus.WITHDRAWN: WITHDRAWN, EvidenceStatus.RETURNED: returned}
    assert answers == each_with(EvidenceStatus, expected)


@pytest.mark.parametrize(
    ("role", "by", "signed_off", "update", "withdraw"),
    [
        (Role.LEARNER, ME, False, "", ""),
        (Role.LEARNER, ME, True, "CONFLICT EVIDENCE_SIGNED_OFF id",
         "CONFLICT EVIDENCE_SIGNED_OFF_ASSESSOR_WITHDRAWS id"),
        (Role.LEARNER, OTHER, False, "NOT_ALLOWED EVIDENCE_CHANGE_BY_OTHERS id",
         "NOT_ALLOWED EVIDENCE_WITHDRAWAL_BY_OTHERS id"),
        (Role.LEARNER, OTHER, True, "NOT_ALLOWED EVIDENCE_CHANGE_BY_OTHERS id",
         "NOT_ALLOWED EVIDENCE_WITHDRAWAL_BY_OTHERS id"),
        (Role.EMPLOYER_MANAGER, ME, False, "", ""),
        (Role.EMPLOYER_MANAGER, OTHER, False, "NOT_ALLOWED EVIDENCE_CHANGE_BY_OTHERS id",
         "NOT_ALLOWED EVIDENCE_WITHDRAWAL_BY_OTHERS id"),
        (Role.ASSESSOR, OTHER, False, "", ""),
        (Role.ASSESSOR, OTHER, True, "CONFLICT EVIDENCE_SIGNED_OFF id", ""),
        (Role.ASSESSOR, ME, True, "CONFLICT EVIDENCE_SIGNED_OFF id", ""),
    ],
)  # fmt: skip
def test_who_corrects_and_withdraws(role: Role, by: int, signed_off: bool, update: str, withdraw: str) -> None:
    given = evidence(by=by)
    assert refused(EVIDENCE, "evidenceUpdate", role, given, signed_off=signed_off) == [update] * bool(update)
    assert refused(EVIDENCE, "evidenceWithdraw", role, given, signed_off=signed_off) == [withdraw] * bool(withdraw)


def test_withdrawn_evidence_is_not_corrected_but_withdrawn_again() -> None:
    given = evidence(EvidenceStatus.WITHDRAWN)
    assert refused(EVIDENCE, "evidenceUpdate", Role.LEARNER, given, signed_off=False) == WITHDRAWN
    assert refused(EVIDENCE, "evidenceWithdraw", Role.LEARNER, given, signed_off=False) == []


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize("by", [ME, OTHER])
@pytest.mark.parametrize("role", [Role.LEARNER, Role.ASSESSOR, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW])
def test_returned_evidence_is_resubmitted_by_its_submitter_or_for_one_who_left(
    role: Role, by: int, archived: bool
) -> None:
    answers = {
        each: refused(EVIDENCE, "evidenceResubmit", role, evidence(each, by), submitter_archived=archived)
        for each in EvidenceStatus
    }
    if by == OTHER and not (archived and role in (Role.LEARNER, Role.ASSESSOR)):
        assert answers == dict.fromkeys(EvidenceStatus, ["NOT_ALLOWED EVIDENCE_OF_OTHER_SUBMITTER id"])
    else:
        assert answers == dict.fromkeys(EvidenceStatus, ["CONFLICT EVIDENCE_NOT_RETURNED id"]) | {
            EvidenceStatus.RETURNED: []
        }


def test_evidence_is_signed_unless_it_is_withdrawn_or_another_signed() -> None:
    by_other = [Signature(Role.ASSESSOR, OTHER, "Other")]
    for signatures, errors in (([], []), (by_other, ["CONFLICT SIGNED_BY_OTHER id"])):
        answers = {
            each: refused(EVIDENCE, "evidenceSign", Role.ASSESSOR, evidence(each), signatures=signatures)
            for each in EvidenceStatus
        }
        assert answers == dict.fromkeys(EvidenceStatus, errors) | {EvidenceStatus.WITHDRAWN: [*WITHDRAWN, *errors]}


@pytest.mark.parametrize("mutation", ["actionUpdate", "actionRespond"])
def test_a_complete_action_does_not_change(mutation: str) -> None:
    answers = {
        each: refused(ACTION, mutation, Role.ASSESSOR, ActionState(LEARNER, each, True)) for each in ActionStatus
    }
    assert answers == each_with(ActionStatus, {ActionStatus.COMPLETE: ["CONFLICT ACTION_COMPLETE id"]})


def test_an_action_with_evidence_is_not_deleted() -> None:
    given = ActionState(LEARNER, ActionStatus.OUTSTANDING, True)
    assert refused(ACTION, "actionDelete", Role.ASSESSOR, given, has_evidence=False) == []
    found = refused(ACTION, "actionDelete", Role.ASSESSOR, given, has_evidence=True)
    assert found == ["CONFLICT ACTION_HAS_EVIDENCE id"]


def test_evidence_is_submitted_for_an_open_action_that_accepts_it() -> None:
    answers = {
        (each, accepts): refused(ACTION, "evidenceSubmit", Role.LEARNER, ActionState(LEARNER, each, accepts))
        for each in ActionStatus
        for accepts in (False, True)
    }
    expected = {
        (each, accepts): [] if accepts else ["INVALID ACTION_WITHOUT_EVIDENCE input.actionId"]
        for each in ActionStatus
        for accepts in (False, True)
    }
    expected[(ActionStatus.COMPLETE, True)] = ["CONFLICT ACTION_COMPLETE_FOR_EVIDENCE input.actionId"]
    assert answers == expected
