"""Live updates: changes by other users appear by themselves, and a refresh without changes is answered with 304."""

import datetime as dt

import pytest
from playwright.async_api import Route, expect

from domain import clock
from services.demo import sample_files as files
from tests.support.http_server import PASSWORD, RunningServer
from tests.system.browser.conftest import Open
from tests.system.browser.other_users import do, learner_id, request_signature

# What the Overview screen reads.
OVERVIEW = {"employer_home", "employer_learners", "employer_tasks", "employer_actions"}


async def test_sign_off_by_an_assessor_updates_every_screen(own_running: RunningServer, open_app: Open):
    overview = await open_app(own_running, "employer.overview")
    learner_list = await open_app(own_running, "employer.overview", phone=True)
    await learner_list.go("learners?name=Maya", "Learners")
    learner_screen = await open_app(own_running, "employer.manager")
    async with own_running.signed_in("learner") as learner, own_running.signed_in("assessor") as assessor:
        maya = await learner_id(assessor, "Maya Thornton")
        await learner_screen.go(f"learners/{maya}", "Maya Thornton")
        await expect(learner_screen.page.locator("details").first).to_be_visible()
        found = await assessor.data(
            "query($id: ID!) { learner(id: $id) { aims { id units { criteria(filter: NON_COMPLETED) { id } } } } }",
            id=maya,
        )  # fmt: skip
        aim = found["learner"]["aims"][0]
        left = [criterion["id"] for unit in aim["units"] for criterion in unit["criteria"]]
        before = {visit: await visit.texts(".amount") for visit in (overview, learner_list, learner_screen)}
        sample = files.pdf("Wheel build record")
        file_id = await learner.upload(sample.name, sample.content_type, sample.content)
        fields = {"title": "Wheel", "description": "Built.", "declareOwnWork": True, "password": PASSWORD}
        payload = await do(
            learner, "evidenceSubmit(input: EvidenceSubmitInput!)", "evidence { id }",
            input={**fields, "aimId": aim["id"], "fileId": file_id},
        )  # fmt: skip
        await do(
            assessor, "evidenceAssess(id: ID!, input: EvidenceAssessInput!)", id=payload["evidence"]["id"],
            input={"mappings": [{"criterionId": criterion, "signOff": True} for criterion in left],
                   "assessmentMethods": ["PRODUCT"]},
        )  # fmt: skip
    # Without any action of its user, each screen shows the new data.
    await expect(learner_screen.page.locator(".aim-card").first.locator(".amount").nth(2)).to_have_text("100%")
    await expect(learner_screen.page.locator(".aim-card").first.locator(".cells .red, .cells .amber")).to_have_count(0)
    await expect(learner_list.page.locator(".person .aim").first.locator(".amount").nth(2)).to_have_text("100%")
    async with own_running.signed_in("employer.overview") as person:
        query = "{ viewer { kpis { aheadCount progress { signedOffPercent criteriaSignedOff } } } }"
        kpis = (await person.data(query))["viewer"]["kpis"]
    await expect(overview.page.locator(".amount").nth(2)).to_have_text(
        f"{kpis['progress']['signedOffPercent']:.1f}".removesuffix(".0") + "%"
    )
    await expect(overview.page.locator(".lights strong").nth(2)).to_have_text(str(kpis["aheadCount"]))
    # These counts are not in the event: the app has requested them.
    await expect(overview.page.locator(".bars + .note")).to_contain_text(
        f"{kpis['progress']['criteriaSignedOff']:,} of"
    )
    for visit, amounts in before.items():
        assert await visit.texts(".amount") != amounts


@pytest.mark.long
async def test_newly_booked_session_is_the_next_visit(own_running: RunningServer, open_app: Open):
    visit = await open_app(own_running, "employer.manager")
    await visit.go("learners?name=Maya", "Learners")
    # A day in summer, when London is one hour ahead of UTC.
    async with own_running.signed_in("assessor") as assessor:
        maya = await learner_id(assessor, "Maya Thornton")
        found = await assessor.data(
            "query($id: ID!) { learner(id: $id) { sessions(first: 50) { nodes { id status } } } }", id=maya
        )
        for session in found["learner"]["sessions"]["nodes"]:
            if session["status"] == "PLANNED":
                await do(assessor, "sessionCancel(id: ID!)", id=session["id"])
        await expect(visit.page.locator(".person .facts").first).to_contain_text("No visit booked")
        starts = dt.datetime(clock.today().year + 1, 7, 14, 8, 30, tzinfo=dt.UTC)
        await do(
            assessor, "sessionBook(input: SessionBookInput!)",
            input={"learnerId": maya, "type": "FORMAL_REVIEW", "startsAt": starts.isoformat(),
                   "endsAt": (starts + dt.timedelta(hours=1)).isoformat()},
        )  # fmt: skip
    text = f"{starts:%a} 14 Jul {starts.year}, 09:30 · Progress review"
    await expect(visit.page.locator(".person .facts").first).to_contain_text(text)


@pytest.mark.long
async def test_badge_follows_the_number_of_documents(own_running: RunningServer, open_app: Open):
    visit = await open_app(own_running, "employer.manager", phone=True)
    badge = visit.page.locator(".badge")
    before = int(await badge.inner_text())
    await visit.go("documents", "Documents to sign")
    async with own_running.signed_in("assessor") as assessor:
        maya = await learner_id(assessor, "Maya Thornton")
        request = await request_signature(assessor, maya, "Change of training days", ["EMPLOYER_MANAGER"])
        await expect(badge).to_have_text(str(before + 1))
        await expect(visit.page.get_by_role("link", name="Change of training days")).to_be_visible()
        await do(assessor, "signatureRequestCancel(id: ID!)", id=request)
    await expect(badge).to_have_text(str(before))
    await expect(visit.page.get_by_role("link", name="Change of training days")).to_have_count(0)


@pytest.mark.long
async def test_a_change_by_others_does_not_talk_over_what_the_viewer_did(own_running: RunningServer, open_app: Open):
    visit = await open_app(own_running, "employer.manager", phone=True)
    badge, announcement = visit.page.locator(".badge"), visit.page.locator("#announcement")
    before = int(await badge.inner_text())
    await visit.is_settled()
    # The page's clock stands still, so that what was announced was announced moments ago.
    await visit.page.clock.set_fixed_time(clock.now())
    await visit.page.get_by_role("button", name="Refresh").click()
    await expect(announcement).to_have_text("Up to date.")
    async with own_running.signed_in("assessor") as assessor:
        maya = await learner_id(assessor, "Maya Thornton")
        await request_signature(assessor, maya, "Change of mentor", ["EMPLOYER_MANAGER"])
    await expect(badge).to_have_text(str(before + 1))
    await expect(announcement).to_have_text("Up to date.")


@pytest.mark.long
async def test_needs_you_follows_by_its_own_subscription(own_running: RunningServer, open_app: Open):
    """The other streams are not there, so nothing else tells the app that there is more to do."""
    visit = await open_app(own_running)
    visit.expected = "ERR_FAILED"
    page, title = visit.page, "Change of training days"

    async def only_tasks(route: Route) -> None:
        name = (route.request.post_data_json or {}).get("documentId")
        await (route.abort() if name in ("kpis_live", "learner_changed") else route.continue_())

    await page.route("**/graphql", only_tasks)
    await visit.fill_in("employer.manager")
    await expect(page.locator(".needs")).to_be_visible()
    await visit.is_settled()
    async with own_running.signed_in("assessor") as assessor:
        maya = await learner_id(assessor, "Maya Thornton")
        request = await request_signature(assessor, maya, title, ["EMPLOYER_MANAGER"])
        await expect(page.locator("#announcement")).to_have_text("Needs you: 1 new task.")
        show_all = page.get_by_role("button", name="Show all")
        await show_all.click()
        row = page.locator(".needs .row", has_text=title)
        await expect(row).to_be_visible()
        await do(assessor, "signatureRequestCancel(id: ID!)", id=request)
        await expect(row).to_have_count(0)


@pytest.mark.long
async def test_refresh_without_changes_is_answered_with_304(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.overview")
    await visit.is_settled()
    count = len(visit.sent)
    await visit.page.get_by_role("button", name="Refresh").click()
    await expect(visit.page.locator("#announcement")).to_have_text("Up to date.")
    statuses = {name: (await request.response()).status for name, request in visit.sent[count:]}
    assert statuses == dict.fromkeys(OVERVIEW, 304)
    assert all(request.method == "GET" for _, request in visit.sent[count:])


@pytest.mark.long
async def test_pull_to_refresh(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.overview", phone=True)
    await visit.is_settled()
    touch = await visit.context.new_cdp_session(visit.page)

    async def pull(distance: int) -> None:
        await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 180, "y": 120}]})
        for step in range(1, 9):
            point = {"x": 180, "y": 120 + distance * step / 8}
            await touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    count = len(visit.sent)
    await pull(60)
    await expect(visit.page.locator(".pulling")).to_have_count(0)
    assert visit.sent[count:] == []
    await pull(260)
    await expect(visit.page.locator("#announcement")).to_have_text("Up to date.")
    assert set(visit.names()[count:]) == OVERVIEW


@pytest.mark.long
async def test_tabs_of_one_device_share_the_streams(own_running: RunningServer, open_app: Open):
    """Over HTTP/1.1 a browser opens six connections to a server: the streams of two tabs would take them all."""
    first = await open_app(own_running, "employer.manager")
    second = type(first)(first.context, await first.context.new_page(), first.address)
    await second.start()
    await second.is_live()
    assert own_running.server.endpoint.open_streams == 3
    badges = [visit.page.locator(".badge") for visit in (first, second)]
    before = int(await badges[0].inner_text())
    async with own_running.signed_in("assessor") as assessor:
        maya = await learner_id(assessor, "Maya Thornton")
        request = await request_signature(assessor, maya, "Change of training days", ["EMPLOYER_MANAGER"])
        for badge in badges:
            await expect(badge).to_have_text(str(before + 1))
        # The other tab takes over.
        await first.page.close()
        await do(assessor, "signatureRequestCancel(id: ID!)", id=request)
        await expect(badges[1]).to_have_text(str(before))
    await second.is_live()
    assert second.names().count("tasks_live") == 1


@pytest.mark.long
async def test_streams_are_open_only_while_the_page_is_visible(own_running: RunningServer, open_app: Open):
    visit = await open_app(own_running, "employer.overview")
    assert own_running.server.endpoint.open_streams == 3
    await visit.page.evaluate(
        """() => {
            Object.defineProperty(document, "visibilityState", { get: () => window.visibility ?? "hidden" });
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    await expect(visit.page.locator(".freshness")).not_to_contain_text("Live")
    for _ in range(300):
        if own_running.server.endpoint.open_streams == 0:
            break
        await visit.page.wait_for_timeout(50)
    assert own_running.server.endpoint.open_streams == 0
    await visit.page.evaluate("visibility = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    await visit.is_live()
