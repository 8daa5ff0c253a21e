"""What the tests of reviews add to the empty portfolio: formal review sessions, and the steps up to a signature."""

from typing import Any

from db.models.aim import Aim
from db.models.learner import Learner
from domain import global_id as ids
from domain.enums import SessionStatus, SessionType
from tests.support.factories import Factory
from tests.support.moments import days_from_now
from tests.support.scenarios.base import PASSWORD, id_of
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

SIGNERS = ("learner", "assessor", "manager")


async def review_session(
    scenario: EmptyPortfolio, days_ago: int = 1, about: tuple[str, ...] = (), **columns: Any
) -> str:
    """Adds an attended formal review of Ada with her assessor, and returns its id. `about`: ids of aims."""
    async with scenario.database.writing() as session:
        ada = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        aims = [await session.get_one(Aim, ids.decode("Aim", id)) for id in about]
        values = {"type": SessionType.FORMAL_REVIEW, "status": SessionStatus.ATTENDED, **columns}
        at = days_from_now(-days_ago)
        return id_of(await Factory(session).session_of(ada, scenario.user("assessor"), at, *aims, **values))


async def started(scenario: EmptyPortfolio, session: str | None = None) -> str:
    """Starts a review, and returns its id."""
    session = session or await review_session(scenario)
    return (await scenario.client("assessor").mutate("reviewStart", sessionId=session))["id"]


async def answered(scenario: EmptyPortfolio, *who: str, days_ago: int = 1) -> str:
    """Starts a review that these people, or the three parties, have answered; returns its id."""
    review = await started(scenario, await review_session(scenario, days_ago))
    for each in who or SIGNERS:
        said = {"progressSinceLast": f"{each} is content.", "nextSteps": "Brakes."}
        await scenario.client(each).mutate("reviewAnswer", id=review, input=said)
    return review


async def issued(scenario: EmptyPortfolio, days_ago: int = 1) -> dict[str, Any]:
    """Returns an issued review."""
    review = await answered(scenario, days_ago=days_ago)
    return await scenario.client("assessor").mutate("reviewIssue", id=review)


async def sign(scenario: EmptyPortfolio, who: str, review: dict[str, Any]) -> dict[str, Any]:
    """Signs a review as it was opened, and returns it."""
    digest = review["document"]["sha256"]
    return await scenario.client(who).mutate("reviewSign", id=review["id"], documentSha256=digest, password=PASSWORD)
