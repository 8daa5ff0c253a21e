"""People without an account sign one slot of one document through a link, which many things end."""

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import update
from starlette.applications import Starlette

from db.models.audit_event import AuditEvent
from db.models.file import File
from db.models.guest_invitation import GuestInvitation
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.user import User
from domain import clock
from domain.confirmation_statements import guest_statement
from domain.enums import Role, SignatureRequestStatus, UserErrorCode
from resolvers import guest_invitation, signature_request
from resolvers.guest_signing import GuestSigningService
from services.audit.signature_check import signature_problems
from services.privacy.erasure import erase_learner
from services.quotas import Quotas
from tests.resolvers.test_signature_request import asked, sign
from tests.support.scenarios.base import rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio
from transport.pages import guest_page

JO = "Jo.Miller@garage.example"


@pytest.fixture
async def browser(scenario: EmptyPortfolio) -> AsyncIterator[httpx2.AsyncClient]:
    app = Starlette(routes=guest_page.routes(GuestSigningService(scenario.services)))
    transport = httpx2.ASGITransport(app, client=("192.0.2.7", 50_000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def invite(scenario: EmptyPortfolio, id: str, who: str = "assessor", **changes: Any) -> None:
    words = {"role": Role.EMPLOYER_MANAGER, "name": "Jo Miller", "email": JO, **changes}
    await guest_invitation.invite(scenario.context(who), request_id=id, **words)


async def last_link(scenario: EmptyPortfolio) -> str:
    """Returns the token of the link that was sent last."""
    body = [mail.body for mail in await scenario.mails() if mail.kind == "guest_invitation"][-1]
    (token,) = re.findall(r"^http://waymark\.test/sign\?token=(\S+)$", body, re.MULTILINE)
    return token


async def last_code(scenario: EmptyPortfolio) -> str:
    mail = [mail for mail in await scenario.mails() if mail.kind == "guest_code"][-1]
    assert mail.to_address == JO
    (code,) = re.findall(r"^\d{8}$", mail.body, re.MULTILINE)
    return code


async def prepared(scenario: EmptyPortfolio, browser: httpx2.AsyncClient) -> tuple[str, str, dict[str, str]]:
    """Invites Jo, who opens the document and asks for a code. Returns the id, the digest, and the form to sign."""
    id, digest = await asked(scenario)
    await invite(scenario, id)
    token = await last_link(scenario)
    opened = await browser.post("/sign/document", data={"token": token})
    assert (opened.status_code, opened.headers["location"].startswith("/downloads/")) == (303, True)
    named = {"token": token, "name": "Joanna Miller"}
    assert (await browser.post("/sign/code", data=named)).status_code == 200
    return id, digest, {**named, "code": await last_code(scenario)}


async def slot(scenario: EmptyPortfolio) -> SignatureSlot:
    return (await scenario.rows(SignatureSlot, SignatureSlot.role == Role.EMPLOYER_MANAGER))[0]


async def end(scenario: EmptyPortfolio, *statements: Any) -> None:
    async with scenario.database.writing() as session:
        for statement in statements:
            await session.execute(statement.execution_options(synchronize_session=False))


async def test_a_guest_opens_reads_and_signs(scenario: EmptyPortfolio, browser: httpx2.AsyncClient) -> None:
    id, digest = await asked(scenario)
    await sign(scenario, "learner", id, digest)
    await invite(scenario, id)
    invited = await slot(scenario)
    assert (invited.guest_email, invited.signed_at) == (JO, None)
    token = await last_link(scenario)
    page = await browser.get("/sign", params={"token": token})
    assert page.status_code == 200 and "Review" in page.text and "J…@garage.example" in page.text
    # A mail scanner that opens the link leaves nothing in the trail, and uses nothing up.
    assert (await scenario.audit_trail())[-1] == "guestSignatureInvite"
    unread = await browser.post("/sign/code", data={"token": token, "name": "Joanna Miller"})
    assert unread.status_code == 422 and "Open the document first" in unread.text
    for _ in range(2):
        await browser.post("/sign/document", data={"token": token})
    form = {"token": token, "name": "  Joanna\u200b <b>Miller "}
    code_page = await browser.post("/sign/code", data=form)
    assert "I, Joanna &lt;b&gt;Miller, have opened and read “Review”" in code_page.text
    code = await last_code(scenario)
    assert code not in code_page.text
    wrong = await browser.post("/sign", data={**form, "code": "00000000"})
    assert wrong.status_code == 422 and "nothing was signed" in wrong.text and 'name="code"' in wrong.text
    done = await browser.post("/sign", data={**form, "code": f" {code[:4]} {code[4:]} "})
    assert done.status_code == 200 and "Signed" in done.text

    signed = await slot(scenario)
    assert (signed.signed_by_id, signed.guest_name, signed.guest_email) == (None, "Joanna <b>Miller", JO)
    assert signed.statement == guest_statement("Review", "Joanna <b>Miller")
    assert signed.document_sha256 == digest
    (request,) = await scenario.rows(SignatureRequest)
    assert request.status is SignatureRequestStatus.COMPLETE
    trail = (await scenario.rows(AuditEvent))[-4:]
    assert [(line.action, line.actor_id, line.role) for line in trail] == [
        ("guestSignatureInvite", scenario.user("assessor").id, Role.ASSESSOR),
        ("guestSignatureOpen", None, Role.EMPLOYER_MANAGER),
        ("signingRefused", None, Role.EMPLOYER_MANAGER),
        ("guestSignatureSign", None, Role.EMPLOYER_MANAGER),
    ]
    assert trail[-1].detail["sha256"] == digest and trail[-1].address == "192.0.2.7"
    again = await browser.post("/sign", data={**form, "code": code})
    assert again.status_code == 410 and (await browser.get("/sign", params={"token": token})).status_code == 410
    async with scenario.database.writing() as session:
        assert [one async for one in signature_problems(session)] == []
        for forged in ({"guest_name": "Somebody"}, {"guest_email": "else@garage.example"}, {"statement": "I"}):
            before = {name: getattr(signed, name) for name in forged}
            slots = update(SignatureSlot).where(SignatureSlot.id == signed.id)
            await session.execute(slots.values(**forged))
            assert [one async for one in signature_problems(session)] != [], forged
            await session.execute(slots.values(**before))
        assert [one async for one in signature_problems(session)] == []


async def test_who_sees_the_address(scenario: EmptyPortfolio) -> None:
    id, _ = await asked(scenario)
    query = "query($id: ID!) { signatureRequest(id: $id) { slots { role guestEmail signedBy { name } } } }"
    await invite(scenario, id, "basic")
    for who in ("learner", "assessor", "basic", "master", "manager", "overview"):
        found = await scenario.client(who).data(query, id=id)
        shown = {each["role"]: each["guestEmail"] for each in found["signatureRequest"]["slots"]}
        expected = None if who in ("manager", "overview") else JO
        assert shown == {"LEARNER": None, "EMPLOYER_MANAGER": expected}, who


async def test_who_can_be_asked(scenario: EmptyPortfolio) -> None:
    id, digest = await asked(scenario, roles=[Role.LEARNER, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW])
    own, manager = scenario.user("assessor").email, scenario.user("colleague").email
    assert await rejected(invite(scenario, id, email=own.upper())) == {"email": UserErrorCode.NOT_ALLOWED}
    for account in (manager, manager.upper(), scenario.user("learner").email):
        assert await rejected(invite(scenario, id, email=account)) == {"email": UserErrorCode.CONFLICT}
    for role in (Role.LEARNER, Role.ASSESSOR, Role.MASTER_ADMIN):
        assert await rejected(invite(scenario, id, role=role)) == {"role": UserErrorCode.INVALID}
    errors = await rejected(invite(scenario, id, name=" \u200b", email="a@b"))
    assert errors == {"name": UserErrorCode.REQUIRED, "email": UserErrorCode.INVALID}
    assert await scenario.rows(GuestInvitation) == []
    # At another provider the person may have an account.
    await invite(scenario, id, email=scenario.user("zoe").email)
    await invite(scenario, id)
    assert await rejected(invite(scenario, id, role=Role.EMPLOYER_OVERVIEW, email=JO.lower())) == {
        "email": UserErrorCode.CONFLICT
    }
    for who in ("learner", "iqa", "manager", "overview"):
        code = UserErrorCode.NOT_ALLOWED
        assert await rejected(invite(scenario, id, who)) == {None: code}
    assert await rejected(invite(scenario, id, "foreign_assessor")) == {"requestId": UserErrorCode.NOT_FOUND}
    for _ in range(4):
        await invite(scenario, id)
    assert await rejected(invite(scenario, id)) == {"email": UserErrorCode.TOO_MANY_ATTEMPTS}
    await sign(scenario, "manager", id, digest)
    assert await rejected(invite(scenario, id, email="other@garage.example")) == {"role": UserErrorCode.CONFLICT}
    await signature_request.cancel(scenario.context("assessor"), id=id)
    assert await rejected(invite(scenario, id, email="other@garage.example")) == {"requestId": UserErrorCode.CONFLICT}


async def test_a_user_sends_so_many_links_a_day(scenario: EmptyPortfolio) -> None:
    id, _ = await asked(scenario)
    scenario.services.quotas = Quotas(guest_links_day=2)
    for number in range(2):
        await invite(scenario, id, email=f"guest{number}@garage.example")
    assert await rejected(invite(scenario, id)) == {"requestId": UserErrorCode.TOO_MANY_ATTEMPTS}
    await invite(scenario, id, "basic")


async def test_what_ends_a_link(scenario: EmptyPortfolio, browser: httpx2.AsyncClient) -> None:
    """Each of them in a transaction of its own, after the code was sent."""
    id, digest, form = await prepared(scenario, browser)
    (request,) = await scenario.rows(SignatureRequest)
    (invitation,) = await scenario.rows(GuestInvitation)
    past = invitation.invited_at - dt.timedelta(days=15)

    async def refused(ending: Any, undo: Any, words: str) -> None:
        await end(scenario, ending)
        for path in ("/sign/document", "/sign/code", "/sign"):
            answer = await browser.post(path, data=form)
            assert (answer.status_code, words in answer.text) == (410, True), (words, path, answer.text[-300:])
        await end(scenario, undo)

    links = update(GuestInvitation)
    await refused(
        links.values(expires_at=past), links.values(expires_at=invitation.expires_at), "This link has expired"
    )
    files = update(File).where(File.id == request.file_id)
    await refused(files.values(sha256="1" * 64), files.values(sha256=digest), "The document was changed")
    requests = update(SignatureRequest)
    cancelled, pending = SignatureRequestStatus.CANCELLED, SignatureRequestStatus.PENDING
    await refused(requests.values(status=cancelled), requests.values(status=pending), "This request was cancelled")
    user = update(User).where(User.id == scenario.user("colleague").id)
    await refused(
        user.values(email=JO.upper()), user.values(email=scenario.user("colleague").email), "You have an account now"
    )
    await invite(scenario, id)
    answer = await browser.post("/sign", data=form)
    assert answer.status_code == 410 and "replaced by a newer one" in answer.text
    await sign(scenario, "manager", id, digest)
    form["token"] = await last_link(scenario)
    answer = await browser.post("/sign", data=form)
    assert answer.status_code == 410 and "signed as an Employer Manager" in answer.text
    assert (await slot(scenario)).guest_email is None
    assert await rejected(invite(scenario, id)) == {"requestId": UserErrorCode.CONFLICT}


async def test_codes_are_limited_and_end(scenario: EmptyPortfolio, browser: httpx2.AsyncClient) -> None:
    _, _, form = await prepared(scenario, browser)
    first = form["code"]
    for _ in range(4):
        assert (await browser.post("/sign/code", data=form)).status_code == 200
    refused = await browser.post("/sign/code", data=form)
    assert refused.status_code == 429 and "5 codes in an hour" in refused.text
    newest = await last_code(scenario)
    old = await browser.post("/sign", data={**form, "code": first})
    assert old.status_code == 422
    await end(scenario, update(GuestInvitation).values(code_expires_at=GuestInvitation.invited_at))
    assert (await browser.post("/sign", data={**form, "code": newest})).status_code == 422
    for _ in range(8):
        assert (await browser.post("/sign", data={**form, "code": "1234"})).status_code == 422
    late = await browser.post("/sign", data={**form, "code": newest})
    assert late.status_code == 429 and "Too many wrong codes" in late.text
    assert (await slot(scenario)).signed_at is None


async def test_unknown_links_are_limited_by_network(scenario: EmptyPortfolio, browser: httpx2.AsyncClient) -> None:
    _, _, form = await prepared(scenario, browser)
    codes = [(await browser.get("/sign", params={"token": f"guess {n}"})).status_code for n in range(12)]
    assert codes == [410] * 10 + [429] * 2
    # Who holds a link is not refused for it.
    assert (await browser.get("/sign", params={"token": form["token"]})).status_code == 200
    nameless = await browser.post("/sign", data={**form, "name": " "})
    assert nameless.status_code == 422 and "Type your name" in nameless.text and 'name="code"' not in nameless.text
    large = await browser.post("/sign", data={**form, "name": "x" * 9_000})
    assert large.status_code == 413


async def test_a_guest_and_a_manager_take_one_slot(scenario: EmptyPortfolio, browser: httpx2.AsyncClient) -> None:
    id, digest, form = await prepared(scenario, browser)
    await sign(scenario, "learner", id, digest)
    done = await asyncio.gather(
        *(browser.post("/sign", data=form) for _ in range(18)),
        *(sign(scenario, who, id, digest) for who in ("manager", "second")),
        return_exceptions=True,
    )
    by_guest = [one.status_code for one in done[:18] if isinstance(one, httpx2.Response)].count(200)
    assert by_guest + sum(isinstance(one, int) for one in done) == 1
    signed, (request,) = await slot(scenario), await scenario.rows(SignatureRequest)
    assert (signed.signed_by_id is None, signed.guest_email) == ((True, JO) if by_guest else (False, None))
    assert request.status is SignatureRequestStatus.COMPLETE
    signatures = [action for action in await scenario.audit_trail() if action.endswith("Sign")]
    assert len(signatures) == 2


async def test_erasure_takes_the_link_and_the_words(scenario: EmptyPortfolio, browser: httpx2.AsyncClient) -> None:
    _, _, form = await prepared(scenario, browser)
    assert (await browser.post("/sign", data=form)).status_code == 200
    async with scenario.database.writing() as session:
        learner = await session.merge(scenario.people["learner"][2])
        await erase_learner(session, learner, clock.now())
    erased = await slot(scenario)
    assert (erased.guest_name, erased.guest_email, erased.statement) == ("(erased)",) * 3
    assert await scenario.rows(GuestInvitation) == []
    assert (await browser.get("/sign", params={"token": form["token"]})).status_code == 410
