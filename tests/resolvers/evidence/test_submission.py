"""Evidence is submitted with a signature, resubmitted as a new version, and signed: permissions by role."""

import asyncio
from typing import Any

import pytest

from db.models.aim import Aim
from db.models.evidence import Evidence, EvidenceSignature, EvidenceVersion
from db.models.learner import Learner
from db.models.user import User
from domain import global_id as ids
from domain.confirmation_statements import evidence_statement
from domain.enums import ActionStatus, EvidenceStatus, Role, UserErrorCode
from resolvers.evidence import assessment, submission
from tests.support.factories import Factory
from tests.support.scenarios.base import PASSWORD, rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

WORDS = {"title": " Brakes\nbled ", "description": "What I did", "declare_own_work": True, "password": PASSWORD}


async def submitted(scenario: EmptyPortfolio, who: str = "learner", **changes: Any) -> str:
    asked = {"aim_id": scenario.aim, **WORDS, **changes}
    if "file_id" not in asked:
        asked["file_id"] = await scenario.upload(who)
    return ids.encode("Evidence", await submission.submit(scenario.context(who), **asked))


async def returned(scenario: EmptyPortfolio, who: str = "learner") -> str:
    id = await submitted(scenario, who)
    await assessment.return_(scenario.context("assessor"), id=id, points_for_improvement="Say why")
    return id


@pytest.mark.parametrize("who", ["learner", "assessor", "manager", "overview"])
async def test_submitted_evidence_is_signed_in_the_portfolio(scenario: EmptyPortfolio, who: str) -> None:
    file_id = await scenario.upload(who)
    await submitted(scenario, who, file_id=file_id)
    (made,), (version,), (signature,) = [
        await scenario.rows(table) for table in (Evidence, EvidenceVersion, EvidenceSignature)
    ]
    file, (user, role, _) = await scenario.file(file_id), scenario.people[who]
    assert (made.title, made.status, made.submitted_by_id) == ("Brakes bled", EvidenceStatus.SUBMITTED, user.id)
    assert ids.encode("Aim", made.aim_id) == scenario.aim and ids.encode("Learner", made.learner_id) == scenario.ada
    assert (version.number, version.file_id, made.file_id) == (1, file.id, file.id)
    assert (signature.role, signature.signed_by_id, signature.file_sha256) == (role, user.id, file.sha256)
    assert signature.statement == evidence_statement("Brakes bled", own_work=True)
    assert (file.learner_id, file.aim_id) == (made.learner_id, made.aim_id)
    assert await scenario.audit_trail() == ["evidenceSubmit"]


async def test_all_errors_are_reported_together(scenario: EmptyPortfolio) -> None:
    before = await scenario.row_counts()
    doing = submitted(scenario, title=" ", description="\n", declare_own_work=False, file_id="File_999")
    assert await rejected(doing) == {
        "input.fileId": UserErrorCode.NOT_FOUND,
        "input.title": UserErrorCode.REQUIRED,
        "input.description": UserErrorCode.REQUIRED,
        "input.declareOwnWork": UserErrorCode.REQUIRED,
    }
    doing = submitted(scenario, title="x" * 201, description="\0\u200b")
    assert await rejected(doing) == {
        "input.title": UserErrorCode.INVALID, "input.description": UserErrorCode.REQUIRED
    }  # fmt: skip
    assert await scenario.audit_trail() == []
    assert (await scenario.row_counts())["evidence"] == before["evidence"]


async def test_an_employer_does_not_need_the_declaration(scenario: EmptyPortfolio) -> None:
    await submitted(scenario, "manager", declare_own_work=False)
    (made,), (signature,) = await scenario.rows(Evidence), await scenario.rows(EvidenceSignature)
    assert not made.declared_own_work
    assert signature.statement == evidence_statement("Brakes bled", own_work=False)


async def test_records_of_another_provider_and_unknown_ids_are_not_found(scenario: EmptyPortfolio) -> None:
    for who, aim in (
        ("learner", scenario.cys_aim), ("learner", scenario.foreign_aim), ("learner", "Aim_999"),
        ("learner", scenario.ada), ("learner", "x"), ("assessor", scenario.other_aim), ("colleague", scenario.aim),
    ):  # fmt: skip
        assert await rejected(submitted(scenario, who, aim_id=aim)) == {"input.aimId": UserErrorCode.NOT_FOUND}


@pytest.mark.parametrize("who", ["iqa", "basic", "master"])
async def test_roles_that_cannot_submit(scenario: EmptyPortfolio, who: str) -> None:
    assert await rejected(submitted(scenario, who)) == {None: UserErrorCode.NOT_ALLOWED}


async def test_a_wrong_password_signs_nothing_and_is_audited(scenario: EmptyPortfolio) -> None:
    assert await rejected(submitted(scenario, password="guess")) == {"input.password": UserErrorCode.WRONG_PASSWORD}
    assert await scenario.rows(Evidence) == []
    assert await scenario.audit_trail() == ["signingRefused"]


async def test_evidence_is_submitted_only_for_an_action_that_accepts_it(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        factory, by = Factory(session), scenario.user("assessor")
        ada = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        cy = await session.get_one(Learner, ids.decode("Learner", scenario.cy))
        other = await session.get_one(Aim, ids.decode("Aim", scenario.other_aim))
        actions = [
            await factory.action(ada, by, accepts_evidence=True),
            await factory.action(ada, by),
            await factory.action(ada, by, accepts_evidence=True, status=ActionStatus.COMPLETE),
            await factory.action(cy, by, accepts_evidence=True),
            await factory.action(ada, by, other, accepts_evidence=True),
        ]
    good, *others = [ids.encode("Action", action.id) for action in actions]
    codes = [(await rejected(submitted(scenario, action_id=id)))["input.actionId"].value for id in others]
    assert codes == ["INVALID", "CONFLICT", "NOT_FOUND", "INVALID"]
    await submitted(scenario, action_id=good)
    assert [made.action_id for made in await scenario.rows(Evidence)] == [actions[0].id]


async def test_returned_evidence_is_resubmitted_on_the_same_item(scenario: EmptyPortfolio) -> None:
    id = await returned(scenario)
    (mail,) = await scenario.mails()
    assert (mail.to_address, mail.kind) == (scenario.user("learner").email, "evidence_returned")
    assert "> Say why" in mail.body
    file_id = await scenario.upload("learner")
    await submission.resubmit(scenario.context("learner"), id=id, file_id=file_id, comment="Now with reasons")
    (made,), versions = await scenario.rows(Evidence), await scenario.rows(EvidenceVersion)
    file = await scenario.file(file_id)
    assert (made.status, made.file_id, made.points_for_improvement) == (EvidenceStatus.RESUBMITTED, file.id, "Say why")
    assert [(version.number, version.comment) for version in versions] == [(1, None), (2, "Now with reasons")]
    assert versions[0].file_id != versions[1].file_id == file.id
    _, mail = await scenario.mails()
    assert (mail.to_address, mail.kind) == (scenario.user("assessor").email, "evidence_resubmitted")
    assert "> Now with reasons" in mail.body
    assert await scenario.audit_trail() == ["evidenceSubmit", "evidenceReturn", "evidenceResubmit"]


async def test_only_the_submitter_resubmits_and_only_returned_evidence(scenario: EmptyPortfolio) -> None:
    id = await submitted(scenario)
    again = {"id": id, "file_id": await scenario.upload("learner"), "comment": "More"}
    assert await rejected(submission.resubmit(scenario.context("learner"), **again)) == {"id": UserErrorCode.CONFLICT}
    await assessment.return_(scenario.context("assessor"), id=id, points_for_improvement="Say why")
    for who in ("manager", "assessor", "overview"):
        assert await rejected(submission.resubmit(scenario.context(who), **again)) == {"id": UserErrorCode.NOT_ALLOWED}
    for who in ("iqa", "master"):
        assert await rejected(submission.resubmit(scenario.context(who), **again)) == {None: UserErrorCode.NOT_ALLOWED}
    for who in ("cy", "zoe", "colleague", "other_assessor"):
        assert await rejected(submission.resubmit(scenario.context(who), **again)) == {"id": UserErrorCode.NOT_FOUND}
    blank = {"id": id, "file_id": "File_999", "comment": ""}
    assert await rejected(submission.resubmit(scenario.context("learner"), **blank)) == {
        "input.fileId": UserErrorCode.NOT_FOUND, "input.comment": UserErrorCode.REQUIRED
    }  # fmt: skip


async def test_one_of_concurrent_resubmissions_is_stored(scenario: EmptyPortfolio) -> None:
    id = await returned(scenario)
    files = [await scenario.upload("learner") for _ in range(4)]
    done = await asyncio.gather(
        *(submission.resubmit(scenario.context("learner"), id=id, file_id=file, comment="More") for file in files),
        return_exceptions=True,
    )
    assert sum(isinstance(one, int) for one in done) == 1
    assert [version.number for version in await scenario.rows(EvidenceVersion)] == [1, 2]
    assert [(await scenario.file(file)).learner_id is not None for file in files].count(True) == 1


async def test_evidence_is_signed_once_per_role_and_version(scenario: EmptyPortfolio) -> None:
    id = await submitted(scenario)
    for who in ("assessor", "iqa", "manager", "overview"):
        await submission.sign(scenario.context(who), id=id, password=PASSWORD)
    before = await scenario.rows(EvidenceSignature)
    assert [row.role for row in before] == [
        Role.LEARNER, Role.ASSESSOR, Role.IQA, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW
    ]  # fmt: skip
    assert before[1].statement == evidence_statement("Brakes bled", own_work=False)
    lines = await scenario.audit_trail()
    await submission.sign(scenario.context("manager"), id=id, password=PASSWORD)
    assert [(row.id, row.signed_at) for row in await scenario.rows(EvidenceSignature)] == [
        (row.id, row.signed_at) for row in before
    ]
    assert await scenario.audit_trail() == lines
    doing = submission.sign(scenario.context("second"), id=id, password=PASSWORD)
    assert await rejected(doing) == {"id": UserErrorCode.CONFLICT}


async def test_a_new_version_needs_new_signatures(scenario: EmptyPortfolio) -> None:
    id = await returned(scenario)
    await submission.sign(scenario.context("manager"), id=id, password=PASSWORD)
    file_id = await scenario.upload("learner")
    await submission.resubmit(scenario.context("learner"), id=id, file_id=file_id, comment="More")
    await submission.sign(scenario.context("manager"), id=id, password=PASSWORD)
    signatures = [row for row in await scenario.rows(EvidenceSignature) if row.role is Role.EMPLOYER_MANAGER]
    assert [row.version_number for row in signatures] == [1, 2]
    assert signatures[1].file_sha256 == (await scenario.file(file_id)).sha256 != signatures[0].file_sha256


async def test_roles_that_cannot_sign_evidence(scenario: EmptyPortfolio) -> None:
    id = await submitted(scenario)
    for who in ("basic", "master"):
        doing = submission.sign(scenario.context(who), id=id, password=PASSWORD)
        assert await rejected(doing) == {None: UserErrorCode.NOT_ALLOWED}
    for who in ("cy", "zoe", "colleague", "other_assessor"):
        assert await rejected(submission.sign(scenario.context(who), id=id, password=PASSWORD)) == {
            "id": UserErrorCode.NOT_FOUND
        }
    doing = submission.sign(scenario.context("iqa"), id=id, password="guess")
    assert await rejected(doing) == {"password": UserErrorCode.WRONG_PASSWORD}
    assert len(await scenario.rows(EvidenceSignature)) == 1


async def test_archived_users_get_no_mail(scenario: EmptyPortfolio) -> None:
    id = await submitted(scenario)
    async with scenario.database.writing() as session:
        (await session.get_one(User, scenario.user("learner").id)).archived_at = Factory(session).now
    await assessment.return_(scenario.context("assessor"), id=id, points_for_improvement="Say why")
    assert await scenario.mails() == []
