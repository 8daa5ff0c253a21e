"""The numbers on the employer app's screens are the graph's, whichever filter stands."""

import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest
from playwright.async_api import Route, expect

from queries.operations import get_operation
from tests.support.http_server import Person, Running
from tests.system.browser.conftest import Open

WORDS = {"OFF_TRACK": "Off track", "ON_TRACK": "On track", "AHEAD": "Ahead", "NOT_RATED": "Not rated"}
CRITERIA = {"NOT_STARTED": "Not started", "IN_PROGRESS": "Evidence mapped", "SIGNED_OFF": "Signed off"}
LEARNERS = """query($filter: LearnerFilter, $after: String) { learners(first: 100, after: $after, filter: $filter) {
    pageInfo { hasNextPage endCursor }
    nodes { id name employer { id name } nextSession { startsAt } overdueActionCount aims { id title trafficLight status
        progress { durationPercent pastPlannedEnd mappedPercent signedOffPercent } } } } }"""


def percent(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") + "%"


async def learners(person: Person, **filters) -> list[dict]:
    found = (await person.data(LEARNERS, filter=filters))["learners"]
    assert not found["pageInfo"]["hasNextPage"]
    return found["nodes"]


@pytest.mark.parametrize("username", ["employer.manager", "employer.overview"])
async def test_at_a_glance(running: Running, open_app: Open, username: str):
    visit = await open_app(running, username)
    async with running.person(username) as person:
        answer = await person.client.post("/graphql", json={"documentId": "employer_home"})
        viewer = answer.json()["data"]["viewer"]
    kpis = viewer["kpis"]
    waits = viewer["awaitingSignatureCount"]
    tiles = [kpis["learnerCount"], waits, kpis["overdueActionCount"], kpis["sessionsNext7Days"]]
    assert [int(text) for text in await visit.texts(".tile strong")] == tiles
    lights = [(text, kpis[f"{name}Count"]) for name, text in (
        ("offTrack", "Off track"), ("onTrack", "On track"), ("ahead", "Ahead"), ("notRated", "Not rated")
    )]  # fmt: skip
    assert [(row[0], int(row[1])) for row in zip(
        await visit.texts(".lights .word"), await visit.texts(".lights strong"), strict=True
    )] == lights  # fmt: skip
    progress = kpis["progress"]
    bars = [percent(progress[name]) for name in ("durationPercent", "mappedPercent", "signedOffPercent")]
    assert await visit.texts(".bars .amount") == bars
    waiting = await visit.page.locator(".badge").all_inner_texts()
    assert waiting == ([str(waits)] if waits else [])
    await expect(visit.page.locator(".late-link")).to_have_text(
        f"{kpis['pastPlannedEndCount']} aim{'' if kpis['pastPlannedEndCount'] == 1 else 's'} past planned end"
    )


async def test_every_learner_with_lights_bars_and_next_visit(running: Running, open_app: Open):
    visit = await open_app(running, "employer.overview")
    await visit.go("learners", "Learners")
    async with running.person("employer.overview") as person:
        expected = await learners(person)
    assert await visit.texts(".person h2") == [learner["name"] for learner in expected]
    for place, learner in enumerate(expected):
        card = visit.page.locator(".person").nth(place)
        assert await card.locator(".pill").all_inner_texts() == [WORDS[aim["trafficLight"]] for aim in learner["aims"]]
        shown = await card.locator(".amount").all_inner_texts()
        names = ("durationPercent", "mappedPercent", "signedOffPercent")
        assert shown == [percent(aim["progress"][name]) for aim in learner["aims"] for name in names]
        # Red once past the planned end, and said so in words.
        first = await card.locator(".bars > div:first-child dt").all_inner_texts()
        late = [aim["progress"]["pastPlannedEnd"] for aim in learner["aims"]]
        assert first == ["Past end" if each else "Duration" for each in late]
        colours = await card.locator(".bars > div:first-child .track").evaluate_all("all => all.map(e => e.className)")
        assert colours == [f"track {'red' if each else 'blue'}" for each in late]
        visit_at = card.locator("time")
        assert await visit_at.count() == (1 if learner["nextSession"] else 0)
        if learner["nextSession"]:
            assert await visit_at.get_attribute("datetime") == learner["nextSession"]["startsAt"]


async def test_a_list_of_many_pages_is_whole_and_one_that_is_too_long_says_so(running: Running, open_app: Open):
    visit = await open_app(running)
    small = {"first": 4}

    async def in_small_pages(route: Route) -> None:
        address = urlsplit(route.request.url)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        asked["variables"] = json.dumps({**json.loads(asked["variables"]), **small})
        await route.continue_(url=urlunsplit(address._replace(query=urlencode(asked))))

    await visit.page.route("**/graphql?documentId=employer_learners*", in_small_pages)
    await visit.sign_in("employer.overview")
    await visit.go("learners", "Learners")
    async with running.person("employer.overview") as person:
        everyone = [one["name"] for one in await learners(person)]
    assert await visit.texts(".person h2") == everyone
    # At one learner a page the list is longer than what an app on a phone goes through.
    small["first"] = 1
    await visit.page.get_by_role("button", name="Refresh").click()
    said = f"(the first 20 of {len(everyone)} were looked through)"
    await expect(visit.page.locator(".result")).to_contain_text(said)
    assert await visit.texts(".person h2") == everyone[:20]


async def test_filters_by_light_site_and_name(running: Running, open_app: Open):
    visit = await open_app(running, "employer.overview")
    page = visit.page
    async with running.person("employer.overview") as person:
        everyone = await learners(person)
        lights = {light: [one["name"] for one in await learners(person, aimTrafficLight=light)] for light in WORDS}
        site = everyone[0]["employer"]
        at_site = [one["name"] for one in await learners(person, employerId=site["id"])]
        both = [one["name"] for one in await learners(person, employerId=site["id"], aimTrafficLight="OFF_TRACK")]
        found = [one["name"] for one in await learners(person, search="ma")]
    # From the first screen, a light leads to those whom it counts.
    await page.get_by_role("link", name="Off track").click()
    await expect(visit.heading("Learners")).to_be_visible()
    assert await visit.texts(".person h2") == lights["OFF_TRACK"]
    counted = [aim for one in everyone for aim in one["aims"] if aim["status"] != "WITHDRAWN"]
    aims = sum(aim["trafficLight"] == "OFF_TRACK" for aim in counted)
    await expect(page.locator(".result")).to_have_text(f"{len(lights['OFF_TRACK'])} learners, {aims} aims off track")
    for light in ("ON_TRACK", "AHEAD"):
        await page.get_by_role("radio", name=re.compile(f"^{WORDS[light]}")).check()
        assert await visit.texts(".person h2") == lights[light]
    await page.get_by_role("radio", name=re.compile("^All")).check()
    await page.get_by_label("Site").select_option(label=site["name"])
    assert await visit.texts(".person h2") == at_site
    await page.get_by_role("radio", name=re.compile("^Off track")).check()
    assert await visit.texts(".person h2") == both
    assert "show=OFF_TRACK" in page.url and site["id"] in page.url
    await page.get_by_role("radio", name=re.compile("^All")).check()
    await page.get_by_label("Site").select_option(label="All sites")
    await page.get_by_label("Search by name").fill("mA")
    await expect(page.locator(".person")).to_have_count(len(found))
    assert await visit.texts(".person h2") == found
    await page.get_by_label("Search by name").fill("nobody of that name")
    await expect(page.get_by_text("No learner fits.")).to_be_visible()


async def test_a_learners_aims_and_progress_map(running: Running, open_app: Open):
    visit = await open_app(running, "employer.manager")
    page = visit.page
    await visit.go("learners", "Learners")
    await page.get_by_role("link", name="Maya Thornton").click()
    await expect(visit.heading("Maya Thornton")).to_be_visible()
    async with running.person("employer.manager") as person:
        (maya,) = await learners(person, search="Maya Thornton")
        text = get_operation("progress_map").text
        whole = (await person.data(text, learnerId=maya["id"]))["learner"]["aims"]
        left = (await person.data(text, learnerId=maya["id"], filter="NON_COMPLETED"))["learner"]["aims"]
    await expect(page.locator("details")).to_have_count(sum(len(aim["units"]) for aim in whole))
    assert await visit.texts(".aim-card h3") == [aim["title"] for aim in whole]
    names = ("durationPercent", "mappedPercent", "signedOffPercent")
    assert await visit.texts(".aim-card .amount") == [percent(aim["progress"][name]) for aim in whole for name in names]

    async def shown() -> list[tuple[str, str]]:
        await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        codes, words = await visit.texts(".criteria .code"), await visit.texts(".criteria .pill")
        return list(zip(codes, words, strict=True))

    def criteria(aims: list[dict]) -> list[tuple[str, str]]:
        flat = [one for aim in aims for unit in aim["units"] for one in unit["criteria"]]
        return [(one["code"], CRITERIA[one["status"]]) for one in flat]

    assert await shown() == criteria(whole)
    await page.get_by_label("Only what is left to do").check()
    assert await shown() == criteria(left) != criteria(whole)


async def test_what_is_not_the_viewers_is_not_there(running: Running, open_app: Open):
    visit = await open_app(running, "employer.manager")
    async with running.person("employer.overview") as overview, running.person("employer.manager") as manager:
        mine = {one["id"] for one in await learners(manager)}
        other = next(one for one in await learners(overview) if one["id"] not in mine)
    await visit.go(f"learners/{other['id']}")
    said = "There is no such learner, or they are no longer allocated to you."
    await expect(visit.page.get_by_text(said)).to_be_visible()
    assert other["name"] not in await visit.page.content()


SAID = [
    # In London it is an hour later in summer, and another day.
    ("appointment('2026-07-14T08:30:00Z', Date.parse('2026-06-01'))", "Tue 14 Jul, 09:30"),
    ("appointment('2027-01-05T23:30:00Z', Date.parse('2026-12-01'))", "Tue 5 Jan 2027, 23:30"),
    ("day('2026-07-14T23:30:00Z')", "15 Jul 2026"),
    ("plainDay('2026-03-29')", "29 Mar 2026"),
    ("moment(Date.parse('2026-11-20T23:59:00Z'), Date.parse('2026-11-21T00:01:00Z'))", "yesterday at 23:59"),
    ("moment(Date.parse('2026-11-21T00:01:00Z'), Date.parse('2026-11-21T23:59:00Z'))", "00:01"),
    ("moment(Date.parse('2026-07-13T23:30:00Z'), Date.parse('2026-07-14T20:00:00Z'))", "00:30"),
    ("moment(Date.parse('2026-11-18T14:32:00Z'), Date.parse('2026-11-21T12:00:00Z'))", "18 Nov 2026 at 14:32"),
    ("ago(0, 20e3)", "just now"),
    ("ago(0, 300e3)", "5 minutes ago"),
    ("ago(0, 3 * 3600e3)", "3 hours ago"),
    ("ago(0, 72 * 3600e3)", "3 days ago"),
    ("count(1, 'criterion', 'criteria')", "1 criterion"),
    ("count(1234, 'learner')", "1,234 learners"),
    ("percent(60.0)", "60%"),
    ("percent(35.6)", "35.6%"),
    ("wordFor({}, 'SOMETHING_NEW')", "Something new"),
]


async def test_days_times_and_numbers_are_said_as_in_britain(running: Running, open_app: Open):
    visit = await open_app(running)
    for said, words in SAID:
        assert (said, await visit.page.evaluate(f"import('/kpi/js/words.js').then(all => all.{said})")) == (said, words)


async def test_only_saved_operations_are_sent(running: Running, open_app: Open):
    visit = await open_app(running, "employer.overview")
    for place in ("learners", "learners/Learner_1", "documents", "documents/SignatureRequest_4"):
        await visit.go(place)
        await visit.is_settled()
    assert set(visit.names()) == {
        "sign_in", "employer_home", "employer_learners", "employer_learner", "progress_map", "documents_to_sign",
        "document_to_sign", "kpis_live", "learner_changed",
    }  # fmt: skip
