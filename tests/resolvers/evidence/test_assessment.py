"""Evidence is assessed: sums stay correct, sign-offs can be withdrawn, and unit signatures are withdrawn with them."""

import asyncio
from typing import Any

from db.models.aim import AimProgress
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import Evidence, EvidenceMapping
from db.models.unit_signature import UnitSignature
from domain import global_id as ids
from domain.enums import AssessmentMethod, EvidenceStatus, UserErrorCode
from resolvers import unit
from resolvers.evidence import assessment
from resolvers.evidence.sign_off import NEW_MAPPING, SIGN_OFF_WITHDRAWN
from tests.resolvers.evidence.test_submission import submitted
from tests.support.scenarios.base import PASSWORD, rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


async def assess(
    scenario: EmptyPortfolio, id: str, *judged: tuple[str, bool], who: str = "assessor", **changes: Any
) -> int:
    asked = {"assessment_methods": [AssessmentMethod.PRODUCT], "feedback": "Good", **changes}
    mappings = [{"criterion_id": criterion, "sign_off": met} for criterion, met in judged]
    return await assessment.assess(scenario.context(who), id=id, mappings=mappings, **asked)


async def reached(scenario: EmptyPortfolio) -> list[tuple[int, bool]]:
    """Returns (evidence count, signed off) of each criterion with progress, in order."""
    await scenario.check_progress()
    rows = await scenario.rows(CriterionProgress)
    assert all((row.signed_off_by_id is None) == (row.signed_off_at is None) != row.signed_off for row in rows)
    return [(row.evidence_count, row.signed_off) for row in rows]


async def sums(scenario: EmptyPortfolio) -> tuple[int, int]:
    row = await scenario.one(AimProgress, ids.decode("Aim", scenario.aim))
    return row.criteria_mapped, row.criteria_signed_off


async def test_mapping_is_not_signing_off(scenario: EmptyPortfolio) -> None:
    id, (first, second, third) = await submitted(scenario), scenario.criteria
    await assess(scenario, id, (first, False), (second, True))
    (made,) = await scenario.rows(Evidence)
    assert (made.status, made.assessment_methods, made.feedback) == (EvidenceStatus.ASSESSED, ["PRODUCT"], "Good")
    assert made.assessed_by_id == scenario.user("assessor").id
    assert await reached(scenario) == [(1, False), (1, True)]
    assert await sums(scenario) == (2, 1)
    # Other mappings and omitted feedback are not changed.
    await assess(scenario, id, (third, True), feedback=None)
    assert await reached(scenario) == [(1, False), (1, True), (1, True)]
    assert await sums(scenario) == (3, 2)
    assert (await scenario.rows(Evidence))[0].feedback == "Good"
    assert await scenario.audit_trail() == ["evidenceSubmit", "evidenceAssess", "evidenceAssess"]


async def test_mapping_again_counts_once_and_keeps_the_sign_off_time(scenario: EmptyPortfolio) -> None:
    id, (first, *_) = await submitted(scenario), scenario.criteria
    await assess(scenario, id, (first, True))
    before = [(row.signed_off_at, row.signed_off_by_id) for row in await scenario.rows(CriterionProgress)]
    await assess(scenario, id, (first, True))
    assert await reached(scenario) == [(1, True)]
    assert [(row.signed_off_at, row.signed_off_by_id) for row in await scenario.rows(CriterionProgress)] == before


async def test_a_sign_off_is_withdrawn_when_no_evidence_meets_the_criterion(scenario: EmptyPortfolio) -> None:
    one, two, (first, *_) = await submitted(scenario), await submitted(scenario), scenario.criteria
    await assess(scenario, one, (first, True))
    await assess(scenario, two, (first, True))
    await assess(scenario, one, (first, False))
    assert await reached(scenario) == [(2, True)]
    await assess(scenario, two, (first, False))
    assert await reached(scenario) == [(2, False)]
    assert await sums(scenario) == (1, 0)
    assert [mapping.signed_off for mapping in await scenario.rows(EvidenceMapping)] == [False, False]


async def test_working_towards_a_signed_off_criterion_keeps_the_sign_off(scenario: EmptyPortfolio) -> None:
    one, two, (first, *_) = await submitted(scenario), await submitted(scenario), scenario.criteria
    await assess(scenario, one, (first, True))
    await assess(scenario, two, (first, False))
    await assess(scenario, two, (first, False))
    assert await reached(scenario) == [(2, True)]


async def test_a_new_mapping_withdraws_the_units_signatures_and_keeps_them(scenario: EmptyPortfolio) -> None:
    one, two, (first, second, third) = await submitted(scenario), await submitted(scenario), scenario.criteria
    await assess(scenario, one, (first, True), (second, True), (third, True))
    for unit_id in scenario.units:
        await unit.sign(scenario.context("assessor"), id=unit_id, password=PASSWORD)
    await unit.sign(scenario.context("learner"), id=scenario.units[0], password=PASSWORD)
    # The same mapping again adds nothing.
    await assess(scenario, one, (first, True))
    assert [row.withdrawn_reason for row in await scenario.rows(UnitSignature)] == [None, None, None]
    await assess(scenario, two, (first, False))
    assert [row.withdrawn_reason for row in await scenario.rows(UnitSignature)] == [NEW_MAPPING, None, NEW_MAPPING]
    # After signing again both signatures are in the history.
    await unit.sign(scenario.context("assessor"), id=scenario.units[0], password=PASSWORD)
    again = await scenario.rows(UnitSignature)
    assert [row.withdrawn_at is None for row in again] == [False, True, False, True]
    assert again[0].content_sha256 != again[3].content_sha256
    await assess(scenario, one, (third, False))
    assert [row.withdrawn_reason for row in await scenario.rows(UnitSignature)][1] == SIGN_OFF_WITHDRAWN


async def test_invalid_mappings(scenario: EmptyPortfolio) -> None:
    id, (first, *_) = await submitted(scenario), scenario.criteria
    faults = await rejected(
        assess(
            scenario, id, (first, True), (first, False), (scenario.foreign_criterion, True), ("Criterion_1.999", True),
            (scenario.units[0], True), (scenario.other_criterion, True), assessment_methods=[],
        )
    )  # fmt: skip
    at = "input.mappings.{}.criterionId".format
    assert faults == {
        "input.assessmentMethods": UserErrorCode.REQUIRED,
        at(1): UserErrorCode.INVALID,
        at(2): UserErrorCode.NOT_FOUND,
        at(3): UserErrorCode.NOT_FOUND,
        at(4): UserErrorCode.NOT_FOUND,
        # A criterion of an aim that this assessor does not see.
        at(5): UserErrorCode.NOT_FOUND,
    }
    assert await rejected(assess(scenario, id)) == {"input.mappings": UserErrorCode.REQUIRED}
    assert await scenario.rows(EvidenceMapping) == []
    assert (await scenario.rows(Evidence))[0].status is EvidenceStatus.SUBMITTED


async def test_roles_that_cannot_assess_or_return(scenario: EmptyPortfolio) -> None:
    id, (first, *_) = await submitted(scenario), scenario.criteria
    for who in ("learner", "iqa", "manager", "overview", "basic", "master"):
        assert await rejected(assess(scenario, id, (first, True), who=who)) == {None: UserErrorCode.NOT_ALLOWED}
        doing = assessment.return_(scenario.context(who), id=id, points_for_improvement="Say why")
        assert await rejected(doing) == {None: UserErrorCode.NOT_ALLOWED}
    for who in ("cy", "zoe", "colleague", "other_assessor", "foreign_assessor"):
        assert await rejected(assess(scenario, id, (first, True), who=who)) == {"id": UserErrorCode.NOT_FOUND}
        doing = assessment.return_(scenario.context(who), id=id, points_for_improvement="Say why")
        assert await rejected(doing) == {"id": UserErrorCode.NOT_FOUND}
    assert await rejected(assess(scenario, "Evidence_999", (first, True))) == {"id": UserErrorCode.NOT_FOUND}


async def test_evidence_is_returned_once_and_with_points(scenario: EmptyPortfolio) -> None:
    id = await submitted(scenario, "manager")
    doing = assessment.return_(scenario.context("assessor"), id=id, points_for_improvement=" ")
    assert await rejected(doing) == {"pointsForImprovement": UserErrorCode.REQUIRED}
    await assessment.return_(scenario.context("assessor"), id=id, points_for_improvement="Say why")
    doing = assessment.return_(scenario.context("assessor"), id=id, points_for_improvement="And when")
    assert await rejected(doing) == {"id": UserErrorCode.CONFLICT}
    assert [mail.to_address for mail in await scenario.mails()] == [scenario.user("manager").email]
    assert (await scenario.rows(Evidence))[0].points_for_improvement == "Say why"


async def test_concurrent_assessments_keep_the_sums_correct(scenario: EmptyPortfolio) -> None:
    evidence = [await submitted(scenario) for _ in range(6)]
    first, second, third = scenario.criteria
    done = await asyncio.gather(
        *(assess(scenario, id, (first, True), (second, id == evidence[2]), (third, False)) for id in evidence),
        *(assess(scenario, id, (third, True)) for id in evidence),
    )
    assert len(done) == 12
    # The third criterion depends on the order; the other two do not.
    assert (await reached(scenario))[:2] == [(6, True), (6, True)]
    assert (await sums(scenario))[0] == 3
