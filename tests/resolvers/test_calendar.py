"""The private calendar: one's own sessions, until the address is ended."""

import datetime as dt
from pathlib import Path

import httpx2
from icalendar import Calendar
from sqlalchemy import delete, update
from starlette.applications import Starlette

from auth.lasting_links import UNSUBSCRIBE
from db.models.aim import Aim
from db.models.learner import Learner
from db.models.user import RoleGrant
from domain import clock
from domain import global_id as ids
from domain.enums import SessionStatus
from resolvers.calendar import read_calendar
from resolvers.core.task_mail import DIGEST
from tests.resolvers.test_task_email import choose
from tests.support.factories import DAY, Factory
from tests.support.http_server import serving
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio
from transport.pages import calendar_feed


async def entries(scenario: EmptyPortfolio, url: str) -> dict[str, str] | int:
    """Returns the summaries and states in the calendar at an address, or the status of the response without one."""
    app = Starlette(routes=calendar_feed.routes(lambda token: read_calendar(scenario.services, token)))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=scenario.services.base_url) as client:
        answer = await client.get(url)
    if answer.status_code != 200:
        return answer.status_code
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-cache"
    return {str(event["summary"]): str(event["status"]) for event in Calendar.from_ical(answer.text).walk("VEVENT")}


async def give(scenario: EmptyPortfolio, learner: str, to: str) -> None:
    """Makes somebody the assessor of every aim of a learner."""
    async with scenario.database.writing() as session:
        theirs = Aim.learner_id == ids.decode("Learner", learner)
        await session.execute(update(Aim).where(theirs).values(assessor_id=scenario.user(to).id))


async def test_the_calendar_has_ones_own_sessions_until_it_is_ended(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        factory = Factory(session)
        ada, cy = [await session.get_one(Learner, ids.decode("Learner", id)) for id in (scenario.ada, scenario.cy)]
        assessor, other = scenario.user("assessor"), scenario.user("other_assessor")
        await factory.session_of(ada, assessor, clock.now() + DAY, location="Workshop")
        cancelled = {"status": SessionStatus.CANCELLED}
        await factory.session_of(cy, assessor, clock.now() + 2 * DAY, **cancelled)
        await factory.session_of(ada, other, clock.now() - 100 * DAY)
        await factory.session_of(ada, other, clock.now() - dt.timedelta(days=80))
    await give(scenario, scenario.cy, "assessor")
    url = (await choose(scenario, "assessor", calendar=True))["calendarUrl"]
    assert await entries(scenario, url) == {"Session 1 with Learner": "CONFIRMED", "Session 1 with Cy": "CANCELLED"}
    adas = (await choose(scenario, "learner", calendar=True))["calendarUrl"]
    assert await entries(scenario, adas) == {
        "Session 1 with Assessor": "CONFIRMED", "Session 3 with Other Assessor": "CONFIRMED"
    }  # fmt: skip
    # A new address ends the old one, and taking the role away empties it.
    renewed = (await choose(scenario, "assessor", calendar=True))["calendarUrl"]
    assert renewed != url and await entries(scenario, url) == 404
    async with scenario.database.writing() as session:
        await session.execute(delete(RoleGrant).where(RoleGrant.user_id == assessor.id))
    assert await entries(scenario, renewed) == {}
    assert (await choose(scenario, "assessor", calendar=False))["calendarUrl"] is None
    for address in (
        renewed,
        renewed.replace("calendar/", "calendar/1"),
        f"{scenario.services.base_url}/calendar/x.ics",
    ):
        assert await entries(scenario, address) == 404


async def test_a_learner_who_is_handed_over_leaves_the_calendar(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        cy = await session.get_one(Learner, ids.decode("Learner", scenario.cy))
        await Factory(session).session_of(cy, scenario.user("assessor"), clock.now() - DAY)
    url = (await choose(scenario, "assessor", calendar=True))["calendarUrl"]
    await give(scenario, scenario.cy, "assessor")
    assert await entries(scenario, url) == {"Session 1 with Cy": "CONFIRMED"}
    await give(scenario, scenario.cy, "other_assessor")
    assert await entries(scenario, url) == {}


async def test_an_archived_account_has_no_calendar(scenario: EmptyPortfolio) -> None:
    url = (await choose(scenario, "manager", calendar=True))["calendarUrl"]
    assert await entries(scenario, url) == {}
    await scenario.client("master").mutate("userArchive", id=ids.encode("User", scenario.user("manager").id))
    assert await entries(scenario, url) == 404


async def test_a_server_serves_the_calendar_and_the_page_that_ends_e_mails(
    scenario: EmptyPortfolio, tmp_path: Path
) -> None:
    async with serving(scenario.database.url, tmp_path / "data") as running:
        async with running.signed_in(scenario.user("learner").username, PASSWORD) as ada:
            await ada.mutate("notificationSettingsUpdate", input={"calendar": True, "digestHour": 6})
            viewer = (await ada.data("{ viewer { notificationSettings { calendarUrl } } }"))["viewer"]
            url = viewer["notificationSettings"]["calendarUrl"]
            answer = await ada.http.get(url)
            assert (answer.status_code, answer.text[:15]) == (200, "BEGIN:VCALENDAR")
            await ada.mutate("notificationSettingsUpdate", input={"calendar": False})
            assert (await ada.http.get(url)).status_code == 404
            links = running.server.services.lasting_links
            token = links.sign(UNSUBSCRIBE, str(scenario.user("learner").id), DIGEST)
            shown = await ada.http.get("/unsubscribe", params={"token": token})
            assert (shown.status_code, token in shown.text) == (200, True)
            assert (await ada.http.post("/unsubscribe", data={"token": token})).status_code == 200
            viewer = (await ada.data("{ viewer { notificationSettings { digestHour } } }"))["viewer"]
            assert viewer["notificationSettings"]["digestHour"] is None
