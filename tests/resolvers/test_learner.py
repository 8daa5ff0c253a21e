"""Learners are enrolled with an invitation, are visible to the right users, and their records are changed."""

import asyncio

import pytest

from db.models.employer import Employer
from db.models.file import File
from db.models.learner import Learner
from db.models.user import RoleGrant, User
from domain import global_id as ids
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from domain.uln import is_uln
from loaders.core.paged_list import read_page
from loaders.core.pagination import PageArguments
from loaders.learner import LEARNERS, LearnerLoader
from resolvers import learner
from resolvers.authentication import password
from resolvers.core.context import Context
from tests.resolvers.user.test_account import CHOSEN, link_token
from tests.support.factories import Factory
from tests.support.scenarios.base import rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

ULN = "1000000019"


async def bea(scenario: EmptyPortfolio, **more: str) -> dict[str, str]:
    (garage,) = await scenario.rows(Employer)
    return {"name": "Bea", "email": "Bea@Example.org", "employerId": ids.encode("Employer", garage.id), **more}


def test_the_last_digit_of_a_uln_is_a_check_digit() -> None:
    # 1 * 10 + 1 * 2 = 12, and 12 % 11 = 1, so the check digit is 9.
    assert is_uln("1000000019")
    for wrong in ("1000000018", "0000000011", "100000001", "10000000190", "100000001x", "١٠٠٠٠٠٠٠١٩", ""):
        assert not is_uln(wrong)
    # Nine digits with remainder 0 have no check digit: 6 * 10 + 3 * 2 = 66.
    assert not any(is_uln(f"600000003{digit}") for digit in range(10))


async def test_a_learner_is_enrolled_and_invited(scenario: EmptyPortfolio) -> None:
    enrolled = await scenario.client("basic").mutate("learnerEnrol", input=await bea(scenario, uln=ULN))
    assert (enrolled["name"], enrolled["uln"], enrolled["aims"]) == ("Bea", ULN, [])
    row = await scenario.one(Learner, ids.decode("Learner", enrolled["id"]))
    (grant,) = await scenario.rows(RoleGrant, RoleGrant.user_id == row.user_id)
    assert (grant.role, row.enrolled_by_id) == (Role.LEARNER, scenario.user("basic").id)
    (mail,) = await scenario.mails()
    assert mail.to_address == "Bea@Example.org" and "bea@example.org" in mail.body
    there = Context(scenario.services)
    await password.reset(there, token=link_token(mail.body), new_password=CHOSEN)
    assert (there.viewer_or_raise().role, there.viewer_or_raise().learner_key) == (Role.LEARNER, row.id)
    assert await scenario.audit_trail() == ["learnerEnrol", "passwordReset"]


@pytest.mark.parametrize("who", ["learner", "iqa", "manager", "overview"])
async def test_other_roles_cannot_enrol(scenario: EmptyPortfolio, who: str) -> None:
    assert await scenario.client(who).user_errors("learnerEnrol", input=await bea(scenario)) == {None: "NOT_ALLOWED"}


async def test_all_errors_of_an_enrolment_are_reported_together(scenario: EmptyPortfolio) -> None:
    before = await scenario.row_counts()
    asked = {"name": "", "email": "bea", "uln": "1234567890", "employerId": "Employer_999999"}
    assert await scenario.client("assessor").user_errors("learnerEnrol", input=asked) == {
        "input.name": "REQUIRED", "input.email": "INVALID", "input.uln": "INVALID", "input.employerId": "NOT_FOUND",
    }  # fmt: skip
    async with scenario.database.writing() as session:
        (await session.get_one(Learner, ids.decode("Learner", scenario.cy))).uln = ULN
        (await session.get_one(User, scenario.user("master").id)).username = "bea@example.org"
    # A learner out of scope has the number, a user of the provider has the e-mail.
    taken = await bea(scenario, uln=f" {ULN[:5]} {ULN[5:]}")
    assert await scenario.client("assessor").user_errors("learnerEnrol", input=taken) == {
        "input.email": "CONFLICT",
        "input.uln": "CONFLICT",
    }
    assert await scenario.row_counts() == before


async def test_another_provider_can_have_the_same_uln(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        (await session.get_one(Learner, ids.decode("Learner", scenario.zoe))).uln = ULN
    await scenario.client("assessor").mutate("learnerEnrol", input=await bea(scenario, uln=ULN))


async def test_concurrent_enrolments_create_one_learner(scenario: EmptyPortfolio) -> None:
    (garage,) = await scenario.rows(Employer)
    asked = {"name": "Bea", "employer_id": ids.encode("Employer", garage.id), "uln": ULN}
    doing = [learner.enrol(scenario.context("basic"), email=f"bea{place}@x.example", **asked) for place in range(6)]
    made = await asyncio.gather(*doing, return_exceptions=True)
    assert sum(isinstance(one, int) for one in made) == 1
    assert all(
        fault.code is UserErrorCode.CONFLICT for one in made if isinstance(one, DomainError) for fault in one.errors
    )
    assert len(await scenario.mails()) == 1


async def sees(scenario: EmptyPortfolio, who: str, id: str) -> bool:
    context = scenario.context(who)
    learner_row = await context.loaders[LearnerLoader].load(ids.decode("Learner", id))
    change = await scenario.client(who).payload("learnerUpdate", id=id, input={})
    assert (learner_row is None) == bool(change["errors"])
    return learner_row is not None


async def test_an_assessor_sees_enrolled_learners_until_the_first_aim(scenario: EmptyPortfolio) -> None:
    enrolled = await scenario.client("assessor").mutate("learnerEnrol", input=await bea(scenario))
    assert enrolled["name"] == "Bea"
    assert await sees(scenario, "assessor", enrolled["id"])
    assert not await sees(scenario, "other_assessor", enrolled["id"])
    listed = await read_page(scenario.context("assessor").loaders.reading, LEARNERS, PageArguments(), {}, counted=True)
    assert await listed.count() == 2 and {row.name for row in listed.nodes} == {"Learner", "Bea"}
    async with scenario.database.writing() as session:
        factory = Factory(session)
        row = await session.get_one(Learner, ids.decode("Learner", enrolled["id"]))
        await factory.aim(row, assessor=scenario.user("other_assessor"))
    assert not await sees(scenario, "assessor", enrolled["id"])
    assert await sees(scenario, "other_assessor", enrolled["id"])


async def test_enrolling_gives_no_scope_in_another_role(scenario: EmptyPortfolio) -> None:
    enrolled = await scenario.client("assessor").mutate("learnerEnrol", input=await bea(scenario))
    for role in (Role.IQA, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW):
        scenario.people["assessor"] = (scenario.user("assessor"), role, None)
        assert (
            await scenario.context("assessor").loaders[LearnerLoader].load(ids.decode("Learner", enrolled["id"]))
            is None
        )


async def test_a_record_is_changed_and_omitted_fields_are_not(scenario: EmptyPortfolio) -> None:
    head = await scenario.client("basic").mutate("employerCreate", input={"name": "Wheels"})
    photo = await scenario.upload("assessor", name="ada.png", content_type="image/png")
    changed = await scenario.client("assessor").mutate("learnerUpdate", id=scenario.ada,
        input={"name": " Ada  Young ", "uln": ULN, "employerId": head["id"], "photoFileId": photo},
    )  # fmt: skip
    assert (changed["name"], changed["uln"]) == ("Ada Young", ULN)
    assert (changed["employer"]["id"], changed["photo"]["id"]) == (head["id"], photo)
    assert (await scenario.file(photo)).learner_id == ids.decode("Learner", scenario.ada)
    # The Employer Overview of the old site no longer sees her.
    assert await scenario.context("overview").loaders[LearnerLoader].load(ids.decode("Learner", scenario.ada)) is None
    nothing = {"name": None, "employerId": None, "uln": ULN}
    same = await scenario.client("basic").mutate("learnerUpdate", id=scenario.ada, input=nothing)
    assert [same[name] for name in ("name", "uln", "employer", "photo")] == [
        changed[name] for name in ("name", "uln", "employer", "photo")
    ]
    assert await scenario.audit_trail() == ["employerCreate", "learnerUpdate"]
    gone = await scenario.client("basic").mutate(
        "learnerUpdate", id=scenario.ada, input={"uln": None, "photoFileId": None}
    )
    assert (gone["uln"], gone["photo"]) == (None, None)
    found = await read_page(scenario.context("basic").loaders.reading, LEARNERS, PageArguments(), {"search": "young"})
    assert [row.name for row in found.nodes] == ["Ada Young"]


async def test_a_photo_must_be_the_viewers_own_picture(scenario: EmptyPortfolio) -> None:
    asked = [
        (await scenario.upload("assessor"), "INVALID"),
        (await scenario.upload("basic", name="a.png", content_type="image/png"), "NOT_FOUND"),
        ("File_999999", "NOT_FOUND"),
    ]
    for photo, code in asked:
        wrong = {"name": " ", "photoFileId": photo}
        answer = await scenario.client("assessor").user_errors("learnerUpdate", id=scenario.ada, input=wrong)
        assert answer == {"input.name": "REQUIRED", "input.photoFileId": code}
    assert [file.learner_id for file in await scenario.rows(File)] == [None, None]


async def test_roles_that_can_change_a_record(scenario: EmptyPortfolio) -> None:
    for who in ("learner", "iqa", "manager", "overview"):
        assert await scenario.client(who).user_errors("learnerUpdate", id=scenario.ada, input={"name": "x"}) == {
            None: "NOT_ALLOWED"
        }
    for id in (scenario.cy, scenario.zoe, "Learner_999999"):
        assert await scenario.client("assessor").user_errors("learnerUpdate", id=id, input={"name": "x"}) == {
            "id": "NOT_FOUND"
        }
    async with scenario.database.writing() as session:
        (await session.get_one(Learner, ids.decode("Learner", scenario.cy))).uln = ULN
    doing = learner.update(scenario.context("assessor"), id=scenario.ada, uln=ULN)
    assert await rejected(doing) == {"input.uln": UserErrorCode.CONFLICT}
