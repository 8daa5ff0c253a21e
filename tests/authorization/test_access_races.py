"""Access keys and exports when twenty requests come at once, on both databases."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import pytest
from sqlalchemy import update

from auth.access_keys import authenticate_key, digest
from auth.viewer import NotSignedIn
from db.models.access_key import AccessKey
from db.models.bulk_export import BulkExport, ReportSchedule
from domain import clock
from domain.enums import ExportFormat, Interval
from domain.errors import DomainError
from queries.reports import Reports
from resolvers import access_key, bulk_export
from tests.support.factories import Factory
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

RACERS = 20
SECRET = "wmk_of_the_race"


@pytest.fixture
def scenario(empty_portfolio: EmptyPortfolio) -> EmptyPortfolio:
    reports = Reports()
    empty_portfolio.services.saved_queries = reports.names
    empty_portfolio.services.parse_report_variables = reports.parse_json
    return empty_portfolio


async def outcome(doing: Awaitable[Any]) -> str:
    """Returns `done`, or why not."""
    try:
        await doing
    except DomainError as refused:
        return refused.errors[0].code.name
    except NotSignedIn:
        return "NOT_SIGNED_IN"
    return "done"


async def test_a_key_that_was_revoked_is_never_used_again(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        user, role, _ = scenario.people["iqa"]
        # Never used, so that each use notes that it was.
        id = f"AccessKey_{(await Factory(session).access_key(user, role, SECRET)).id}"
    revoked, late = asyncio.Event(), list[str]()

    async def use(number: int) -> None:
        while not revoked.is_set():
            await outcome(authenticate_key(scenario.database, SECRET))
            async with scenario.database.writing() as session:
                await session.execute(update(AccessKey).values(last_used_at=None))
            await asyncio.sleep(number / 2000)
        late.append(await outcome(authenticate_key(scenario.database, SECRET)))

    async def revoke() -> None:
        await asyncio.sleep(0.2)
        assert (await asyncio.gather(*(outcome(one()) for _ in range(RACERS)))) == ["done"] * RACERS
        revoked.set()

    def one() -> Awaitable[Any]:
        return access_key.revoke(scenario.context("iqa"), id=id)

    await asyncio.gather(revoke(), *(use(number) for number in range(RACERS)))
    assert late == ["NOT_SIGNED_IN"] * RACERS
    (key,) = await scenario.rows(AccessKey, AccessKey.secret_sha256 == digest(SECRET))
    assert key.revoked_at is not None
    assert (await scenario.audit_trail()).count("accessKeyRevoke") == 1


async def test_a_user_has_no_more_keys_than_allowed(scenario: EmptyPortfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_key, "MAX_KEYS", 3)
    expires = clock.now() + dt.timedelta(days=9)
    chosen: dict[str, Any] = {"name": "Key", "operations": [], "expires_at": expires, "password": PASSWORD}
    making = (access_key.create(scenario.context("iqa"), **chosen) for _ in range(RACERS))
    assert Counter(await asyncio.gather(*map(outcome, making))) == {"done": 3, "INVALID": RACERS - 3}
    assert len(await scenario.rows(AccessKey)) == 3


async def test_a_user_has_no_more_exports_and_schedules_than_allowed(
    scenario: EmptyPortfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: dict[str, Any] = {"operation": "site_comparison", "format": ExportFormat.CSV}
    starting = (bulk_export.start(scenario.context("iqa"), **chosen) for _ in range(RACERS))
    assert Counter(await asyncio.gather(*map(outcome, starting))) == {"done": 2, "TOO_MANY_ATTEMPTS": RACERS - 2}
    assert len(await scenario.rows(BulkExport)) == 2
    monkeypatch.setattr(bulk_export, "MOST_SCHEDULES", 3)
    chosen["every"] = Interval.WEEK
    scheduling = (bulk_export.schedule(scenario.context("iqa"), **chosen) for _ in range(RACERS))
    assert Counter(await asyncio.gather(*map(outcome, scheduling))) == {"done": 3, "INVALID": RACERS - 3}
    first = (await scenario.rows(ReportSchedule))[0]
    ending = (bulk_export.end(scenario.context("iqa"), id=f"ReportSchedule_{first.id}") for _ in range(RACERS))
    assert Counter(await asyncio.gather(*map(outcome, ending))) == {"done": RACERS}
    assert (await scenario.audit_trail()).count("reportScheduleEnd") == 1
