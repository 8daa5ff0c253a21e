"""Employers: created and moved, one name a parent, no circles, and who may."""

import asyncio

import pytest

from db.models.employer import Employer
from domain import global_id as ids
from domain.enums import UserErrorCode
from domain.errors import DomainError
from loaders.employer import EmployerLoader
from resolvers import employer
from tests.support.mutation_documents import ask, done, faults
from tests.support.scenarios import Stage, refused
from tests.support.factories import Factory


async def create(stage: Stage, name: str, parent: str | None = None) -> str:
    return (await done(stage, "basic", "employerCreate", input={"name": name, "parentId": parent}))["id"]


async def test_a_head_office_and_its_sites(stage: Stage) -> None:
    head = await done(stage, "assessor", "employerCreate", input={"name": "  Wheels  &  Co "})
    assert (head["name"], head["parent"], head["sites"]) == ("Wheels & Co", None, [])
    site = await done(stage, "master", "employerCreate", input={"name": "North", "parentId": head["id"]})
    assert site["parent"] == {"id": head["id"]}
    renamed = await done(stage, "assessor", "employerUpdate", id=head["id"], input={"name": "Wheels"})
    assert (renamed["name"], renamed["sites"]) == ("Wheels", [{"name": "North"}])
    # Without a parent in the input a site stays where it is, with null it becomes a head office.
    assert (await done(stage, "basic", "employerUpdate", id=site["id"], input={"name": "North"}))["parent"] is not None
    moved = await done(stage, "basic", "employerUpdate", id=site["id"], input={"name": "North", "parentId": None})
    assert moved["parent"] is None
    # The update in between changed nothing.
    assert await stage.trail() == ["employerCreate", "employerCreate", "employerUpdate", "employerUpdate"]


@pytest.mark.parametrize("who", ["learner", "iqa", "manager", "overview"])
async def test_nobody_else_writes_employers(stage: Stage, who: str) -> None:
    assert await faults(stage, who, "employerCreate", input={"name": "New"}) == {None: "NOT_ALLOWED"}
    (garage,) = await stage.rows(Employer)
    sees_it = who != "iqa" or await stage.at(who).loaders[EmployerLoader].load(garage.id) is not None
    answer = await faults(stage, who, "employerUpdate", id=ids.encode("Employer", garage.id), input={"name": "New"})
    assert answer == ({None: "NOT_ALLOWED"} if sees_it else {"id": "NOT_FOUND"})


async def test_one_name_a_parent(stage: Stage) -> None:
    head = await create(stage, "Wheels")
    north = await create(stage, "North", head)
    assert await faults(stage, "basic", "employerCreate", input={"name": "GARAGE"}) == {"input.name": "CONFLICT"}
    asked = {"name": "nörth", "parentId": head}
    assert await faults(stage, "basic", "employerCreate", input=asked) == {"input.name": "CONFLICT"}
    # Under another parent it is another.
    garage = ids.encode("Employer", (await stage.rows(Employer))[0].id)
    await create(stage, "North", garage)
    asked = {"name": "North", "parentId": garage}
    assert await faults(stage, "basic", "employerUpdate", id=north, input=asked) == {"input.name": "CONFLICT"}
    # Its own name is no other's.
    await done(stage, "basic", "employerUpdate", id=north, input={"name": "NORTH"})


async def test_one_of_many_at_once_makes_it(stage: Stage) -> None:
    made = await asyncio.gather(
        *(employer.create(stage.at("basic"), name="Wheels") for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(one, int) for one in made) == 1
    assert {fault.code for one in made if isinstance(one, DomainError) for fault in one.errors} == {
        UserErrorCode.CONFLICT
    }


async def test_no_employer_stands_below_itself(stage: Stage) -> None:
    top = await create(stage, "1")
    middle = await create(stage, "2", top)
    low = await create(stage, "3", middle)
    for parent in (top, middle, low):
        asked = {"name": "1", "parentId": parent}
        assert await faults(stage, "basic", "employerUpdate", id=top, input=asked) == {"input.parentId": "INVALID"}
    # Two who would make a circle together: one of them comes second.
    other = await create(stage, "other")
    one = employer.update(stage.at("basic"), id=top, name="1", parent_id=other)
    two = employer.update(stage.at("master"), id=other, name="other", parent_id=top)
    results = await asyncio.gather(one, two, return_exceptions=True)
    assert sum(isinstance(result, DomainError) for result in results) == 1


async def test_five_levels_are_the_most(stage: Stage) -> None:
    chain = [await create(stage, "1")]
    for level in range(2, 6):
        chain.append(await create(stage, str(level), chain[-1]))
    asked = {"name": "6", "parentId": chain[-1]}
    assert await faults(stage, "basic", "employerCreate", input=asked) == {"input.parentId": "INVALID"}
    head = await create(stage, "head")
    await create(stage, "site", head)
    asked = {"name": "head", "parentId": chain[3]}
    assert await faults(stage, "basic", "employerUpdate", id=head, input=asked) == {"input.parentId": "INVALID"}
    await done(stage, "basic", "employerUpdate", id=head, input={"name": "head", "parentId": chain[2]})


async def test_what_is_not_there_and_what_is_elsewhere_are_alike(stage: Stage) -> None:
    async with stage.database.writing() as session:
        factory = Factory(session)
        foreign = await factory.employer(await factory.provider("Third"), "Foreign")
    foreign_id = ids.encode("Employer", foreign.id)
    for id in (foreign_id, "Employer_999999", stage.ada):
        asked = {"name": " ", "parentId": id}
        assert await faults(stage, "master", "employerCreate", input=asked) == {
            "input.name": "REQUIRED", "input.parentId": "NOT_FOUND",
        }  # fmt: skip
    foreign_answer = await ask(stage, "master", "employerUpdate", id=foreign_id, input={"name": "x"})
    assert foreign_answer == await ask(stage, "master", "employerUpdate", id="Employer_999999", input={"name": "x"})
    doing = employer.update(stage.at("basic"), id=foreign_id, name="x")
    assert await refused(doing) == {"id": UserErrorCode.NOT_FOUND}
