"""Learners: enrolled with an invitation, seen by whom they should be, and their record changed."""

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
from resolvers import learner, password
from resolvers.core.context import Context
from tests.resolvers.test_user import CHOSEN, link_token
from tests.support.mutation_documents import ask, done, faults
from tests.support.scenarios import Stage, refused
from tests.support.factories import Factory

ULN = "1000000019"


async def bea(stage: Stage, **more: str) -> dict[str, str]:
    (garage,) = await stage.rows(Employer)
    return {"name": "Bea", "email": "Bea@Example.org", "employerId": ids.encode("Employer", garage.id), **more}


def test_the_last_digit_of_a_uln_checks_the_others() -> None:
    # 1 * 10 + 1 * 2 = 12, and 12 leaves 1: the digit is 9.
    assert is_uln("1000000019")
    for wrong in ("1000000018", "0000000011", "100000001", "10000000190", "100000001x", "١٠٠٠٠٠٠٠١٩", ""):
        assert not is_uln(wrong)
    # Nine digits with nothing left over have no check digit at all: 6 * 10 + 3 * 2 = 66.
    assert not any(is_uln(f"600000003{digit}") for digit in range(10))


async def test_a_learner_is_enrolled_and_invited(stage: Stage) -> None:
    enrolled = await done(stage, "basic", "learnerEnrol", input=await bea(stage, uln=ULN))
    assert (enrolled["name"], enrolled["uln"], enrolled["aims"]) == ("Bea", ULN, [])
    row = await stage.one(Learner, ids.decode("Learner", enrolled["id"]))
    (grant,) = await stage.rows(RoleGrant, RoleGrant.user_id == row.user_id)
    assert (grant.role, row.enrolled_by_id) == (Role.LEARNER, stage.user("basic").id)
    (mail,) = await stage.mails()
    assert mail.to_address == "Bea@Example.org" and "bea@example.org" in mail.body
    there = Context(stage.services)
    await password.reset(there, token=link_token(mail.body), new_password=CHOSEN)
    assert (there.viewer_or_raise().role, there.viewer_or_raise().learner_key) == (Role.LEARNER, row.id)
    assert await stage.trail() == ["learnerEnrol", "passwordReset"]


@pytest.mark.parametrize("who", ["learner", "iqa", "manager", "overview"])
async def test_nobody_else_enrols(stage: Stage, who: str) -> None:
    assert await faults(stage, who, "learnerEnrol", input=await bea(stage)) == {None: "NOT_ALLOWED"}


async def test_all_faults_of_an_enrolment_are_told_together(stage: Stage) -> None:
    before = await stage.state()
    asked = {"name": "", "email": "bea", "uln": "1234567890", "employerId": "Employer_999999"}
    assert await faults(stage, "assessor", "learnerEnrol", input=asked) == {
        "input.name": "REQUIRED", "input.email": "INVALID", "input.uln": "INVALID", "input.employerId": "NOT_FOUND",
    }  # fmt: skip
    async with stage.database.writing() as session:
        (await session.get_one(Learner, ids.decode("Learner", stage.cy))).uln = ULN
        (await session.get_one(User, stage.user("zoe").id)).username = "bea@example.org"
    # One whom the assessor does not see has the number, somebody at another provider the e-mail.
    assert await faults(stage, "assessor", "learnerEnrol", input=await bea(stage, uln=f" {ULN[:5]} {ULN[5:]}")) == {
        "input.email": "CONFLICT", "input.uln": "CONFLICT",
    }  # fmt: skip
    assert await stage.state() == before


async def test_another_provider_may_have_the_same_uln(stage: Stage) -> None:
    async with stage.database.writing() as session:
        (await session.get_one(Learner, ids.decode("Learner", stage.zoe))).uln = ULN
    await done(stage, "assessor", "learnerEnrol", input=await bea(stage, uln=ULN))


async def test_one_learner_comes_of_many_enrolments_at_once(stage: Stage) -> None:
    (garage,) = await stage.rows(Employer)
    asked = {"name": "Bea", "employer_id": ids.encode("Employer", garage.id), "uln": ULN}
    doing = [learner.enrol(stage.at("basic"), email=f"bea{place}@x.example", **asked) for place in range(6)]
    made = await asyncio.gather(*doing, return_exceptions=True)
    assert sum(isinstance(one, int) for one in made) == 1
    assert all(
        fault.code is UserErrorCode.CONFLICT for one in made if isinstance(one, DomainError) for fault in one.errors
    )
    assert len(await stage.mails()) == 1


async def sees(stage: Stage, who: str, id: str) -> bool:
    context = stage.at(who)
    learner_row = await context.loaders[LearnerLoader].load(ids.decode("Learner", id))
    change = await ask(stage, who, "learnerUpdate", id=id, input={})
    assert (learner_row is None) == bool(change["errors"])
    return learner_row is not None


async def test_an_assessor_sees_whom_they_enrolled_until_there_is_an_aim(stage: Stage) -> None:
    enrolled = await done(stage, "assessor", "learnerEnrol", input=await bea(stage))
    assert enrolled["name"] == "Bea"
    assert await sees(stage, "assessor", enrolled["id"])
    assert not await sees(stage, "other_assessor", enrolled["id"])
    listed = await read_page(stage.at("assessor").loaders.reading, LEARNERS, PageArguments(), {}, counted=True)
    assert await listed.count() == 2 and {row.name for row in listed.nodes} == {"Learner", "Bea"}
    async with stage.database.writing() as session:
        factory = Factory(session)
        row = await session.get_one(Learner, ids.decode("Learner", enrolled["id"]))
        await factory.aim(row, assessor=stage.user("other_assessor"))
    assert not await sees(stage, "assessor", enrolled["id"])
    assert await sees(stage, "other_assessor", enrolled["id"])


async def test_who_enrolled_sees_no_more_in_another_role(stage: Stage) -> None:
    enrolled = await done(stage, "assessor", "learnerEnrol", input=await bea(stage))
    for role in (Role.IQA, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW):
        stage.people["assessor"] = (stage.user("assessor"), role, None)
        assert await stage.at("assessor").loaders[LearnerLoader].load(ids.decode("Learner", enrolled["id"])) is None


async def test_a_record_is_changed_and_what_is_left_out_stays(stage: Stage) -> None:
    head = await done(stage, "basic", "employerCreate", input={"name": "Wheels"})
    photo = await stage.upload("assessor", name="ada.png", content_type="image/png")
    changed = await done(
        stage, "assessor", "learnerUpdate", id=stage.ada,
        input={"name": " Ada  Young ", "uln": ULN, "employerId": head["id"], "photoFileId": photo},
    )  # fmt: skip
    expected = {"name": "Ada Young", "uln": ULN, "employer": {"id": head["id"]}, "photo": {"id": photo}}
    assert expected.items() <= changed.items()
    assert (await stage.file(photo)).learner_id == ids.decode("Learner", stage.ada)
    # The site's Employer Overview loses sight of her at once.
    assert await stage.at("overview").loaders[LearnerLoader].load(ids.decode("Learner", stage.ada)) is None
    nothing = {"name": None, "employerId": None, "uln": ULN}
    same = await done(stage, "basic", "learnerUpdate", id=stage.ada, input=nothing)
    assert expected.items() <= same.items()
    assert await stage.trail() == ["employerCreate", "learnerUpdate"]
    gone = await done(stage, "basic", "learnerUpdate", id=stage.ada, input={"uln": None, "photoFileId": None})
    assert (gone["uln"], gone["photo"]) == (None, None)
    found = await read_page(stage.at("basic").loaders.reading, LEARNERS, PageArguments(), {"search": "young"})
    assert [row.name for row in found.nodes] == ["Ada Young"]


async def test_a_photo_is_the_viewers_own_picture(stage: Stage) -> None:
    asked = [
        (await stage.upload("assessor"), "INVALID"),
        (await stage.upload("basic", name="a.png", content_type="image/png"), "NOT_FOUND"),
        ("File_999999", "NOT_FOUND"),
    ]
    for photo, code in asked:
        wrong = {"name": " ", "photoFileId": photo}
        answer = await faults(stage, "assessor", "learnerUpdate", id=stage.ada, input=wrong)
        assert answer == {"input.name": "REQUIRED", "input.photoFileId": code}
    assert [file.learner_id for file in await stage.rows(File)] == [None, None]


async def test_who_may_change_a_record(stage: Stage) -> None:
    for who in ("learner", "iqa", "manager", "overview"):
        assert await faults(stage, who, "learnerUpdate", id=stage.ada, input={"name": "x"}) == {None: "NOT_ALLOWED"}
    for id in (stage.cy, stage.zoe, "Learner_999999"):
        assert await faults(stage, "assessor", "learnerUpdate", id=id, input={"name": "x"}) == {"id": "NOT_FOUND"}
    async with stage.database.writing() as session:
        (await session.get_one(Learner, ids.decode("Learner", stage.cy))).uln = ULN
    doing = learner.update(stage.at("assessor"), id=stage.ada, uln=ULN)
    assert await refused(doing) == {"input.uln": UserErrorCode.CONFLICT}
