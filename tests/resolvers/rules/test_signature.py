"""What the rules of signatures answer: of documents to sign and of units."""

import pytest

from db.models.signature_request import SignatureRequest, SignatureSlot
from domain import clock
from domain.enums import Role, SignatureRequestStatus, UserErrorCode
from domain.errors import user_error
from domain.sentences import say
from resolvers.core.signatures import Signature, is_of_guest, of_guest
from resolvers.rules.signature_request import REQUEST, RequestState, of_document
from resolvers.rules.unit import MAX_NAMED_CRITERIA, UNIT, UnitState
from tests.support.rule_calls import LEARNER, ME, OTHER, each_with, me, refused

NO_SLOT, TAKEN = "NOT_ALLOWED ROLE_DOES_NOT_SIGN id", "CONFLICT SIGNED_BY_OTHER id"
IN_OTHER_ROLE, CANCELLED = "NOT_ALLOWED SIGNED_IN_OTHER_ROLE id", "CONFLICT REQUEST_CANCELLED id"
STATUSES = SignatureRequestStatus


def test_the_state_of_a_request_is_that_of_its_columns() -> None:
    found = RequestState.of(SignatureRequest(learner_id=LEARNER, status=STATUSES.COMPLETE))
    assert found == RequestState(LEARNER, STATUSES.COMPLETE)


def test_a_slot_that_was_signed_without_an_account_is_of_a_guest() -> None:
    now = clock.now()
    answers = {
        (signed_at is not None, signer): is_of_guest(SignatureSlot(signed_at=signed_at, signed_by_id=signer))
        for signed_at in (None, now)
        for signer in (None, OTHER)
    }
    assert answers == {(False, None): False, (False, OTHER): False, (True, None): True, (True, OTHER): False}
    guest = of_guest(SignatureSlot(role=Role.EMPLOYER_MANAGER, guest_name="Gus", signed_at=now))
    assert guest == Signature(Role.EMPLOYER_MANAGER, None, "Gus", by_guest=True)
    assert of_guest(SignatureSlot(role=Role.LEARNER)).signed_by == ""


def test_a_slot_is_signed_by_a_user_or_a_guest() -> None:
    assert not Signature(Role.LEARNER, None).is_signed
    assert Signature(Role.LEARNER, OTHER).is_signed and Signature(Role.LEARNER, None, by_guest=True).is_signed


MINE, FREE = Signature(Role.LEARNER, ME, "Me"), Signature(Role.LEARNER, None)
THEIRS = Signature(Role.LEARNER, OTHER, "Other")
ME_AS_ASSESSOR = Signature(Role.ASSESSOR, ME, "Me")


@pytest.mark.parametrize(
    ("slots", "errors", "when_cancelled"),
    [
        ([], [NO_SLOT], [NO_SLOT]),
        ([Signature(Role.ASSESSOR, None)], [NO_SLOT], [NO_SLOT]),
        ([FREE], [], [CANCELLED]),
        ([MINE], [], []),
        ([THEIRS], [TAKEN], [CANCELLED]),
        ([ME_AS_ASSESSOR, FREE], [IN_OTHER_ROLE], [CANCELLED]),
        ([ME_AS_ASSESSOR, THEIRS], [IN_OTHER_ROLE], [CANCELLED]),
        ([ME_AS_ASSESSOR, MINE], [], []),
        ([Signature(Role.ASSESSOR, OTHER, "Other"), FREE], [], [CANCELLED]),
        ([Signature(Role.LEARNER, None, "Gus", by_guest=True)], [TAKEN], [CANCELLED]),
    ],
)
def test_each_role_signs_its_slot_once(slots: list[Signature], errors: list[str], when_cancelled: list[str]) -> None:
    for status in STATUSES:
        expected = when_cancelled if status is STATUSES.CANCELLED else errors
        request = RequestState(LEARNER, status)
        assert refused(REQUEST, "signatureRequestSign", Role.LEARNER, request, slots=slots) == expected
        of_one = [each.replace(" id", " documents.0.id") for each in expected]
        assert refused(REQUEST, "signatureRequestSignMany", Role.LEARNER, request, slots=slots) == of_one


def test_the_error_of_a_document_says_which_of_the_list_it_is() -> None:
    text = say("REQUEST_CANCELLED")
    fields = {
        field: of_document(2, user_error(UserErrorCode.CONFLICT, text, *field)).field
        for field in ((), ("id",), ("documents", "0", "id"))
    }
    assert fields == {
        (): None, ("id",): ("documents", "2", "id"), ("documents", "0", "id"): ("documents", "2", "id"),
    }  # fmt: skip


@pytest.mark.parametrize("role", [Role.LEARNER, Role.ASSESSOR, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW])
@pytest.mark.parametrize("signer", [None, OTHER])
def test_a_guest_is_invited_for_a_free_slot_of_the_employer(role: Role, signer: int | None) -> None:
    slots = [Signature(Role.ASSESSOR, None), Signature(role, signer)]
    answers = {
        each: refused(REQUEST, "guestSignatureInvite", Role.ASSESSOR, RequestState(LEARNER, each), slots=slots)
        for each in STATUSES
    }
    free = role in (Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW) and signer is None
    errors = [] if free else ["CONFLICT NO_SLOT_FOR_GUESTS requestId"]
    cancelled = ["CONFLICT REQUEST_CANCELLED_FOR_GUESTS requestId"]
    assert answers == dict.fromkeys(STATUSES, errors) | {STATUSES.CANCELLED: cancelled}


def test_a_pending_request_is_cancelled_unless_it_is_of_a_review() -> None:
    def answers(of_review: bool) -> dict[SignatureRequestStatus, list[str]]:
        return {
            each: refused(
                REQUEST, "signatureRequestCancel", Role.ASSESSOR, RequestState(LEARNER, each), of_review=of_review
            )
            for each in STATUSES
        }

    assert answers(True) == dict.fromkeys(STATUSES, ["CONFLICT DOCUMENT_OF_REVIEW id"])
    assert answers(False) == each_with(
        STATUSES,
        {
            STATUSES.CANCELLED: ["CONFLICT REQUEST_ALREADY_CANCELLED id"],
            STATUSES.COMPLETE: ["CONFLICT REQUEST_COMPLETE id"],
        },
    )


OPEN = "INVALID CRITERIA_NOT_SIGNED_OFF id"


@pytest.mark.parametrize(
    ("signatures", "open_criteria", "errors"),
    [
        ([], [], []),
        ([], ["1.1"], [OPEN]),
        ([MINE], ["1.1"], []),
        ([THEIRS], [], [TAKEN]),
        ([THEIRS], ["1.1"], [TAKEN]),
        ([ME_AS_ASSESSOR], [], [IN_OTHER_ROLE]),
        ([ME_AS_ASSESSOR, MINE], ["1.1"], []),
        ([Signature(Role.ASSESSOR, OTHER, "Other")], ["1.1"], [OPEN]),
    ],
)
def test_a_unit_is_signed_once_its_criteria_are(
    signatures: list[Signature], open_criteria: list[str], errors: list[str]
) -> None:
    facts = {"signatures": signatures, "open_criteria": open_criteria}
    answers = {
        (current, counts): refused(UNIT, "unitSign", Role.LEARNER, UnitState(LEARNER, current, counts), **facts)
        for current in (False, True)
        for counts in (False, True)
    }
    unknown = ["NOT_FOUND NO_SUCH_RECORD id"]
    assert answers == {
        (False, False): unknown,
        (False, True): unknown,
        (True, False): ["INVALID UNIT_NOT_CHOSEN id"],
        (True, True): errors,
    }


@pytest.mark.parametrize("count", [1, 10, 11, 12])
def test_ten_open_criteria_are_named_and_the_others_counted(count: int) -> None:
    codes = [f"1.{number}" for number in range(count)]
    facts = {"signatures": [], "open_criteria": codes}
    [error] = UNIT.errors("unitSign", me(Role.LEARNER), UnitState(LEARNER, True, True), **facts)
    parameters = {"count": count, "criteria": ", ".join(codes[:10])}
    if count > 10:
        assert (error.message.reason, error.message.parameters) == (
            "MANY_CRITERIA_NOT_SIGNED_OFF", {**parameters, "more": count - 10},
        )  # fmt: skip
    else:
        assert (error.message.reason, error.message.parameters) == ("CRITERIA_NOT_SIGNED_OFF", parameters)
    assert MAX_NAMED_CRITERIA == 10
