"""An IQA begins a sample, concludes it with findings, and closes the actions that the assessor has answered."""

import asyncio
from typing import Any

from sqlalchemy import update

from db.models.aim import Aim
from db.models.provider import Provider
from db.models.sample import SampleFinding
from db.models.unit_signature import UnitSignature
from db.models.user import User
from domain import clock
from domain import global_id as ids
from domain.enums import Role
from services.audit.signature_check import signature_problems
from tests.support.factories import Factory
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio
from tests.support.scenarios.sampled_portfolio import (
    GOOD,
    begun,
    conclusion,
    planned,
    save_policy,
    sign_off,
    signed_unit,
)


async def test_a_sample_begins_with_a_snapshot_of_the_unit(scenario: EmptyPortfolio) -> None:
    evidence = await signed_unit(scenario)
    sample = await begun(scenario)
    iqa = scenario.client("iqa")
    first = await iqa.read("Sample", sample)
    assert (first["status"], len(first["snapshotSha256"])) == ("IN_PROGRESS", 64)
    lines = await scenario.audit_trail()
    assert await iqa.mutate("sampleBegin", id=sample) == first
    assert await scenario.audit_trail() == lines
    await scenario.client("assessor").mutate("evidenceUnmap", id=evidence, criterionIds=scenario.criteria[:1])
    refused = await iqa.user_errors("sampleConclude", id=sample, input=conclusion("ACCEPTED"))
    assert refused == {"input": "CONFLICT"}
    again = await iqa.mutate("sampleBegin", id=sample)
    assert again["snapshotSha256"] != first["snapshotSha256"]
    assert (await iqa.mutate("sampleConclude", id=sample, input=conclusion("ACCEPTED")))["status"] == "CONCLUDED"


async def test_there_must_be_something_to_look_at(scenario: EmptyPortfolio) -> None:
    await save_policy(scenario)
    sample = (await planned(scenario))[0]["id"]
    iqa = scenario.client("iqa")
    assert await iqa.user_errors("sampleBegin", id=sample) == {"id": "INVALID"}
    assert await iqa.user_errors("sampleConclude", id=sample, input=conclusion("ACCEPTED")) == {"id": "CONFLICT"}
    for who in ("assessor",):
        assert await scenario.client(who).user_errors("sampleBegin", id=sample) == {None: "NOT_ALLOWED"}
    for who in ("learner", "manager", "overview", "basic", "other_assessor", "foreign_assessor"):
        assert await scenario.client(who).user_errors("sampleBegin", id=sample) == {"id": "NOT_FOUND"}


async def test_findings_say_what_is_wrong(scenario: EmptyPortfolio) -> None:
    evidence = await signed_unit(scenario)
    sample = await begun(scenario)
    iqa = scenario.client("iqa")

    async def refused(outcome: str, *actions: str, **finding: Any) -> dict[str | None, str]:
        return await iqa.user_errors("sampleConclude", id=sample, input=conclusion(outcome, *actions, **finding))

    assert await refused("ACTION_REQUIRED") == {"input.actions": "REQUIRED"}
    assert await refused("ACCEPTED", "Add a photo.") == {"input.outcome": "INVALID"}
    assert await refused("ACCEPTED", valid=False, comment="No.") == {"input.outcome": "INVALID"}
    assert await refused("REJECTED") == {"input.outcome": "INVALID"}
    assert await refused("REJECTED", valid=False) == {"input.findings.0.comment": "REQUIRED"}
    assert await refused("ACTION_REQUIRED", " ") == {"input.actions.0": "REQUIRED"}
    elsewhere = {"criterionId": scenario.criteria[2], "evidenceId": "Evidence_999"}
    assert await refused("ACCEPTED", **elsewhere) == {
        "input.findings.0.criterionId": "NOT_FOUND", "input.findings.0.evidenceId": "NOT_FOUND"
    }  # fmt: skip
    nothing = {"outcome": "ACCEPTED", "findings": []}
    assert await iqa.user_errors("sampleConclude", id=sample, input=nothing) == {"input.findings": "REQUIRED"}
    many = {"outcome": "ACTION_REQUIRED", "findings": [GOOD] * 201, "actions": ["Do it."] * 21}
    assert await iqa.user_errors("sampleConclude", id=sample, input=many) == {
        "input.findings": "INVALID", "input.actions": "INVALID"
    }  # fmt: skip
    assert await scenario.rows(SampleFinding) == []
    about = {"criterionId": scenario.criteria[0], "evidenceId": evidence, "comment": "Well shown."}
    made = await iqa.mutate("sampleConclude", id=sample, input=conclusion("ACCEPTED", **about))
    (finding,) = made["findings"]
    assert (finding["evidence"]["id"], finding["comment"]) == (evidence, "Well shown.")
    assert await iqa.user_errors("sampleConclude", id=sample, input=conclusion("ACCEPTED")) == {"id": "CONFLICT"}
    assert await iqa.user_errors("sampleBegin", id=sample) == {"id": "CONFLICT"}


async def test_a_rejection_takes_back_the_sign_off_of_that_unit_alone(scenario: EmptyPortfolio) -> None:
    await signed_unit(scenario, 1)
    evidence = await signed_unit(scenario)
    sample = await begun(scenario)
    faulted = {"criterionId": scenario.criteria[0], "sufficient": False, "comment": "One photo is too little."}
    made = await scenario.client("iqa").mutate("sampleConclude", id=sample, input=conclusion("REJECTED", **faulted))
    assert (made["status"], made["outcome"], made["unit"]["signedOff"]) == ("CONCLUDED", "REJECTED", False)
    assert [criterion["status"] for criterion in made["unit"]["criteria"]] == ["IN_PROGRESS", "SIGNED_OFF"]
    other, kept = await scenario.rows(UnitSignature)
    assert (other.withdrawn_at, kept.withdrawn_reason) == (None, "The sign-off of the unit was taken back.")
    assert kept.signed_at < kept.withdrawn_at and kept.signed_by_id == scenario.user("assessor").id and kept.statement
    units = {"signedOff": True, "criteria": [{"status": "SIGNED_OFF"}] * len(scenario.criteria[2:])}
    query = "query($id: ID!) { unit(id: $id) { signedOff criteria { status } } }"
    assert await scenario.client("iqa").data(query, id=scenario.units[1]) == {"unit": units}
    await scenario.check_progress()
    async with scenario.database.snapshot() as session:
        assert [problem async for problem in signature_problems(session)] == []
    (mail,) = [mail for mail in await scenario.mails() if mail.kind == "sample_concluded"]
    assert mail.to_address == scenario.user("assessor").email
    # Learners read why, and nothing of the sample.
    learner = await scenario.client("learner").read("Unit", scenario.units[0])
    assert learner["signatures"][-1]["withdrawnReason"] == "The sign-off of the unit was taken back."
    # The unit is assessed and signed again, and a plan samples it again.
    await sign_off(scenario, evidence, scenario.criteria[:1])
    await scenario.client("assessor").mutate("unitSign", id=scenario.units[0], password=PASSWORD)
    again = next(each for each in await planned(scenario) if each["unit"]["id"] == scenario.units[0])
    assert again["id"] != sample and again["status"] == "PLANNED"


async def test_evidence_that_is_faulted_takes_back_what_it_met(scenario: EmptyPortfolio) -> None:
    evidence = await signed_unit(scenario)
    sample = await begun(scenario)
    faulted = {"evidenceId": evidence, "authentic": False, "comment": "Not their own work."}
    made = await scenario.client("iqa").mutate("sampleConclude", id=sample, input=conclusion("REJECTED", **faulted))
    assert [criterion["status"] for criterion in made["unit"]["criteria"]] == ["IN_PROGRESS", "IN_PROGRESS"]
    await scenario.check_progress()


async def test_the_assessor_answers_actions_and_only_the_iqa_closes_them(scenario: EmptyPortfolio) -> None:
    await signed_unit(scenario)
    sample = await begun(scenario)
    iqa, assessor = scenario.client("iqa"), scenario.client("assessor")
    made = await iqa.mutate("sampleConclude", id=sample, input=conclusion("ACTION_REQUIRED", "Add one.", "Date it."))
    assert (made["status"], made["unit"]["signedOff"]) == ("ACTION_REQUIRED", True)
    first, second = [action["id"] for action in made["actions"]]
    assert await assessor.user_errors("sampleActionAnswer", id=first, answer=" ") == {"answer": "REQUIRED"}
    answered = await assessor.mutate("sampleActionAnswer", id=first, answer="Added.")
    assert [action["answer"] for action in answered["actions"]] == ["Added.", None]
    lines = await scenario.audit_trail()
    assert await assessor.mutate("sampleActionAnswer", id=first, answer="Added.") == answered
    assert await scenario.audit_trail() == lines
    assert [mail.to_address for mail in await scenario.mails() if mail.kind == "sample_answered"] == [
        scenario.user("iqa").email
    ]
    assert await assessor.user_errors("sampleActionClose", id=first) == {None: "NOT_ALLOWED"}
    assert await iqa.user_errors("sampleActionAnswer", id=first, answer="No.") == {None: "NOT_ALLOWED"}
    for who in ("learner", "manager", "basic", "other_assessor", "foreign_assessor"):
        assert await scenario.client(who).user_errors("sampleActionClose", id=first) == {"id": "NOT_FOUND"}
        refused = await scenario.client(who).user_errors("sampleActionAnswer", id=first, answer="No.")
        assert refused == {"id": "NOT_FOUND"}
    assert (await iqa.mutate("sampleActionClose", id=first))["status"] == "ACTION_REQUIRED"
    assert await assessor.user_errors("sampleActionAnswer", id=first, answer="More.") == {"id": "CONFLICT"}
    assert (await iqa.mutate("sampleActionClose", id=second))["status"] == "CONCLUDED"
    assert (await iqa.mutate("sampleActionClose", id=second))["status"] == "CONCLUDED"


async def test_nobody_samples_what_they_assessed(scenario: EmptyPortfolio) -> None:
    await signed_unit(scenario)
    await save_policy(scenario)
    sample = next(each["id"] for each in await planned(scenario) if each["unit"]["id"] == scenario.units[0])
    user, _, _ = scenario.people["assessor"]
    scenario.people["both"] = (user, Role.MASTER_ADMIN, None)
    assert await scenario.client("both").user_errors("sampleBegin", id=sample) == {"id": "NOT_ALLOWED"}
    # Also after the learner was handed over.
    async with scenario.database.writing() as session:
        aim = await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        aim.assessor_id = scenario.user("other_assessor").id
    assert await scenario.client("both").user_errors("sampleBegin", id=sample) == {"id": "NOT_ALLOWED"}


async def test_sampling_survives_a_hand_over_and_an_iqa_who_leaves(scenario: EmptyPortfolio) -> None:
    await signed_unit(scenario)
    sample = await begun(scenario)
    async with scenario.database.writing() as session:
        provider = await session.get_one(Provider, scenario.user("iqa").provider_id)
        new = await Factory(session).user(provider, "New", Role.IQA)
        aims = update(Aim).where(Aim.id == ids.decode("Aim", scenario.aim))
        await session.execute(aims.values(iqa_id=new.id, assessor_id=scenario.user("other_assessor").id))
        left = update(User).where(User.id == scenario.user("iqa").id)
        await session.execute(left.values(archived_at=clock.now()))
    scenario.people["new"] = (new, Role.IQA, None)
    assert await scenario.client("iqa").user_errors("sampleBegin", id=sample) == {"id": "NOT_FOUND"}
    input = conclusion("ACTION_REQUIRED", "Add one.")
    made = await scenario.client("new").mutate("sampleConclude", id=sample, input=input)
    assert (made["assessor"]["name"], made["iqa"]["name"]) == ("Other Assessor", "New")
    (action,) = made["actions"]
    answered = await scenario.client("other_assessor").mutate("sampleActionAnswer", id=action["id"], answer="Added.")
    assert answered["actions"][0]["answeredBy"]["id"] == f"User_{scenario.user('other_assessor').id}"
    # What is concluded keeps the people of that time.
    async with scenario.database.writing() as session:
        aims = update(Aim).where(Aim.id == ids.decode("Aim", scenario.aim))
        await session.execute(aims.values(iqa_id=scenario.user("iqa").id, assessor_id=scenario.user("assessor").id))
    kept = await scenario.client("iqa").read("Sample", sample)
    assert (kept["assessor"]["name"], kept["iqa"]["name"]) == ("Other Assessor", "New")
    query = "query($id: ID) { samples(filter: {iqaId: $id}) { totalCount nodes { id } } }"
    found = await scenario.client("master").data(query, id=f"User_{new.id}")
    assert found == {"samples": {"totalCount": 1, "nodes": [{"id": sample}]}}


async def test_of_two_who_conclude_one_sample_one_does(scenario: EmptyPortfolio) -> None:
    await signed_unit(scenario)
    sample = await begun(scenario)
    answers = await asyncio.gather(
        *(
            scenario.client(who).payload("sampleConclude", id=sample, input=conclusion(outcome, *actions, **finding))
            for who, outcome, actions, finding in (
                ("iqa", "ACCEPTED", (), {}),
                ("master", "REJECTED", (), {"valid": False, "comment": "No."}),
                ("iqa", "ACTION_REQUIRED", ("Add one.",), {}),
            )
        )
    )
    assert sorted(bool(answer["errors"]) for answer in answers) == [False, True, True]
    assert len(await scenario.rows(SampleFinding)) == 1
    assert (await scenario.audit_trail()).count("sampleConclude") == 1
