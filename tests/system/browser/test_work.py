"""What an employer does in the app: reviews, evidence, time and lists; and that nothing breaks it."""

import datetime as dt
import hashlib

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import update

from db.models.action import Action
from db.models.qualification import Qualification
from db.models.user import User
from domain import clock
from services.demo import sample_files as files
from tests.support.client import HttpClient
from tests.support.http_server import PASSWORD, RunningServer
from tests.system.browser.conftest import Open
from tests.system.browser.device import Visit
from tests.system.browser.other_users import do, learner_id
from tests.system.browser.test_accessibility import violations

# tests/system/browser/test_offline.py has the service worker, and others.
INSTALLS = False
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 2
FOUND = """id status slots { role signedAt documentSha256 } answers { role concerns } document { sha256 }"""


async def drafted_review(assessor: HttpClient) -> str:
    """Holds a formal review with Maya, starts its review and returns the id."""
    starts = clock.now() - dt.timedelta(hours=6)
    booking = {
        "learnerId": await learner_id(assessor, "Maya Thornton"), "type": "FORMAL_REVIEW",
        "startsAt": starts.isoformat(), "endsAt": (starts + dt.timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    booked = await do(assessor, "sessionBook(input: SessionBookInput!)", "session { id }", input=booking)
    session = booked["session"]["id"]
    await do(assessor, "sessionComplete(id: ID!, input: SessionCompleteInput!)", id=session, input={"attended": True})
    started = await do(assessor, "reviewStart(sessionId: ID!)", "review { id }", sessionId=session)
    return started["review"]["id"]


async def sign(page: Page, tick: str, button: str) -> None:
    await page.get_by_label(tick).check()
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name=button).click()


@pytest.mark.long
async def test_a_review_is_written_issued_and_signed_by_three(own_running: RunningServer, open_app: Open):
    visit = await open_app(own_running, phone=True)
    page = visit.page
    async with own_running.signed_in("assessor") as assessor, own_running.signed_in("learner") as learner:
        review = await drafted_review(assessor)
        await visit.sign_in("employer.manager")
        await page.get_by_role("button", name="Show all").click()
        await page.get_by_role("link", name="Write your part of progress review").click()
        await page.get_by_label("What worries you").fill("The time log has gaps.")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Your part of the review is saved.").first).to_be_visible()
        await expect(page.locator(".said")).to_contain_text("The time log has gaps.")
        assert await violations(page) == []
        answer = "reviewAnswer(id: ID!, input: ReviewAnswerInput!)"
        for person in (assessor, learner):
            await do(person, answer, id=review, input={"progressSinceLast": "Good progress."})
        issued = await do(assessor, "reviewIssue(id: ID!)", f"review {{ {FOUND} }}", id=review)
        digest = issued["review"]["document"]["sha256"]
        # The link of the e-mail leads to the screen.
        await page.goto(f"{visit.address}/open/{review}")
        await page.get_by_role("button", name="Sign the review").click()
        alert = page.get_by_role("alert")
        await expect(alert).to_have_text("Please open and read the document first.")
        button = page.get_by_role("button", name="Sign the review")
        distance = "([a, b]) => Math.abs(a.getBoundingClientRect().bottom - b.getBoundingClientRect().top)"
        handles = [await alert.element_handle(), await button.element_handle()]
        assert await page.evaluate(distance, handles) < 40
        await page.get_by_role("button", name="Open the document").click()
        await expect(page.locator(".reader-pages canvas").first).to_be_visible()
        await sign(page, "I have read this review and sign it.", "Sign the review")
        await expect(page.get_by_text("You have signed progress review").first).to_be_visible()
        signature = {"id": review, "documentSha256": digest, "password": PASSWORD}
        for person in (assessor, learner):
            signed = await do(
                person, "reviewSign(id: ID!, documentSha256: String!, password: String!)", f"review {{ {FOUND} }}",
                **signature,
            )  # fmt: skip
    assert signed["review"]["status"] == "SIGNED"
    assert {slot["documentSha256"] for slot in signed["review"]["slots"]} == {digest}
    assert "The time log has gaps." in [each["concerns"] for each in signed["review"]["answers"]]


@pytest.mark.long
async def test_evidence_time_and_lists(own_running: RunningServer, open_app: Open):
    visit = await open_app(own_running, "employer.manager", phone=True)
    page = visit.page
    sample = files.pdf("Training plan")
    async with own_running.signed_in("employer.manager") as manager:
        maya = await learner_id(manager, "Maya Thornton")
        await visit.go(f"learners/{maya}/evidence", "Maya Thornton")
        await page.get_by_role("link", name="Upload evidence").click()
        await page.get_by_role("button", name="Upload and sign").click()
        await expect(page.get_by_role("alert")).to_have_text("Please choose a file, or take a photo.")
        camera = page.get_by_label("Take a photo")
        assert await camera.get_attribute("capture") == "environment"
        file = {"name": sample.name, "mimeType": sample.content_type, "buffer": sample.content}
        await page.get_by_label("Choose a file").set_input_files(file)
        await page.get_by_label("Title").fill("Seen at work")
        await page.get_by_label("What it shows").fill("She trued ten wheels.")
        await page.get_by_label("Your password").fill(PASSWORD)
        await page.get_by_role("button", name="Upload and sign").click()
        await expect(page.get_by_text("The evidence has been uploaded.").first).to_be_visible()
        await page.get_by_role("link", name="Seen at work").click()
        await expect(page.get_by_text("She trued ten wheels.")).to_be_visible()
        await page.get_by_role("button", name="Open the document").click()
        await expect(page.get_by_role("region", name="The document")).to_contain_text("Training plan")
        assert await violations(page) == []
        query = """query($id: ID!) { learner(id: $id) { evidence(first: 1) { nodes { title submittedBy { name }
            file { sha256 } signatures { role } } } } }"""
        (sent,) = (await manager.data(query, id=maya))["learner"]["evidence"]["nodes"]
        assert sent["file"]["sha256"] == hashlib.sha256(sample.content).hexdigest()
        assert sent["signatures"] == [{"role": "EMPLOYER_MANAGER"}] and sent["submittedBy"]["name"] == "Helen Ashworth"

        await visit.go("time", "Time to confirm")
        # A long list is drawn page by page.
        await visit.is_settled()
        card = page.locator("section.card", has=page.get_by_role("heading", name="Maya Thornton"))
        entries = int((await card.locator("summary").inner_text()).split()[0])
        await card.locator("summary").click()
        await card.get_by_role("checkbox").first.uncheck()
        await card.get_by_role("button", name=f"Confirm {entries - 1} entries").click()
        done = f"You have confirmed {entries - 1} entries for Maya Thornton."
        await expect(page.get_by_text(done).first).to_be_visible()
        await expect(card.locator("summary")).to_contain_text("1 entry from")
        # On the server too, the entry that was left out waits alone.
        waiting = "{ viewer { tasks(kinds: [CONFIRM_TIME], first: 100) { nodes { learner { name } } } } }"
        tasks = (await manager.data(waiting))["viewer"]["tasks"]["nodes"]
        assert [task["learner"]["name"] for task in tasks].count("Maya Thornton") == 1

        waiting = "{ actions(outstandingOnly: true, first: 50) { nodes { title learner { name } assessor { name } } } }"
        actions = (await manager.data(waiting))["actions"]["nodes"]
        await visit.go("actions", "Actions")
        rows = page.locator(".rows .row")
        await expect(rows).to_have_count(len(actions))
        for index, action in enumerate(actions):
            owners = [action[who]["name"] for who in ("learner", "assessor") if action[who]]
            for text in (action["title"], *owners):
                await expect(rows.nth(index)).to_contain_text(text)


@pytest.mark.long
async def test_a_unit_and_its_evidence_are_read_and_signed(own_running: RunningServer, open_app: Open):
    visit = await open_app(own_running, "employer.manager", phone=True)
    page = visit.page
    unit_fields = """confirmationStatement evidence { id title }
        signatures { role signedAt statement withdrawnAt signedBy { name } }"""
    query = f"""query($id: ID!) {{ learner(id: $id) {{ aims {{ id title units {{ id number title {unit_fields}
        viewerActions(mutations: ["unitSign"]) {{ allowed }} }} }} }} }}"""
    async with own_running.signed_in("employer.manager") as manager:
        maya = await learner_id(manager, "Maya Thornton")
        aims = (await manager.data(query, id=maya))["learner"]["aims"]
        aim, unit = next(
            (aim, unit)
            for aim in aims
            for unit in aim["units"]
            if unit["viewerActions"][0]["allowed"] and unit["evidence"]
            and "EMPLOYER_MANAGER" not in [each["role"] for each in unit["signatures"] if each["signedAt"]]
        )  # fmt: skip
        await visit.go(f"learners/{maya}", "Maya Thornton")
        card = page.locator(".aim-card", has=page.get_by_role("heading", name=aim["title"], exact=True))
        row = card.locator("details", has=page.locator(".unit-title", has_text=unit["title"])).first
        await row.locator("summary").click()
        await row.get_by_role("link", name="Evidence and signatures of this unit").click()
        heading = f"{unit['number']} {unit['title']}"
        await expect(visit.heading(heading)).to_be_visible()
        # What is signed is shown word for word.
        await expect(page.locator("blockquote")).to_have_text(unit["confirmationStatement"])
        assert await violations(page) == [] and await small_targets(visit) == []

        evidence = unit["evidence"][0]
        await page.get_by_role("link", name=evidence["title"]).first.click()
        await expect(visit.heading(evidence["title"])).to_be_visible()
        await page.get_by_role("button", name="Open the document").click()
        await expect(page.get_by_role("link", name="Save a copy")).to_be_visible()
        await page.get_by_text("Add your signature").click()
        assert await violations(page) == [] and await small_targets(visit) == []
        await sign(page, "I have seen this evidence, and sign it.", "Sign the evidence")
        await expect(page.get_by_text(f"You have signed “{evidence['title']}”.").first).to_be_visible()

        await visit.go(f"units/{unit['id']}", heading)
        button = page.get_by_role("button", name="Sign the unit")
        await page.get_by_label("I have looked at the evidence, and confirm this statement.").check()
        await page.get_by_label("Your password").fill("not the password")
        await button.click()
        await expect(page.get_by_label("Your password")).to_be_focused()
        await expect(page.get_by_role("alert")).to_be_visible()
        await page.get_by_label("Your password").fill(PASSWORD)
        await button.click()
        await expect(page.get_by_text(f"You have signed the unit “{unit['title']}”.").first).to_be_visible()
        await expect(visit.heading("Maya Thornton")).to_be_visible()
        await visit.go(f"units/{unit['id']}", heading)
        await expect(page.get_by_text("You have signed this unit.")).to_be_visible()
        await expect(button).to_have_count(0)

        # What the server says afterwards.
        signed = await manager.data(
            f"query($unit: ID!, $evidence: ID!) {{ unit(id: $unit) {{ {unit_fields} }} "
            "evidence(id: $evidence) { signatures { role signedBy { name } } } }",
            unit=unit["id"], evidence=evidence["id"],
        )  # fmt: skip
    (signature,) = [each for each in signed["unit"]["signatures"] if each["role"] == "EMPLOYER_MANAGER"]
    assert signature["statement"] == unit["confirmationStatement"] and signature["withdrawnAt"] is None
    assert signature["signedBy"] == {"name": "Helen Ashworth"} and signature["signedAt"] is not None
    own = {"role": "EMPLOYER_MANAGER", "signedBy": {"name": "Helen Ashworth"}}
    assert signed["evidence"]["signatures"].count(own) == 1


async def small_targets(visit: Visit) -> list[str]:
    """Returns what is touched and is smaller than 44 px, but for links within a sentence."""
    return await visit.page.evaluate(
        """() => [...document.querySelectorAll('a, button, summary, select, input, textarea')]
            .filter(e => !e.closest('.visually-hidden') && e.getClientRects().length && !e.matches('.skip'))
            .map(e => [e, (e.closest('label') ?? (e.matches('h2 a') ? e.closest('li') : e)).getBoundingClientRect()])
            .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
            .map(([e, box]) => `${e.outerHTML.slice(0, 90)} ${box.width}x${box.height}`)"""
    )


@pytest.mark.long
async def test_it_does_not_break(own_running: RunningServer, open_app: Open):
    async with own_running.server.services.database.writing() as session:
        await session.execute(update(User).where(User.name == "Maya Thornton").values(name=f"{LONG} {LONG}"))
        await session.execute(update(Action).values(title=LONG * 2))
        await session.execute(update(Qualification).values(title=LONG * 2))
    visit = await open_app(own_running, "employer.manager", phone=True)
    page = visit.page
    for percent in (100, 200):
        await page.evaluate("size => { document.documentElement.style.fontSize = size }", f"{percent}%")
        paths = ("", "learners", "learners/Learner_1", "learners/Learner_1/actions", "actions", "visits", "time")
        for path in (*paths, "documents", "documents/SignatureRequest_4", "upload/Learner_1", "units/Unit_1.1"):
            await visit.go(path)
            await expect(page.locator(".skeleton, .turning")).to_have_count(0)
            wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert (percent, path, wide) == (percent, path, 0)
            assert (path, await small_targets(visit)) == (path, [])
    await page.evaluate("document.documentElement.style.fontSize = ''")
    # Labels are in the names of what they label (WCAG 2.5.3).
    await visit.go("", "Overview")
    rule = "axe.run(document, { runOnly: ['label-content-name-mismatch'], resultTypes: ['violations'] })"
    await violations(page)
    assert [node["html"] for each in (await page.evaluate(rule))["violations"] for node in each["nodes"]] == []
    # An address that is not valid shows the first screen.
    for path in ("%E0%A4%A", "constructor", "__proto__/1", "learners/%", "nothing/here"):
        await visit.go("visits", "Visits")
        await visit.go(path, "Overview")
    await visit.go("learners?show=constructor&by=toString", "Learners")
    await expect(page.get_by_role("radio", name="All")).to_be_checked()
    # The way back leads to the list as it was filtered.
    await page.get_by_role("radio", name="On track").check()
    await page.locator(".person h2 a").first.click()
    await page.locator(".back").click()
    await expect(page.get_by_role("radio", name="On track")).to_be_checked()
    # After the session has ended, its user is back where they were.
    await visit.go("learners/Learner_1/reviews")
    await expect(page.get_by_role("heading", name="Reviews")).to_be_visible()
    visit.expected = "status of 401"
    change = {"currentPassword": PASSWORD, "newPassword": "three-mile-towpath-9"}
    async with own_running.signed_in("employer.manager") as manager:
        await do(manager, "passwordChange(input: PasswordChangeInput!)", input=change)
    await page.get_by_role("button", name="Refresh").click()
    await expect(page.get_by_text("You have been signed out. Please sign in again.")).to_be_visible()
    await visit.fill_in("employer.manager", change["newPassword"])
    await expect(page.get_by_role("heading", name="Reviews")).to_be_visible()


@pytest.mark.long
async def test_a_manager_without_learners_sees_why(own_running: RunningServer, open_app: Open):
    visit = await open_app(own_running)
    async with own_running.signed_in("master.admin") as admin, own_running.signed_in("employer.manager") as manager:
        listed = await manager.data("{ viewer { user { id } } learners(first: 100) { nodes { id } } }")
        ids = [learner["id"] for learner in listed["learners"]["nodes"]]
        await do(
            admin, "employerManagerDeallocate(userId: ID!, learnerIds: [ID!]!)", learnerIds=ids,
            userId=listed["viewer"]["user"]["id"],
        )  # fmt: skip
    await visit.fill_in("employer.manager")
    await expect(visit.page.get_by_text("No learners are allocated to you yet.")).to_be_visible()
    await expect(visit.page.get_by_text("Your training provider allocates them")).to_be_visible()
    assert await violations(visit.page) == []
