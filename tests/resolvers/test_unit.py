"""Units are signed once per role, and only when every criterion is signed off."""

import asyncio

from db.models.unit_signature import UnitSignature
from domain import confirmation_statements as signing
from domain import global_id as ids
from domain.enums import Role, UserErrorCode
from resolvers import unit
from tests.resolvers.evidence.test_assessment import assess
from tests.resolvers.evidence.test_submission import submitted
from tests.support.scenarios.base import PASSWORD, rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


async def complete(scenario: EmptyPortfolio) -> str:
    """Returns the id of the first unit, with every criterion signed off."""
    id, (first, second, _) = await submitted(scenario), scenario.criteria
    await assess(scenario, id, (first, True), (second, True))
    return scenario.units[0]


async def test_each_role_signs_once_and_the_statement_is_kept(scenario: EmptyPortfolio) -> None:
    id = await complete(scenario)
    for who in ("assessor", "learner", "iqa", "manager", "overview", "assessor", "learner"):
        assert await unit.sign(scenario.context(who), id=id, password=PASSWORD) == ids.decode_pair("Unit", id)
    signatures = await scenario.rows(UnitSignature)
    assert [row.role for row in signatures] == [
        Role.ASSESSOR, Role.LEARNER, Role.IQA, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW
    ]  # fmt: skip
    keys = [ids.decode_pair("Criterion", one)[1] for one in scenario.criteria[:2]]
    statement = signing.unit_statement("1", "Unit 1", "Cycle mechanic", "Learner")
    assert {row.statement for row in signatures} == {statement}
    assert {row.content_sha256 for row in signatures} == {
        signing.unit_sha256(statement, [(key, 1, True) for key in keys])
    }
    assert (await scenario.audit_trail()).count("unitSign") == 5


async def test_an_incomplete_unit_cannot_be_signed(scenario: EmptyPortfolio) -> None:
    id, (first, *_) = await submitted(scenario), scenario.criteria
    await assess(scenario, id, (first, True))
    doing = unit.sign(scenario.context("assessor"), id=scenario.units[0], password=PASSWORD)
    assert await rejected(doing) == {"id": UserErrorCode.INVALID}
    assert await scenario.rows(UnitSignature) == []


async def test_one_of_two_concurrent_managers_signs(scenario: EmptyPortfolio) -> None:
    id = await complete(scenario)
    done = await asyncio.gather(
        *(unit.sign(scenario.context(who), id=id, password=PASSWORD) for who in ("manager", "second") * 3),
        return_exceptions=True,
    )
    (signature,) = await scenario.rows(UnitSignature)
    # The signer gets the same result each time; the other manager gets the signer's name.
    assert sum(isinstance(one, tuple) for one in done) == 3
    loser = "manager" if signature.signed_by_id == scenario.user("second").id else "second"
    doing = unit.sign(scenario.context(loser), id=id, password=PASSWORD)
    assert await rejected(doing) == {"id": UserErrorCode.CONFLICT}


async def test_roles_that_cannot_sign(scenario: EmptyPortfolio) -> None:
    id = await complete(scenario)
    for who in ("basic", "master"):
        assert await rejected(unit.sign(scenario.context(who), id=id, password=PASSWORD)) == {
            None: UserErrorCode.NOT_ALLOWED
        }
    for who in ("cy", "zoe", "colleague", "other_assessor", "foreign_assessor"):
        assert await rejected(unit.sign(scenario.context(who), id=id, password=PASSWORD)) == {
            "id": UserErrorCode.NOT_FOUND
        }
    for unknown in ("Unit_1.999", "Unit_999.1", scenario.criteria[0], scenario.aim, "x"):
        doing = unit.sign(scenario.context("assessor"), id=unknown, password=PASSWORD)
        assert await rejected(doing) == {"id": UserErrorCode.NOT_FOUND}
    doing = unit.sign(scenario.context("assessor"), id=id, password="guess")
    assert await rejected(doing) == {"password": UserErrorCode.WRONG_PASSWORD}
    assert await scenario.rows(UnitSignature) == []
