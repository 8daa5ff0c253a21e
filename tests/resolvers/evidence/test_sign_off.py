"""A unit that is signed off rests on assessed files; what was signed and why it was withdrawn stays readable."""

from typing import Any

import pytest

from db.models.evidence import Evidence, EvidenceMapping
from db.models.unit_signature import UnitSignature
from db.models.user import User
from domain import clock
from domain import global_id as ids
from domain.enums import EvidenceStatus, Role, UserErrorCode
from resolvers import unit
from resolvers.evidence import assessment, submission
from resolvers.evidence import sign_off as reasons
from services.audit.signature_check import signature_problems
from tests.resolvers.evidence.test_assessment import assess, reached, sums
from tests.resolvers.evidence.test_submission import submitted
from tests.support.scenarios.base import PASSWORD, rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

UNIT = (
    "query($id: ID!) { unit(id: $id) { signedOff criteriaComplete "
    "signatures { role required signedAt statement withdrawnAt withdrawnReason } evidence { id } } }"
)


async def met(scenario: EmptyPortfolio, *criteria: str) -> str:
    """Evidence of the learner that signs off criteria; the first unit is signed by its assessor, if it is complete."""
    id = await submitted(scenario)
    await assess(scenario, id, *((criterion, True) for criterion in criteria))
    return id


async def sign_unit(scenario: EmptyPortfolio, who: str = "assessor", **rules: Any) -> None:
    await unit.sign(scenario.context(who, **rules), id=scenario.units[0], password=PASSWORD)


async def shown(scenario: EmptyPortfolio, who: str = "learner", **rules: Any) -> dict[str, Any]:
    return (await scenario.client(who, **rules).data(UNIT, id=scenario.units[0]))["unit"]


async def withdrawal_reasons(scenario: EmptyPortfolio) -> list[str | None]:
    async with scenario.database.writing() as session:
        assert [problem async for problem in signature_problems(session) if "withdrawn" in problem] == []
    return [row.withdrawn_reason for row in await scenario.rows(UnitSignature)]


async def status(scenario: EmptyPortfolio, id: str) -> EvidenceStatus:
    return (await scenario.one(Evidence, ids.decode("Evidence", id))).status


async def test_returned_evidence_signs_nothing_off(scenario: EmptyPortfolio) -> None:
    first, second, _ = scenario.criteria
    id = await met(scenario, first, second)
    await sign_unit(scenario)
    assert (await shown(scenario))["signedOff"]
    await assessment.return_(scenario.context("assessor"), id=id, points_for_improvement="Sharper")
    assert await reached(scenario) == [(1, False), (1, False)]
    assert await sums(scenario) == (2, 0)
    assert [mapping.signed_off for mapping in await scenario.rows(EvidenceMapping)] == [False, False]
    assert await withdrawal_reasons(scenario) == [reasons.EVIDENCE_RETURNED]
    seen = await shown(scenario)
    assert (seen["signedOff"], seen["criteriaComplete"]) == (False, False)
    standing, withdrawn = seen["signatures"]
    assert (standing["role"], standing["required"], standing["signedAt"]) == ("ASSESSOR", True, None)
    assert (withdrawn["role"], withdrawn["required"]) == ("ASSESSOR", False)
    assert withdrawn["withdrawnReason"] == reasons.EVIDENCE_RETURNED and withdrawn["withdrawnAt"]
    assert withdrawn["statement"].startswith("I confirm that the evidence recorded for unit 1")
    assert (await scenario.rows(Evidence))[0].returned_at is not None


async def test_a_criterion_that_other_assessed_evidence_meets_stays_signed_off(scenario: EmptyPortfolio) -> None:
    first, second, _ = scenario.criteria
    one, _two = await met(scenario, first, second), await met(scenario, first, second)
    await sign_unit(scenario)
    await assessment.return_(scenario.context("assessor"), id=one, points_for_improvement="Sharper")
    assert await reached(scenario) == [(2, True), (2, True)]
    assert await withdrawal_reasons(scenario) == [None]
    assert (await shown(scenario))["signedOff"]


async def test_other_evidence_counts_only_while_it_is_assessed(scenario: EmptyPortfolio) -> None:
    first, second, _ = scenario.criteria
    one, two = await met(scenario, first, second), await met(scenario, first, second)
    for id in (one, two):
        await assessment.return_(scenario.context("assessor"), id=id, points_for_improvement="Sharper")
    assert await reached(scenario) == [(2, False), (2, False)]


async def test_a_file_that_replaces_an_assessed_one_signs_nothing_off(scenario: EmptyPortfolio) -> None:
    """Evidence that was returned by 0.1.0, which left its sign-offs."""
    first, second, _ = scenario.criteria
    id = await met(scenario, first, second)
    await sign_unit(scenario)
    async with scenario.database.writing() as session:
        (await session.get_one(Evidence, ids.decode("Evidence", id))).status = EvidenceStatus.RETURNED
    again = {"file_id": await scenario.upload("learner"), "comment": "Another"}
    await submission.resubmit(scenario.context("learner"), id=id, **again)
    assert await reached(scenario) == [(1, False), (1, False)]
    assert await withdrawal_reasons(scenario) == [reasons.EVIDENCE_REPLACED]


async def test_a_unit_stays_signed_off_when_another_role_is_required(scenario: EmptyPortfolio) -> None:
    first, second, third = scenario.criteria
    await met(scenario, first, second, third)
    await sign_unit(scenario)
    both = {"unit_signatures": (Role.ASSESSOR, Role.IQA)}
    assert (await shown(scenario, **both))["signedOff"]
    # A unit that is signed from now on needs both.
    await unit.sign(scenario.context("assessor", **both), id=scenario.units[1], password=PASSWORD)
    answer = await scenario.client("learner", **both).data(UNIT, id=scenario.units[1])
    assert not answer["unit"]["signedOff"]
    funnel = "query($id: ID!) { aim(id: $id) { qualification { unitFunnel { number signedOffCount } } } }"
    for rules, expected in (({}, [1, 1]), (both, [1, 0])):
        units = (await scenario.client("assessor", **rules).data(funnel, id=scenario.aim))["aim"]["qualification"]
        assert [each["signedOffCount"] for each in units["unitFunnel"]] == expected


# ---------------------------------------------------------------------- the submitter has left


@pytest.mark.parametrize("who", ["learner", "assessor"])
async def test_others_resubmit_for_a_submitter_who_has_left(scenario: EmptyPortfolio, who: str) -> None:
    id = await submitted(scenario, "manager")
    again = {"id": id, "file_id": await scenario.upload(who), "comment": "In their place"}
    await assessment.return_(scenario.context("assessor"), id=id, points_for_improvement="Sharper")
    assert await rejected(submission.resubmit(scenario.context(who), **again)) == {"id": UserErrorCode.NOT_ALLOWED}
    async with scenario.database.writing() as session:
        (await session.get_one(User, scenario.user("manager").id)).archived_at = clock.now()
    assert await rejected(submission.resubmit(scenario.context("second"), **again)) == {"id": UserErrorCode.NOT_ALLOWED}
    await submission.resubmit(scenario.context(who), **again)
    assert await status(scenario, id) is EvidenceStatus.RESUBMITTED


async def test_the_learner_hears_what_to_improve_once_the_submitter_has_left(scenario: EmptyPortfolio) -> None:
    id = await submitted(scenario, "manager")
    async with scenario.database.writing() as session:
        (await session.get_one(User, scenario.user("manager").id)).archived_at = clock.now()
    await assessment.return_(scenario.context("assessor"), id=id, points_for_improvement="Sharper")
    assert [mail.to_address for mail in await scenario.mails()] == [scenario.user("learner").email]
