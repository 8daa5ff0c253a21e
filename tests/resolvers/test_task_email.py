"""E-mails about tasks: as they arise, once a day, and as reminders; sent once, ended by a link, never on a break."""

import asyncio
import datetime as dt
from typing import Any

import httpx2
import pytest
from sqlalchemy import update
from starlette.applications import Starlette
from structlog.testing import capture_logs

from auth.lasting_links import UNSUBSCRIBE
from db.models.aim import Aim
from db.models.evidence import Evidence
from db.models.outbox import OutboxMail
from db.models.provider import Provider
from db.models.task_reminder import TaskReminder
from db.models.user import User
from domain import clock
from domain import global_id as ids
from domain.enums import AimStatus
from resolvers.core.context import Client
from resolvers.notification_settings import unsubscribe
from resolvers.task_email import TaskEmails, _Recipient
from services.mail.sender import MailSender
from services.mail.task_messages import TASKS_AROSE, TASKS_TODAY, TASKS_WAIT
from tests.support.factories import DAY, Factory
from tests.support.scenarios.empty_portfolio import EmptyPortfolio
from tests.support.smtp_mailbox import smtp_server
from transport.pages import unsubscribe_page

# A time of day at which reminders are sent.
NOON = clock.london_time(clock.today() + DAY, 12)


async def choose(scenario: EmptyPortfolio, who: str, **changes: Any) -> dict[str, Any]:
    query = """mutation($input: NotificationSettingsInput!) { notificationSettingsUpdate(input: $input) {
      viewer { notificationSettings { emailFor digestHour calendarUrl } } errors { code field message } } }"""
    payload = (await scenario.client(who).data(query, input=changes))["notificationSettingsUpdate"]
    assert payload["errors"] == []
    return payload["viewer"]["notificationSettings"]


async def send(scenario: EmptyPortfolio, now: dt.datetime = NOON, passes: int = 1) -> list[OutboxMail]:
    """Makes passes a minute apart; returns the e-mails that they wrote."""
    before = {mail.id for mail in await scenario.rows(OutboxMail)}
    for number in range(passes):
        await TaskEmails(scenario.services).send_due(now + number * dt.timedelta(minutes=1))
    return [mail for mail in await scenario.rows(OutboxMail) if mail.id not in before]


async def submitted(scenario: EmptyPortfolio, at: dt.datetime, title: str = "Brakes") -> Evidence:
    async with scenario.database.writing() as session:
        aim = await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        return await Factory(session).evidence(aim, scenario.user("learner"), submitted_at=at, title=title)


async def remind_every(scenario: EmptyPortfolio, days: int) -> None:
    await scenario.client("master").mutate("providerSettingsUpdate", input={"reminderEveryDays": days})


async def test_settings_begin_with_what_is_mailed_and_are_the_viewers_own(scenario: EmptyPortfolio) -> None:
    mailed = ["SIGN_DOCUMENT", "SIGN_REVIEW", "ASSESS_EVIDENCE", "RESUBMIT_EVIDENCE", "ANSWER_SAMPLE"]
    begun = {"emailFor": mailed, "digestHour": None}
    assert await choose(scenario, "manager") == {**begun, "calendarUrl": None}
    chosen = await choose(scenario, "assessor", emailFor=["CHOOSE_UNITS", "ASSESS_EVIDENCE"], digestHour=7)
    assert (chosen["emailFor"], chosen["digestHour"]) == (["ASSESS_EVIDENCE", "CHOOSE_UNITS"], 7)
    assert (await choose(scenario, "assessor", emailFor=[], digestHour=None))["emailFor"] == []
    assert (await choose(scenario, "manager"))["emailFor"] == begun["emailFor"]
    payload = await scenario.client("learner").payload("notificationSettingsUpdate", input={"digestHour": 24})
    assert [(error["code"], error["field"]) for error in payload["errors"]] == [("INVALID", ["input", "digestHour"])]


async def test_work_that_arises_is_mailed_once_to_who_has_chosen_it(scenario: EmptyPortfolio) -> None:
    await submitted(scenario, clock.now() - DAY, "Before the choice")
    await choose(scenario, "assessor", emailFor=["ASSESS_EVIDENCE"])
    await submitted(scenario, clock.now() + dt.timedelta(hours=1), "Brakes")
    [mail] = await send(scenario, passes=3)
    assert (mail.kind, mail.to_address) == (TASKS_AROSE, scenario.user("assessor").email)
    assert mail.subject == "New: 1 piece of evidence to assess"
    assert "- Assess the evidence: Brakes (Learner)" in mail.body and "Before the choice" not in mail.body
    assert mail.unsubscribe_url and mail.unsubscribe_url in mail.body


async def test_two_processes_send_each_mail_once(scenario: EmptyPortfolio) -> None:
    await choose(scenario, "assessor", emailFor=["ASSESS_EVIDENCE"], digestHour=0)
    await submitted(scenario, clock.now() + dt.timedelta(hours=1))
    await asyncio.gather(*(TaskEmails(scenario.services).send_due(NOON) for _ in range(2)))
    kinds = [mail.kind for mail in await scenario.rows(OutboxMail)]
    assert sorted(kinds) == [TASKS_AROSE, TASKS_TODAY]


async def test_what_waits_is_mailed_once_a_day_from_the_chosen_hour(scenario: EmptyPortfolio) -> None:
    await choose(scenario, "assessor", emailFor=[], digestHour=11)
    for number in range(25):
        await submitted(scenario, clock.now() - number * DAY, f"Evidence {number}")
    day = clock.day_of(NOON)
    assert await send(scenario, clock.london_time(day, 10)) == []
    [mail] = await send(scenario, clock.london_time(day, 11), passes=2)
    assert (mail.kind, mail.subject) == (TASKS_TODAY, "Today: 26 tasks wait for you")
    assert "- 25 pieces of evidence to assess" in mail.body and "- 1 review to book" in mail.body
    assert mail.body.count("- Assess the evidence") == 19 and "and 6 more." in mail.body
    assert await send(scenario, clock.london_time(day, 23)) == []
    assert len(await send(scenario, clock.london_time(day + DAY, 11))) == 1


async def test_reminders_come_every_so_many_days_until_it_is_done(scenario: EmptyPortfolio) -> None:
    evidence = await submitted(scenario, NOON - 3 * DAY)
    assert await send(scenario) == []
    await remind_every(scenario, 3)
    [mail] = await send(scenario, passes=2)
    assert (mail.kind, mail.subject) == (TASKS_WAIT, "Reminder: 1 piece of evidence to assess")
    assert mail.to_address == scenario.user("assessor").email
    sent = [len(await send(scenario, NOON + days * DAY)) for days in range(1, 7)]
    assert sent == [0, 0, 1, 0, 0, 1]
    assert len(await scenario.rows(TaskReminder)) == 1
    returned = {"id": ids.encode("Evidence", evidence.id), "pointsForImprovement": "Say why"}
    await scenario.client("assessor").mutate("evidenceReturn", **returned)
    later = [mail.to_address for day in range(7, 13) for mail in await send(scenario, NOON + day * DAY)]
    assert scenario.user("assessor").email not in later
    # It waits for who submitted it now.
    assert set(later) == {scenario.user("learner").email}


async def test_nobody_is_reminded_on_a_break_or_before_the_morning(scenario: EmptyPortfolio) -> None:
    await submitted(scenario, NOON - 30 * DAY)
    await remind_every(scenario, 1)
    assert await send(scenario, clock.london_time(clock.day_of(NOON), 7)) == []
    aim = Aim.id == ids.decode("Aim", scenario.aim)
    for status, expected in ((AimStatus.SUSPENDED, 0), (AimStatus.IN_TRAINING, 1)):
        async with scenario.database.writing() as session:
            await session.execute(update(Aim).where(aim).values(status=status))
            await session.execute(update(User).values(reminded_on=None))
            await session.execute(update(Provider).values(notifying_at=None))
        assert len(await send(scenario)) == expected


async def test_the_link_ends_a_kind_also_of_what_mutations_send(scenario: EmptyPortfolio) -> None:
    async def ask() -> list[OutboxMail]:
        before = len(await scenario.rows(OutboxMail))
        file_id = await scenario.upload("assessor")
        asked = {"learnerId": scenario.ada, "title": "Plan", "fileId": file_id, "roles": ["LEARNER"]}
        await scenario.client("assessor").mutate("signatureRequestCreate", input=asked)
        return (await scenario.rows(OutboxMail))[before:]

    [mail] = await ask()
    assert "Open it in Waymark:" in mail.body and mail.unsubscribe_url in mail.body

    async def end(token: str, address: str, request_id: str | None) -> bool:
        return await unsubscribe(scenario.services, token, Client(address, request_id))

    app = Starlette(routes=unsubscribe_page.routes(end))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=scenario.services.base_url) as client:
        shown = await client.get(mail.unsubscribe_url)
        # Opening the link ends nothing: mail scanners do that.
        assert shown.status_code == 200 and len(await ask()) == 1
        wrong = await client.post("/unsubscribe", data={"token": mail.unsubscribe_url[-40:]})
        assert wrong.status_code == 422 and len(await ask()) == 1
        # As a mail program does for its own button (RFC 8058).
        ended = await client.post(mail.unsubscribe_url, data={"List-Unsubscribe": "One-Click"})
        assert ended.status_code == 200 and "no more" in ended.text
    assert await ask() == []
    left = ["SIGN_REVIEW", "ASSESS_EVIDENCE", "RESUBMIT_EVIDENCE", "ANSWER_SAMPLE"]
    assert (await choose(scenario, "learner"))["emailFor"] == left
    assert (await scenario.audit_trail())[-2:] == ["notificationSettingsUpdate", "signatureRequestCreate"]


async def test_a_daily_mail_is_ended_by_its_own_link(scenario: EmptyPortfolio) -> None:
    await choose(scenario, "assessor", digestHour=9)
    [mail] = await send(scenario)
    assert await unsubscribe(scenario.services, mail.unsubscribe_url.partition("=")[2], Client())
    assert (await choose(scenario, "assessor"))["digestHour"] is None


@pytest.mark.parametrize("token", ["", "7", "7.SIGN_DOCUMENT.x", "é.x", "a" * 300])
async def test_other_tokens_end_nothing(scenario: EmptyPortfolio, token: str) -> None:
    assert not await unsubscribe(scenario.services, token, Client())
    links = scenario.services.lasting_links
    assert links.verify("calendar", links.sign(UNSUBSCRIBE, "7", "DIGEST")) is None


async def test_a_real_server_gets_the_mail_with_the_buttons_of_mail_programs(scenario: EmptyPortfolio) -> None:
    await choose(scenario, "assessor", digestHour=9)
    [mail] = await send(scenario)
    async with scenario.database.writing() as session:
        await session.execute(update(OutboxMail).values(due_at=clock.now()))
    async with smtp_server() as (mailbox, server):
        assert await MailSender(scenario.database, server).send_due() == 1
    [(_, message)] = mailbox.received
    # In one piece, which a mail program finds.
    assert dict(message.raw_items())["List-Unsubscribe"] == f"<{mail.unsubscribe_url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_a_user_whose_e_mails_fail_keeps_none_from_another(
    empty_portfolio: EmptyPortfolio, monkeypatch: pytest.MonkeyPatch
):
    for who in ("assessor", "learner"):
        await choose(empty_portfolio, who, digestHour=7)
    sent, send_one = [], _Recipient.send

    async def failing(self: _Recipient) -> int:
        sent.append(self._user.user_id)
        if len(sent) == 1:
            raise KeyError("a defect")
        return await send_one(self)

    monkeypatch.setattr(_Recipient, "send", failing)
    with capture_logs() as logs:
        await TaskEmails(empty_portfolio.services).send_due(NOON)
    assert len(sent) == 2
    (line,) = [each for each in logs if each["event"] == "task_emails_failed"]
    assert (line["user"], line["cause"]) == (sent[0], "KeyError")
