"""What changes elsewhere appears by itself, and what is asked again costs a 304 while nothing has changed."""

import datetime as dt

from playwright.async_api import expect

from domain import clock
from services.demo import sample_files as files
from tests.support.http_server import PASSWORD, Running
from tests.system.browser.conftest import Open
from tests.system.browser.other_users import ask_to_sign, do, learner_id


async def test_a_sign_off_elsewhere_moves_the_bars_and_numbers(own_running: Running, open_app: Open):
    glance = await open_app(own_running, "employer.overview")
    listing = await open_app(own_running, "employer.overview", phone=True)
    await listing.go("learners?name=Maya", "Learners")
    opened = await open_app(own_running, "employer.manager")
    async with own_running.person("learner") as learner, own_running.person("assessor") as assessor:
        maya = await learner_id(assessor, "Maya Thornton")
        await opened.go(f"learners/{maya}", "Maya Thornton")
        await expect(opened.page.locator("details").first).to_be_visible()
        found = await assessor.data(
            "query($id: ID!) { learner(id: $id) { aims { id units { criteria(filter: NON_COMPLETED) { id } } } } }",
            id=maya,
        )  # fmt: skip
        aim = found["learner"]["aims"][0]
        left = [criterion["id"] for unit in aim["units"] for criterion in unit["criteria"]]
        before = {visit: await visit.texts(".amount") for visit in (glance, listing, opened)}
        sample = files.pdf("Wheel build record")
        file_id = await learner.upload(sample.name, sample.content_type, sample.content)
        words = {"title": "Wheel", "description": "Built.", "declareOwnWork": True, "password": PASSWORD}
        sent = await do(
            learner, "evidenceSubmit(input: EvidenceSubmitInput!)", "evidence { id }",
            input={**words, "aimId": aim["id"], "fileId": file_id},
        )  # fmt: skip
        await do(
            assessor, "evidenceAssess(id: ID!, input: EvidenceAssessInput!)", id=sent["evidence"]["id"],
            input={"mappings": [{"criterionId": one, "signOff": True} for one in left],
                   "assessmentMethods": ["PRODUCT"]},
        )  # fmt: skip
    # Nobody touches these three; each screen comes to say what the graph says now.
    await expect(opened.page.locator(".aim-card").first.locator(".amount").nth(2)).to_have_text("100%")
    await expect(opened.page.locator(".aim-card").first.locator(".cells .red, .cells .amber")).to_have_count(0)
    await expect(listing.page.locator(".person .aim").first.locator(".amount").nth(2)).to_have_text("100%")
    async with own_running.person("employer.overview") as overview:
        asked = "{ viewer { kpis { aheadCount progress { signedOffPercent criteriaSignedOff } } } }"
        kpis = (await overview.data(asked))["viewer"]["kpis"]
    await expect(glance.page.locator(".amount").nth(2)).to_have_text(
        f"{kpis['progress']['signedOffPercent']:.1f}".removesuffix(".0") + "%"
    )
    await expect(glance.page.locator(".lights strong").nth(2)).to_have_text(str(kpis["aheadCount"]))
    # What the stream does not tell was asked for.
    await expect(glance.page.locator(".bars + .note")).to_contain_text(f"{kpis['progress']['criteriaSignedOff']:,} of")
    for visit, was in before.items():
        assert await visit.texts(".amount") != was


async def test_a_visit_booked_elsewhere_is_the_next_one(own_running: Running, open_app: Open):
    visit = await open_app(own_running, "employer.manager")
    await visit.go("learners?name=Maya", "Learners")
    # A summer's day: an hour later in London than in UTC, whatever the device's own time is.
    async with own_running.person("assessor") as assessor:
        maya = await learner_id(assessor, "Maya Thornton")
        held = await assessor.data(
            "query($id: ID!) { learner(id: $id) { sessions(first: 50) { nodes { id status } } } }", id=maya
        )
        for session in held["learner"]["sessions"]["nodes"]:
            if session["status"] == "PLANNED":
                await do(assessor, "sessionCancel(id: ID!)", id=session["id"])
        await expect(visit.page.locator(".person .facts").first).to_contain_text("No visit booked")
        starts = dt.datetime(clock.today().year + 1, 7, 14, 8, 30, tzinfo=dt.UTC)
        await do(
            assessor, "sessionBook(input: SessionBookInput!)",
            input={"learnerId": maya, "type": "FORMAL_REVIEW", "startsAt": starts.isoformat(),
                   "endsAt": (starts + dt.timedelta(hours=1)).isoformat()},
        )  # fmt: skip
    said = f"{starts:%a} 14 Jul {starts.year}, 09:30 · Progress review"
    await expect(visit.page.locator(".person .facts").first).to_contain_text(said)


async def test_the_number_on_the_icon_follows(own_running: Running, open_app: Open):
    visit = await open_app(own_running, "employer.manager", phone=True)
    badge = visit.page.locator(".badge")
    before = int(await badge.inner_text())
    await visit.go("documents", "Documents to sign")
    async with own_running.person("assessor") as assessor:
        maya = await learner_id(assessor, "Maya Thornton")
        request = await ask_to_sign(assessor, maya, "Change of training days", ["EMPLOYER_MANAGER"])
        await expect(badge).to_have_text(str(before + 1))
        await expect(visit.page.get_by_role("link", name="Change of training days")).to_be_visible()
        await do(assessor, "signatureRequestCancel(id: ID!)", id=request)
    await expect(badge).to_have_text(str(before))
    await expect(visit.page.get_by_role("link", name="Change of training days")).to_have_count(0)


async def test_a_refresh_without_news_is_a_304(running: Running, open_app: Open):
    visit = await open_app(running, "employer.overview")
    await visit.is_settled()
    sent = len(visit.asked)
    await visit.page.get_by_role("button", name="Refresh").click()
    await expect(visit.page.locator("#said")).to_have_text("Up to date.")
    answers = {name: (await request.response()).status for name, request in visit.asked[sent:]}
    assert answers == {"employer_home": 304, "employer_learners": 304}
    assert all(request.method == "GET" for _, request in visit.asked[sent:])


async def test_a_pull_at_the_top_asks_again(running: Running, open_app: Open):
    visit = await open_app(running, "employer.overview", phone=True)
    await visit.is_settled()
    touch = await visit.context.new_cdp_session(visit.page)

    async def pull(far: int) -> None:
        await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 180, "y": 120}]})
        for step in range(1, 9):
            point = {"x": 180, "y": 120 + far * step / 8}
            await touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    sent = len(visit.asked)
    await pull(60)
    await expect(visit.page.locator(".pulling")).to_have_count(0)
    assert visit.asked[sent:] == []
    await pull(260)
    await expect(visit.page.locator("#said")).to_have_text("Up to date.")
    assert set(visit.names()[sent:]) == {"employer_home", "employer_learners"}


async def test_streams_are_open_only_while_somebody_looks(own_running: Running, open_app: Open):
    visit = await open_app(own_running, "employer.overview")
    assert own_running.server.endpoint.open_streams == 2
    await visit.page.evaluate(
        """() => {
            Object.defineProperty(document, "visibilityState", { get: () => window.looking ?? "hidden" });
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    await expect(visit.page.locator(".freshness")).not_to_contain_text("Live")
    for _ in range(300):
        if own_running.server.endpoint.open_streams == 0:
            break
        await visit.page.wait_for_timeout(50)
    assert own_running.server.endpoint.open_streams == 0
    await visit.page.evaluate("looking = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    await visit.is_live()
