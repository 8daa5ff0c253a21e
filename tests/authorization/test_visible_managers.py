"""Which Employer Managers an Assessor sees: those whom they could allocate, and no other."""

from db.models.employer import Employer
from db.models.provider import Provider
from domain.enums import Role
from tests.support.factories import Factory
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

USERS = "{ users(first: 100, role: EMPLOYER_MANAGER) { nodes { name } } }"


async def seen(scenario: EmptyPortfolio, who: str) -> set[str]:
    found = await scenario.client(who).data(USERS)
    return {user["name"] for user in found["users"]["nodes"]}


async def test_an_assessor_sees_those_of_their_sites_and_those_of_nobody(empty_portfolio: EmptyPortfolio) -> None:
    scenario = empty_portfolio
    async with scenario.database.writing() as session:
        factory = Factory(session)
        other = scenario.user("other_assessor")
        ada, cy = (scenario.people[who][2] for who in ("learner", "cy"))
        assert ada is not None and cy is not None
        provider = await session.get_one(Provider, ada.provider_id)
        site = await session.get_one(Employer, ada.employer_id)
        beside = await factory.learner(provider, "Beside", site)
        for learner in (cy, beside):
            await factory.aim(learner, await factory.qualification(provider, f"Standard {learner.id}"), assessor=other)
        for name, learners in (
            ("Of Nobody", ()), ("Of Cy", (cy,)), ("Beside Ada", (beside,)), ("Of Both", (ada, cy)),
        ):  # fmt: skip
            await factory.allocate(await factory.user(provider, name, Role.EMPLOYER_MANAGER), *learners)
    # Manager and Second manage Ada, Colleague nobody.
    own = {"Manager", "Second", "Of Both"}
    assert await seen(scenario, "assessor") == own | {"Colleague", "Of Nobody", "Beside Ada"}
    # An IQA allocates nobody.
    assert await seen(scenario, "iqa") == own
    assert await seen(scenario, "master") == own | {"Colleague", "Of Nobody", "Beside Ada", "Of Cy"}
    assert await seen(scenario, "foreign_assessor") == set()
