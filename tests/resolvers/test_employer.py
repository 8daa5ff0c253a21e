"""Employers are created and moved: unique names under a parent, no cycles, permissions."""

import asyncio

import pytest

from db.models.employer import Employer
from domain import global_id as ids
from domain.enums import UserErrorCode
from domain.errors import DomainError
from loaders.employer import EmployerLoader
from resolvers import employer
from tests.support.factories import Factory
from tests.support.scenarios.base import rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


async def create(scenario: EmptyPortfolio, name: str, parent: str | None = None) -> str:
    return (await scenario.client("basic").mutate("employerCreate", input={"name": name, "parentId": parent}))["id"]


async def test_a_head_office_and_its_sites(scenario: EmptyPortfolio) -> None:
    head = await scenario.client("assessor").mutate("employerCreate", input={"name": "  Wheels  &  Co "})
    assert (head["name"], head["parent"], head["sites"]) == ("Wheels & Co", None, [])
    site = await scenario.client("master").mutate("employerCreate", input={"name": "North", "parentId": head["id"]})
    assert site["parent"]["id"] == head["id"]
    renamed = await scenario.client("assessor").mutate("employerUpdate", id=head["id"], input={"name": "Wheels"})
    assert (renamed["name"], [one["name"] for one in renamed["sites"]]) == ("Wheels", ["North"])
    # An omitted parent is not changed, null makes the site a head office.
    assert (await scenario.client("basic").mutate("employerUpdate", id=site["id"], input={"name": "North"}))[
        "parent"
    ] is not None
    moved = await scenario.client("basic").mutate(
        "employerUpdate", id=site["id"], input={"name": "North", "parentId": None}
    )
    assert moved["parent"] is None
    # The second update changed nothing.
    assert await scenario.audit_trail() == ["employerCreate", "employerCreate", "employerUpdate", "employerUpdate"]


@pytest.mark.parametrize("who", ["learner", "iqa", "manager", "overview"])
async def test_other_roles_cannot_change_employers(scenario: EmptyPortfolio, who: str) -> None:
    assert await scenario.client(who).user_errors("employerCreate", input={"name": "New"}) == {None: "NOT_ALLOWED"}
    (garage,) = await scenario.rows(Employer)
    sees_it = who != "iqa" or await scenario.context(who).loaders[EmployerLoader].load(garage.id) is not None
    answer = await scenario.client(who).user_errors(
        "employerUpdate", id=ids.encode("Employer", garage.id), input={"name": "New"}
    )
    assert answer == ({None: "NOT_ALLOWED"} if sees_it else {"id": "NOT_FOUND"})


async def test_names_are_unique_under_a_parent(scenario: EmptyPortfolio) -> None:
    head = await create(scenario, "Wheels")
    north = await create(scenario, "North", head)
    assert await scenario.client("basic").user_errors("employerCreate", input={"name": "GARAGE"}) == {
        "input.name": "CONFLICT"
    }
    asked = {"name": "nörth", "parentId": head}
    assert await scenario.client("basic").user_errors("employerCreate", input=asked) == {"input.name": "CONFLICT"}
    # The same name is allowed under another parent.
    garage = ids.encode("Employer", (await scenario.rows(Employer))[0].id)
    await create(scenario, "North", garage)
    asked = {"name": "North", "parentId": garage}
    assert await scenario.client("basic").user_errors("employerUpdate", id=north, input=asked) == {
        "input.name": "CONFLICT"
    }
    # An employer keeps its own name.
    await scenario.client("basic").mutate("employerUpdate", id=north, input={"name": "NORTH"})


async def test_concurrent_requests_create_one_employer(scenario: EmptyPortfolio) -> None:
    made = await asyncio.gather(
        *(employer.create(scenario.context("basic"), name="Wheels") for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(one, int) for one in made) == 1
    assert {fault.code for one in made if isinstance(one, DomainError) for fault in one.errors} == {
        UserErrorCode.CONFLICT
    }


async def test_an_employer_cannot_be_below_itself(scenario: EmptyPortfolio) -> None:
    top = await create(scenario, "1")
    middle = await create(scenario, "2", top)
    low = await create(scenario, "3", middle)
    for parent in (top, middle, low):
        asked = {"name": "1", "parentId": parent}
        assert await scenario.client("basic").user_errors("employerUpdate", id=top, input=asked) == {
            "input.parentId": "INVALID"
        }
    # Of two concurrent moves that would make a cycle together, one is rejected.
    other = await create(scenario, "other")
    one = employer.update(scenario.context("basic"), id=top, name="1", parent_id=other)
    two = employer.update(scenario.context("master"), id=other, name="other", parent_id=top)
    results = await asyncio.gather(one, two, return_exceptions=True)
    assert sum(isinstance(result, DomainError) for result in results) == 1


async def test_employers_have_at_most_five_levels(scenario: EmptyPortfolio) -> None:
    chain = [await create(scenario, "1")]
    for level in range(2, 6):
        chain.append(await create(scenario, str(level), chain[-1]))
    asked = {"name": "6", "parentId": chain[-1]}
    assert await scenario.client("basic").user_errors("employerCreate", input=asked) == {"input.parentId": "INVALID"}
    head = await create(scenario, "head")
    await create(scenario, "site", head)
    asked = {"name": "head", "parentId": chain[3]}
    assert await scenario.client("basic").user_errors("employerUpdate", id=head, input=asked) == {
        "input.parentId": "INVALID"
    }
    await scenario.client("basic").mutate("employerUpdate", id=head, input={"name": "head", "parentId": chain[2]})


async def test_unknown_employers_and_those_of_another_provider_are_not_found(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        factory = Factory(session)
        foreign = await factory.employer(await factory.provider("Third"), "Foreign")
    foreign_id = ids.encode("Employer", foreign.id)
    for id in (foreign_id, "Employer_999999", scenario.ada):
        asked = {"name": " ", "parentId": id}
        assert await scenario.client("master").user_errors("employerCreate", input=asked) == {
            "input.name": "REQUIRED", "input.parentId": "NOT_FOUND",
        }  # fmt: skip
    foreign_answer = await scenario.client("master").payload("employerUpdate", id=foreign_id, input={"name": "x"})
    assert foreign_answer == await scenario.client("master").payload(
        "employerUpdate", id="Employer_999999", input={"name": "x"}
    )
    doing = employer.update(scenario.context("basic"), id=foreign_id, name="x")
    assert await rejected(doing) == {"id": UserErrorCode.NOT_FOUND}
