"""Assessing evidence: the sums stay true, a sign-off can be taken back, and unit signatures fall when they must."""

import asyncio
from typing import Any

from db.models.aim import AimProgress
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import Evidence, EvidenceMapping
from db.models.unit_signature import UnitSignature
from domain import global_id as ids
from domain.enums import AssessmentMethod, EvidenceStatus, UserErrorCode
from resolvers import evidence_assessment, unit
from resolvers.evidence_assessment import MAPPED_ANEW, NO_LONGER_MET
from tests.resolvers.test_evidence import submitted
from tests.support.scenarios import PASSWORD, Stage, refused


async def assess(stage: Stage, id: str, *judged: tuple[str, bool], who: str = "assessor", **changes: Any) -> int:
    asked = {"assessment_methods": [AssessmentMethod.PRODUCT], "feedback": "Good", **changes}
    mappings = [{"criterion_id": criterion, "sign_off": met} for criterion, met in judged]
    return await evidence_assessment.assess(stage.at(who), id=id, mappings=mappings, **asked)


async def reached(stage: Stage) -> list[tuple[int, bool]]:
    """(evidence, signed off) of each criterion that was touched, in order."""
    await stage.check_sums()
    rows = await stage.rows(CriterionProgress)
    assert all((row.signed_off_by_id is None) == (row.signed_off_at is None) != row.signed_off for row in rows)
    return [(row.evidence_count, row.signed_off) for row in rows]


async def sums(stage: Stage) -> tuple[int, int]:
    row = await stage.one(AimProgress, ids.decode("Aim", stage.aim))
    return row.criteria_mapped, row.criteria_signed_off


async def test_mapping_is_not_signing_off(stage: Stage) -> None:
    id, (first, second, third) = await submitted(stage), stage.criteria
    await assess(stage, id, (first, False), (second, True))
    (made,) = await stage.rows(Evidence)
    assert (made.status, made.assessment_methods, made.feedback) == (EvidenceStatus.ASSESSED, ["PRODUCT"], "Good")
    assert made.assessed_by_id == stage.user("assessor").id
    assert await reached(stage) == [(1, False), (1, True)]
    assert await sums(stage) == (2, 1)
    # What is not named stays; feedback that is left out too.
    await assess(stage, id, (third, True), feedback=None)
    assert await reached(stage) == [(1, False), (1, True), (1, True)]
    assert await sums(stage) == (3, 2)
    assert (await stage.rows(Evidence))[0].feedback == "Good"
    assert await stage.trail() == ["evidenceSubmit", "evidenceAssess", "evidenceAssess"]


async def test_mapping_again_counts_once_and_re_stamps_nothing(stage: Stage) -> None:
    id, (first, *_) = await submitted(stage), stage.criteria
    await assess(stage, id, (first, True))
    before = [(row.signed_off_at, row.signed_off_by_id) for row in await stage.rows(CriterionProgress)]
    await assess(stage, id, (first, True))
    assert await reached(stage) == [(1, True)]
    assert [(row.signed_off_at, row.signed_off_by_id) for row in await stage.rows(CriterionProgress)] == before


async def test_a_sign_off_is_taken_back_once_no_evidence_meets_the_criterion(stage: Stage) -> None:
    one, two, (first, *_) = await submitted(stage), await submitted(stage), stage.criteria
    await assess(stage, one, (first, True))
    await assess(stage, two, (first, True))
    await assess(stage, one, (first, False))
    assert await reached(stage) == [(2, True)]
    await assess(stage, two, (first, False))
    assert await reached(stage) == [(2, False)]
    assert await sums(stage) == (1, 0)
    assert [mapping.signed_off for mapping in await stage.rows(EvidenceMapping)] == [False, False]


async def test_working_towards_a_met_criterion_leaves_it_met(stage: Stage) -> None:
    one, two, (first, *_) = await submitted(stage), await submitted(stage), stage.criteria
    await assess(stage, one, (first, True))
    await assess(stage, two, (first, False))
    await assess(stage, two, (first, False))
    assert await reached(stage) == [(2, True)]


async def test_new_mapping_takes_a_units_signatures_back_and_keeps_them(stage: Stage) -> None:
    one, two, (first, second, third) = await submitted(stage), await submitted(stage), stage.criteria
    await assess(stage, one, (first, True), (second, True), (third, True))
    for unit_id in stage.units:
        await unit.sign(stage.at("assessor"), id=unit_id, password=PASSWORD)
    await unit.sign(stage.at("learner"), id=stage.units[0], password=PASSWORD)
    # The same judgement again maps nothing new.
    await assess(stage, one, (first, True))
    assert [row.withdrawn_reason for row in await stage.rows(UnitSignature)] == [None, None, None]
    await assess(stage, two, (first, False))
    assert [row.withdrawn_reason for row in await stage.rows(UnitSignature)] == [MAPPED_ANEW, None, MAPPED_ANEW]
    # Signed again, both stand in the history.
    await unit.sign(stage.at("assessor"), id=stage.units[0], password=PASSWORD)
    again = await stage.rows(UnitSignature)
    assert [row.withdrawn_at is None for row in again] == [False, True, False, True]
    assert again[0].content_sha256 != again[3].content_sha256
    await assess(stage, one, (third, False))
    assert [row.withdrawn_reason for row in await stage.rows(UnitSignature)][1] == NO_LONGER_MET


async def test_what_cannot_be_mapped(stage: Stage) -> None:
    id, (first, *_) = await submitted(stage), stage.criteria
    faults = await refused(
        assess(
            stage, id, (first, True), (first, False), (stage.foreign_criterion, True), ("Criterion_1.999", True),
            (stage.units[0], True), (stage.other_criterion, True), assessment_methods=[],
        )
    )  # fmt: skip
    at = "input.mappings.{}.criterionId".format
    assert faults == {
        "input.assessmentMethods": UserErrorCode.REQUIRED,
        at(1): UserErrorCode.INVALID,
        at(2): UserErrorCode.NOT_FOUND,
        at(3): UserErrorCode.NOT_FOUND,
        at(4): UserErrorCode.NOT_FOUND,
        # Of another assessor's aim, which this one does not see.
        at(5): UserErrorCode.NOT_FOUND,
    }
    assert await refused(assess(stage, id)) == {"input.mappings": UserErrorCode.REQUIRED}
    assert await stage.rows(EvidenceMapping) == []
    assert (await stage.rows(Evidence))[0].status is EvidenceStatus.SUBMITTED


async def test_who_may_not_assess_or_return(stage: Stage) -> None:
    id, (first, *_) = await submitted(stage), stage.criteria
    for who in ("learner", "iqa", "manager", "overview", "basic", "master"):
        assert await refused(assess(stage, id, (first, True), who=who)) == {None: UserErrorCode.NOT_ALLOWED}
        doing = evidence_assessment.return_(stage.at(who), id=id, points_for_improvement="Say why")
        assert await refused(doing) == {None: UserErrorCode.NOT_ALLOWED}
    for who in ("cy", "zoe", "colleague", "other_assessor", "foreign_assessor"):
        assert await refused(assess(stage, id, (first, True), who=who)) == {"id": UserErrorCode.NOT_FOUND}
        doing = evidence_assessment.return_(stage.at(who), id=id, points_for_improvement="Say why")
        assert await refused(doing) == {"id": UserErrorCode.NOT_FOUND}
    assert await refused(assess(stage, "Evidence_999", (first, True))) == {"id": UserErrorCode.NOT_FOUND}


async def test_evidence_is_returned_once_and_with_points(stage: Stage) -> None:
    id = await submitted(stage, "manager")
    doing = evidence_assessment.return_(stage.at("assessor"), id=id, points_for_improvement=" ")
    assert await refused(doing) == {"pointsForImprovement": UserErrorCode.REQUIRED}
    await evidence_assessment.return_(stage.at("assessor"), id=id, points_for_improvement="Say why")
    doing = evidence_assessment.return_(stage.at("assessor"), id=id, points_for_improvement="And when")
    assert await refused(doing) == {"id": UserErrorCode.CONFLICT}
    assert [mail.to_address for mail in await stage.mails()] == [stage.user("manager").email]
    assert (await stage.rows(Evidence))[0].points_for_improvement == "Say why"


async def test_many_assessments_at_once_lose_no_count(stage: Stage) -> None:
    evidence = [await submitted(stage) for _ in range(6)]
    first, second, third = stage.criteria
    done = await asyncio.gather(
        *(assess(stage, id, (first, True), (second, id == evidence[2]), (third, False)) for id in evidence),
        *(assess(stage, id, (third, True)) for id in evidence),
    )
    assert len(done) == 12
    # Working towards the third came before or after its sign-off; the other two are certain.
    assert (await reached(stage))[:2] == [(6, True), (6, True)]
    assert (await sums(stage))[0] == 3
