"""The figures on the employer app's screens equal those of the API, with every filter."""

import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest
from playwright.async_api import Route, expect

from queries.operations import get_operation
from tests.support.client import HttpClient
from tests.support.http_server import RunningServer
from tests.system.browser.conftest import Open

# tests/system/browser/test_offline.py has the service worker, and others.
INSTALLS = False
TRAFFIC_LIGHTS = {"OFF_TRACK": "Off track", "ON_TRACK": "On track", "AHEAD": "Ahead", "NOT_RATED": "Not rated"}
# Instead of a traffic light.
STATUSES = {"COMPLETED": "Completed", "SUSPENDED": "On a break", "WITHDRAWN": "Withdrawn"}
CRITERION_STATUSES = {"NOT_STARTED": "Not started", "IN_PROGRESS": "Evidence mapped", "SIGNED_OFF": "Signed off"}
LEARNERS = """query($filter: LearnerFilter, $after: String) { learners(first: 100, after: $after, filter: $filter) {
    pageInfo { hasNextPage endCursor }
    nodes { id name employer { id name } nextSession { startsAt } overdueActionCount trafficLight
        progress { pointsAhead } aims { id title trafficLight status assessor { name }
        progress { durationPercent pastPlannedEnd mappedPercent signedOffPercent } } } } }"""


def percent(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") + "%"


async def learners(person: HttpClient, **filters) -> list[dict]:
    found = (await person.data(LEARNERS, filter=filters))["learners"]
    assert not found["pageInfo"]["hasNextPage"]
    return found["nodes"]


def points_ahead(learner: dict) -> float:
    return learner["progress"]["pointsAhead"]


async def names(person: HttpClient, **filters) -> list[str]:
    return [learner["name"] for learner in await learners(person, **filters)]


@pytest.mark.parametrize("username", ["employer.manager", pytest.param("employer.overview", marks=pytest.mark.long)])
async def test_overview(running: RunningServer, open_app: Open, username: str):
    visit = await open_app(running, username)
    async with running.signed_in(username) as person:
        response = await person.http.post("/graphql", json={"documentId": "employer_home"})
        viewer = response.json()["data"]["viewer"]
    kpis = viewer["kpis"]
    document_count = viewer["awaitingSignatureCount"]
    tiles = [kpis["learnerCount"], document_count, kpis["overdueActionCount"], kpis["sessionsNext7Days"]]
    assert [int(text) for text in await visit.texts(".tile strong")] == tiles
    lights = [(text, kpis[f"{name}Count"]) for name, text in (
        ("offTrack", "Off track"), ("onTrack", "On track"), ("ahead", "Ahead"), ("notRated", "Not rated")
    )]  # fmt: skip
    assert [(row[0], int(row[1])) for row in zip(
        await visit.texts(".lights .label"), await visit.texts(".lights strong"), strict=True
    )] == lights  # fmt: skip
    progress = kpis["progress"]
    bars = [percent(progress[name]) for name in ("durationPercent", "mappedPercent", "signedOffPercent")]
    assert await visit.texts(".bars .amount") == bars
    badges = await visit.page.locator(".badge").all_inner_texts()
    assert badges == ([str(document_count)] if document_count else [])
    await expect(visit.page.locator(".late-link")).to_have_text(
        f"{kpis['pastPlannedEndCount']} aim{'' if kpis['pastPlannedEndCount'] == 1 else 's'} past planned end"
    )


@pytest.mark.long
async def test_learner_list(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.overview")
    await visit.go("learners?by=NAME", "Learners")
    async with running.signed_in("employer.overview") as person:
        expected = await learners(person)
    assert await visit.texts(".person h2") == [learner["name"] for learner in expected]
    for index, learner in enumerate(expected):
        card = visit.page.locator(".person").nth(index)
        assert await card.locator(".pill").all_inner_texts() == [
            STATUSES.get(aim["status"], TRAFFIC_LIGHTS[aim["trafficLight"]]) for aim in learner["aims"]
        ]
        shown = await card.locator(".amount").all_inner_texts()
        bars = ("durationPercent", "mappedPercent", "signedOffPercent")
        assert shown == [percent(aim["progress"][name]) for aim in learner["aims"] for name in bars]
        # After the planned end the first bar is red and has another label.
        labels = await card.locator(".bars > div:first-child dt").all_inner_texts()
        late = [aim["progress"]["pastPlannedEnd"] for aim in learner["aims"]]
        assert labels == ["Past end" if each else "Duration" for each in late]
        colours = await card.locator(".bars > div:first-child .track").evaluate_all("all => all.map(e => e.className)")
        assert colours == [f"track {'red' if each else 'blue'}" for each in late]
        assessors = [f"Assessor: {aim['assessor']['name']}" for aim in learner["aims"] if aim["assessor"]]
        assert await card.locator(".aim .note").all_inner_texts() == assessors
        next_visit = card.locator("time")
        assert await next_visit.count() == (1 if learner["nextSession"] else 0)
        if learner["nextSession"]:
            assert await next_visit.get_attribute("datetime") == learner["nextSession"]["startsAt"]


@pytest.mark.long
async def test_long_list_is_fetched_in_pages_and_a_truncated_one_says_so(running: RunningServer, open_app: Open):
    visit = await open_app(running)
    page_size = {"first": 4}

    async def in_small_pages(route: Route) -> None:
        url = urlsplit(route.request.url)
        params = {name: values[0] for name, values in parse_qs(url.query).items()}
        params["variables"] = json.dumps({**json.loads(params["variables"]), **page_size})
        await route.continue_(url=urlunsplit(url._replace(query=urlencode(params))))

    await visit.page.route("**/graphql?documentId=employer_learners*", in_small_pages)
    await visit.sign_in("employer.overview")
    await visit.go("learners?by=NAME", "Learners")
    async with running.signed_in("employer.overview") as person:
        everyone = await names(person)
    await expect(visit.page.locator(".person h2")).to_have_text(everyone)
    # With one learner per page, the list has more pages than the app fetches.
    page_size["first"] = 1
    await visit.page.get_by_role("button", name="Refresh").click()
    text = f"(from the first 20 of {len(everyone)} learners)"
    await expect(visit.page.locator(".result")).to_contain_text(text)
    # They are those furthest behind.
    async with running.signed_in("employer.overview") as person:
        query = "{ learners(first: 20, orderBy: POINTS_AHEAD_ASC) { nodes { name } } }"
        furthest = [learner["name"] for learner in (await person.data(query))["learners"]["nodes"]]
    await expect(visit.page.locator(".person h2")).to_have_text([name for name in everyone if name in furthest])


@pytest.mark.long
async def test_filters_by_light_site_and_name(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.overview")
    page = visit.page
    async with running.signed_in("employer.overview") as person:
        everyone = await learners(person)
        by_light = {light: await names(person, aimTrafficLight=light) for light in TRAFFIC_LIGHTS}
        site = everyone[0]["employer"]
        at_site = await names(person, employerId=site["id"])
        at_site_off_track = await names(person, employerId=site["id"], aimTrafficLight="OFF_TRACK")
        by_name = await names(person, search="ma")
    # A traffic light on the Overview screen is a link to the learners that it counts.
    await page.locator(".lights").get_by_role("link", name="Off track").click()
    await expect(visit.heading("Learners")).to_be_visible()
    # The learner who is furthest behind comes first.
    off_track = [learner for learner in everyone if learner["name"] in by_light["OFF_TRACK"]]
    first = min((each for each in off_track if each["trafficLight"] == "OFF_TRACK"), key=points_ahead)
    assert (await visit.texts(".person h2"))[0] == first["name"]
    await page.get_by_label("Sort by").select_option(label="Name")
    assert await visit.texts(".person h2") == by_light["OFF_TRACK"]
    aims = [aim for learner in everyone for aim in learner["aims"] if aim["status"] != "WITHDRAWN"]
    off_track = sum(aim["trafficLight"] == "OFF_TRACK" for aim in aims)
    await expect(page.locator(".result")).to_have_text(
        f"{len(by_light['OFF_TRACK'])} learners, {off_track} aims off track"
    )
    for light in ("ON_TRACK", "AHEAD"):
        await page.get_by_role("radio", name=re.compile(f"^{TRAFFIC_LIGHTS[light]}")).check()
        assert await visit.texts(".person h2") == by_light[light]
    await page.get_by_role("radio", name=re.compile("^All")).check()
    await page.get_by_label("Site").select_option(label=site["name"])
    assert await visit.texts(".person h2") == at_site
    await page.get_by_role("radio", name=re.compile("^Off track")).check()
    assert await visit.texts(".person h2") == at_site_off_track
    assert "show=OFF_TRACK" in page.url and site["id"] in page.url
    await page.get_by_role("radio", name=re.compile("^All")).check()
    await page.get_by_label("Site").select_option(label="All sites")
    await page.get_by_label("Search by name").fill("mA")
    await expect(page.locator(".person")).to_have_count(len(by_name))
    assert await visit.texts(".person h2") == by_name
    await page.get_by_label("Search by name").fill("no such name")
    await expect(page.get_by_text("No learners match.")).to_be_visible()


async def test_learner_with_progress_map(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.manager")
    page = visit.page
    await visit.go("learners?name=Maya", "Learners")
    await page.get_by_role("link", name="Maya Thornton").click()
    await expect(visit.heading("Maya Thornton")).to_be_visible()
    async with running.signed_in("employer.manager") as person:
        (maya,) = await learners(person, search="Maya Thornton")
        text = get_operation("progress_map").text
        all_aims = (await person.data(text, learnerId=maya["id"]))["learner"]["aims"]
        left = (await person.data(text, learnerId=maya["id"], filter="NON_COMPLETED"))["learner"]["aims"]
    await expect(page.locator("details")).to_have_count(sum(len(aim["units"]) for aim in all_aims))
    assert await visit.texts(".aim-card h3") == [aim["title"] for aim in all_aims]
    bars = ("durationPercent", "mappedPercent", "signedOffPercent")
    assert await visit.texts(".aim-card .amount") == [
        percent(aim["progress"][name]) for aim in all_aims for name in bars
    ]

    async def shown() -> list[tuple[str, str]]:
        await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        codes, words = await visit.texts(".criteria .code"), await visit.texts(".criteria .pill")
        return list(zip(codes, words, strict=True))

    def criteria(aims: list[dict]) -> list[tuple[str, str]]:
        flat = [one for aim in aims for unit in aim["units"] for one in unit["criteria"]]
        return [(one["code"], CRITERION_STATUSES[one["status"]]) for one in flat]

    assert await shown() == criteria(all_aims)
    await page.get_by_label("Only what is left to do").check()
    assert await shown() == criteria(left) != criteria(all_aims)


@pytest.mark.long
async def test_another_managers_learner_is_not_shown(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.manager")
    async with running.signed_in("employer.overview") as overview, running.signed_in("employer.manager") as manager:
        own_ids = {learner["id"] for learner in await learners(manager)}
        other = next(learner for learner in await learners(overview) if learner["id"] not in own_ids)
    await visit.go(f"learners/{other['id']}")
    message = "Learner not found, or no longer allocated to you."
    await expect(visit.page.get_by_text(message)).to_be_visible()
    assert other["name"] not in await visit.page.content()


FORMATS = [
    # In summer London is one hour ahead of UTC, here on another day.
    ("appointment('2026-07-14T08:30:00Z', Date.parse('2026-06-01'))", "Tue 14 Jul, 09:30"),
    ("appointment('2027-01-05T23:30:00Z', Date.parse('2026-12-01'))", "Tue 5 Jan 2027, 23:30"),
    ("day('2026-07-14T23:30:00Z')", "15 Jul 2026"),
    ("dateOnly('2026-03-29')", "29 Mar 2026"),
    ("pastTime(Date.parse('2026-11-20T23:59:00Z'), Date.parse('2026-11-21T00:01:00Z'))", "yesterday at 23:59"),
    ("pastTime(Date.parse('2026-11-21T00:01:00Z'), Date.parse('2026-11-21T23:59:00Z'))", "00:01"),
    ("pastTime(Date.parse('2026-07-13T23:30:00Z'), Date.parse('2026-07-14T20:00:00Z'))", "00:30"),
    ("pastTime(Date.parse('2026-11-18T14:32:00Z'), Date.parse('2026-11-21T12:00:00Z'))", "18 Nov 2026 at 14:32"),
    ("ago(0, 20e3)", "just now"),
    ("ago(0, 300e3)", "5 minutes ago"),
    ("ago(0, 3 * 3600e3)", "3 hours ago"),
    ("ago(0, 72 * 3600e3)", "3 days ago"),
    ("count(1, 'criterion', 'criteria')", "1 criterion"),
    ("count(1234, 'learner')", "1,234 learners"),
    ("percent(60.0)", "60%"),
    ("percent(35.6)", "35.6%"),
    ("labelOf({}, 'SOMETHING_NEW')", "Something new"),
]


@pytest.mark.long
async def test_dates_times_and_numbers_are_formatted(running: RunningServer, open_app: Open):
    visit = await open_app(running)
    for call, text in FORMATS:
        result = await visit.page.evaluate(f"import('/kpi/js/format.js').then(format => format.{call})")
        assert (call, result) == (call, text)


@pytest.mark.long
async def test_only_saved_operations_are_sent(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.overview")
    for path in (
        "learners", "learners/Learner_1", "learners/Learner_1/time", "documents", "documents/SignatureRequest_4",
        "time", "visits", "evidence/Evidence_1", "units/Unit_1.1", "reviews/Review_1",
    ):  # fmt: skip
        await visit.go(path)
        await visit.is_settled()
    assert set(visit.names()) == {
        "sign_in", "employer_home", "employer_learners", "employer_learner", "progress_map", "documents_to_sign",
        "document_to_sign", "kpis_live", "learner_changed", "identity_providers", "employer_tasks", "employer_actions",
        "employer_portfolio", "employer_visits", "time_to_confirm", "evidence_to_read", "unit_to_sign",
        "review_to_read", "tasks_live",
    }  # fmt: skip
