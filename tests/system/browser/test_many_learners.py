"""An employer with 300 learners: what is shown after the first answer, and which requests have been sent then."""

import asyncio

import pytest
from playwright.async_api import Route, expect
from sqlalchemy import select

from db.models.learner import Learner
from db.models.user import OverviewAllocation, User
from domain import clock
from tests.support.http_server import RunningServer
from tests.system.browser.conftest import Open
from tests.system.browser.device import Visit

# tests/system/browser/test_offline.py has the service worker, and others.
INSTALLS = False
LEARNERS = "employer_learners"
BEHIND = """{ learners(first: 100, orderBy: POINTS_AHEAD_ASC, filter: { trafficLight: OFF_TRACK }) {
    totalCount nodes { name } } }"""


async def add_learners(running: RunningServer, number: int) -> None:
    """Adds learners without an aim, whose names come before all others, at a site of `employer.overview`."""
    async with running.server.services.database.writing() as session:
        viewer = (await session.scalars(select(User).where(User.username == "employer.overview"))).one()
        of_viewer = select(OverviewAllocation.employer_id).where(OverviewAllocation.user_id == viewer.id)
        site = (await session.scalars(of_viewer)).first()
        owner = {"provider_id": viewer.provider_id, "created_at": clock.now()}
        users = [
            User(
                username=f"aaron.{each}", name=f"Aaron Aardvark {each:03}", email=f"aaron.{each}@harbour.example",
                password_hash="-", **owner,
            )
            for each in range(number)
        ]  # fmt: skip
        session.add_all(users)
        await session.flush()
        session.add_all(Learner(user_id=user.id, employer_id=site, **owner) for user in users)


def further_pages(visit: Visit) -> set[str]:
    """Returns the addresses of the pages after the first that were requested, each once."""
    return {request.url for name, request in visit.sent if name == LEARNERS and "after" in request.url}


@pytest.mark.long
async def test_the_first_answer_is_shown_before_the_others_come(own_running: RunningServer, open_app: Open):
    await add_learners(own_running, 270)
    async with own_running.signed_in("employer.overview") as person:
        everyone = (await person.data("{ learners(first: 1) { totalCount } }"))["learners"]["totalCount"]
        behind = (await person.data(BEHIND))["learners"]
    assert everyone == 300
    visit = await open_app(own_running)
    page, go_on = visit.page, asyncio.Event()

    async def hold(route: Route) -> None:
        """Lets the first page of the list through, and the others once they may go on."""
        if "after" in route.request.url:
            await go_on.wait()
        await route.continue_()

    await page.route(f"**/graphql?documentId={LEARNERS}*", hold)
    await visit.fill_in("employer.overview")
    await expect(page.locator(".tiles strong").first).not_to_have_text("")
    # Who is furthest behind is in the first answer, whatever the names.
    await page.get_by_role("button", name="Show all").click()
    await expect(page.locator(".needs .row", has_text=behind["nodes"][0]["name"]).first).to_be_visible()
    await visit.go("learners", "Learners")
    summary = page.locator(".result")
    await expect(summary).to_contain_text("(from the first 100 of 300 learners)")
    cards = page.locator(".person h2")
    first = await cards.all_inner_texts()
    off_track = {learner["name"] for learner in behind["nodes"]}
    assert len(off_track) > 5 and set(first[: len(off_track)]) == off_track
    # One page has come, the request for the next is on its way, and nothing waited for it.
    assert len(further_pages(visit)) == 1
    go_on.set()
    await expect(summary).to_contain_text("300 learners")
    await expect(summary).not_to_contain_text("from the first")
    assert len(further_pages(visit)) == 2
    # What was shown stays where it was.
    assert (await cards.all_inner_texts())[: len(off_track)] == first[: len(off_track)]
