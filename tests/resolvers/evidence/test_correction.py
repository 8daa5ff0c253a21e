"""Mistakes with evidence are corrected: mappings are removed, evidence is retitled, moved and withdrawn."""

from typing import Any

from db.models.evidence import Evidence
from db.models.file import File
from domain import global_id as ids
from domain.enums import EvidenceStatus, UserErrorCode
from resolvers.evidence import assessment, correction, submission
from resolvers.evidence import sign_off as reasons
from services.audit.signature_check import signature_problems
from tests.resolvers.evidence.test_assessment import assess, reached, sums
from tests.resolvers.evidence.test_sign_off import UNIT, met, sign_unit, status, withdrawal_reasons
from tests.resolvers.evidence.test_submission import submitted
from tests.support.scenarios.base import PASSWORD, rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

# ---------------------------------------------------------------------- evidenceUnmap


async def test_unmapping_is_followed_by_counts_and_signatures(scenario: EmptyPortfolio) -> None:
    first, second, third = scenario.criteria
    id = await met(scenario, first, second, third)
    await sign_unit(scenario)
    await sign_unit(scenario, "iqa")
    await correction.unmap(scenario.context("assessor"), id=id, criterion_ids=[first, first])
    assert await reached(scenario) == [(0, False), (1, True), (1, True)]
    assert await sums(scenario) == (2, 2)
    assert await withdrawal_reasons(scenario) == [reasons.EVIDENCE_UNMAPPED] * 2
    assert await status(scenario, id) is EvidenceStatus.ASSESSED
    # What is not mapped changes nothing.
    trail = await scenario.audit_trail()
    await correction.unmap(scenario.context("assessor"), id=id, criterion_ids=[first])
    assert await scenario.audit_trail() == trail
    await correction.unmap(scenario.context("assessor"), id=id, criterion_ids=[second, third])
    # It is mapped to nothing, so it waits for the assessor again.
    assert await status(scenario, id) is EvidenceStatus.SUBMITTED
    assert await sums(scenario) == (0, 0)
    assert (await scenario.client("assessor").data(UNIT, id=scenario.units[0]))["unit"]["evidence"] == []


async def test_unmapping_keeps_what_other_evidence_meets(scenario: EmptyPortfolio) -> None:
    first, second, _ = scenario.criteria
    one, _two = await met(scenario, first, second), await met(scenario, first, second)
    await correction.unmap(scenario.context("assessor"), id=one, criterion_ids=[first])
    assert await reached(scenario) == [(1, True), (2, True)]


async def test_what_cannot_be_unmapped(scenario: EmptyPortfolio) -> None:
    id = await met(scenario, scenario.criteria[0])
    unmap = correction.unmap
    wrong = [scenario.other_criterion, scenario.foreign_criterion, scenario.units[0], scenario.criteria[1]]
    faults = await rejected(unmap(scenario.context("assessor"), id=id, criterion_ids=wrong))
    assert faults == dict.fromkeys([f"criterionIds.{index}" for index in range(3)], UserErrorCode.NOT_FOUND)
    assert await rejected(unmap(scenario.context("assessor"), id=id, criterion_ids=[])) == {
        "criterionIds": UserErrorCode.REQUIRED
    }
    many = scenario.criteria * 200
    assert await rejected(unmap(scenario.context("assessor"), id=id, criterion_ids=many)) == {
        "criterionIds": UserErrorCode.INVALID
    }
    for who, code in (("learner", "NOT_ALLOWED"), ("other_assessor", "NOT_FOUND"), ("master", "NOT_ALLOWED")):
        faults = await rejected(unmap(scenario.context(who), id=id, criterion_ids=scenario.criteria[:1]))
        assert set(faults.values()) == {UserErrorCode(code)}


# ---------------------------------------------------------------------- evidenceUpdate


async def test_evidence_is_retitled_by_its_submitter_and_the_assessor(scenario: EmptyPortfolio) -> None:
    id = await submitted(scenario)
    evidence = await scenario.client("learner").mutate("evidenceUpdate", id=id, input={"title": "  Rear \n brake "})
    assert evidence["title"] == "Rear brake"
    changes = {"title": None, "description": "Bled and adjusted"}
    evidence = await scenario.client("assessor").mutate("evidenceUpdate", id=id, input=changes)
    assert (evidence["title"], evidence["description"]) == ("Rear brake", "Bled and adjusted")
    trail = await scenario.audit_trail()
    await scenario.client("learner").mutate("evidenceUpdate", id=id, input={"title": "Rear brake"})
    assert await scenario.audit_trail() == trail
    # The words that were signed remain those of the previous title, and the audit knows why.
    async with scenario.database.writing() as session:
        assert [problem async for problem in signature_problems(session) if "statement" in problem] == []
    faults = await rejected(correction.update(scenario.context("learner"), id=id, title=" ", description=""))
    assert faults == dict.fromkeys(["input.title", "input.description"], UserErrorCode.REQUIRED)


async def test_evidence_moves_with_its_files_and_without_its_mappings(scenario: EmptyPortfolio) -> None:
    first, *_ = scenario.criteria
    id = await submitted(scenario)
    await assess(scenario, id, (first, False))
    evidence = await scenario.client("learner").mutate("evidenceUpdate", id=id, input={"aimId": scenario.other_aim})
    assert (evidence["aim"]["id"], evidence["status"], evidence["mappings"]) == (scenario.other_aim, "SUBMITTED", [])
    assert (evidence["assessedBy"], evidence["assessmentMethods"]) == (None, [])
    assert await sums(scenario) == (0, 0)
    await scenario.check_progress()
    (row,) = await scenario.rows(Evidence)
    (file,) = await scenario.rows(File, File.id == row.file_id)
    assert file.aim_id == ids.decode("Aim", scenario.other_aim)
    read = "query($id: ID!) { evidence(id: $id) { file { id } } }"
    assert (await scenario.client("other_assessor").data(read, id=id))["evidence"]["file"] is not None
    assert (await scenario.client("assessor").data(read, id=id))["evidence"] is None


async def test_moving_away_from_a_signed_unit_withdraws_its_signatures(scenario: EmptyPortfolio) -> None:
    first, second, _ = scenario.criteria
    await met(scenario, first, second)
    id = await submitted(scenario)
    await assess(scenario, id, (first, False))
    await sign_unit(scenario)
    await correction.update(scenario.context("learner"), id=id, aim_id=scenario.other_aim)
    assert await withdrawal_reasons(scenario) == [reasons.EVIDENCE_MOVED]
    assert await reached(scenario) == [(1, True), (1, True)]


async def test_who_may_not_change_evidence_and_when(scenario: EmptyPortfolio) -> None:
    first, *_ = scenario.criteria
    id = await submitted(scenario)
    update = correction.update

    async def faults(who: str, **changes: Any) -> dict[str | None, UserErrorCode]:
        return await rejected(update(scenario.context(who), id=id, **{"title": "Other", **changes}))

    assert await faults("manager") == {"id": UserErrorCode.NOT_ALLOWED}
    assert await faults("iqa") == {None: UserErrorCode.NOT_ALLOWED}
    assert await faults("other_assessor") == {"id": UserErrorCode.NOT_FOUND}
    assert await faults("learner", aim_id=scenario.foreign_aim) == {"input.aimId": UserErrorCode.NOT_FOUND}
    # Of the learner's aims an assessor sees their own.
    assert await faults("assessor", aim_id=scenario.other_aim) == {"input.aimId": UserErrorCode.NOT_FOUND}
    await assess(scenario, id, (first, True))
    assert await faults("learner") == {"id": UserErrorCode.CONFLICT}
    assert await faults("assessor") == {"id": UserErrorCode.CONFLICT}


# ---------------------------------------------------------------------- evidenceWithdraw


async def test_withdrawn_evidence_counts_nowhere_and_stays_readable(scenario: EmptyPortfolio) -> None:
    first, second, _ = scenario.criteria
    id = await met(scenario, first, second)
    await sign_unit(scenario)
    evidence = await scenario.client("assessor").mutate("evidenceWithdraw", id=id, reason="Of\nanother learner")
    assert (evidence["status"], evidence["withdrawnReason"]) == ("WITHDRAWN", "Of\nanother learner")
    assert (evidence["mappings"], len(evidence["versions"])) == ([], 1)
    assert await sums(scenario) == (0, 0)
    await scenario.check_progress()
    assert await withdrawal_reasons(scenario) == [reasons.EVIDENCE_WITHDRAWN]
    read = "query($id: ID!) { evidence(id: $id) { status file { download { url } } daysWaiting } }"
    for who in ("learner", "manager", "iqa"):
        seen = (await scenario.client(who).data(read, id=id))["evidence"]
        assert seen["status"] == "WITHDRAWN" and seen["file"]["download"]["url"] and seen["daysWaiting"] is None
    (mail,) = [mail for mail in await scenario.mails() if mail.kind == "evidence_withdrawn"]
    assert mail.to_address == scenario.user("learner").email and "> Of\n> another learner" in mail.body
    trail = await scenario.audit_trail()
    await correction.withdraw(scenario.context("assessor"), id=id, reason="Again")
    assert await scenario.audit_trail() == trail


async def test_nothing_is_done_with_withdrawn_evidence(scenario: EmptyPortfolio) -> None:
    id = await submitted(scenario)
    await correction.withdraw(scenario.context("learner"), id=id, reason="Wrong file")
    assert [mail.kind for mail in await scenario.mails()] == []
    learner, assessor = scenario.context("learner"), scenario.context("assessor")
    again = {"file_id": await scenario.upload("learner"), "comment": "Another"}
    for operation in (
        assess(scenario, id, (scenario.criteria[0], True)),
        assessment.return_(assessor, id=id, points_for_improvement="Sharper"),
        submission.sign(learner, id=id, password=PASSWORD),
        submission.resubmit(learner, id=id, **again),
        correction.update(learner, id=id, title="Other"),
        correction.unmap(assessor, id=id, criterion_ids=scenario.criteria[:1]),
    ):
        assert set((await rejected(operation)).values()) == {UserErrorCode.CONFLICT}


async def test_who_may_not_withdraw_evidence_and_when(scenario: EmptyPortfolio) -> None:
    id = await met(scenario, scenario.criteria[0])
    withdraw = correction.withdraw
    for who, code in (("learner", "CONFLICT"), ("manager", "NOT_ALLOWED"), ("other_assessor", "NOT_FOUND")):
        faults = await rejected(withdraw(scenario.context(who), id=id, reason="Wrong"))
        assert faults == {"id": UserErrorCode(code)}
    assert await rejected(withdraw(scenario.context("assessor"), id=id, reason=" ")) == {
        "reason": UserErrorCode.REQUIRED
    }
