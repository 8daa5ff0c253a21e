"""Quotas: messages of a day by sender, and uploads that no record uses by user and by provider."""

import asyncio
import datetime as dt

import pytest
from sqlalchemy import update

from db.models.file import File
from db.models.outbox import OutboxMail
from domain.enums import UserErrorCode
from resolvers import file, message, resource
from services.quotas import Quotas
from services.sweeper import Sweeper
from tests.support.scenarios.base import rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

PDF = {"name": "review.pdf", "content_type": "", "size": 1024 * 1024}
WORDS = {"subject": "Tuesday", "body": "Shall we meet?"}


async def test_a_sender_has_so_many_messages_a_day(scenario: EmptyPortfolio) -> None:
    scenario.services.quotas = Quotas(messages_day=3)

    async def send(who: str) -> None:
        await message.send(scenario.context(who), aim_id=scenario.aim, **WORDS)

    for _ in range(3):
        await send("learner")
    before = await scenario.row_counts()
    assert await rejected(send("learner")) == {"input": UserErrorCode.TOO_MANY_ATTEMPTS}
    assert await scenario.row_counts() == before
    text = await scenario.client("learner").user_error_text("messageSend", input={"aimId": scenario.aim, **WORDS})
    assert text == "You have sent 3 messages in the last 24 hours, which is the limit. Try again in 24 hours."
    # Other senders have their own, and what Waymark sends by itself is not counted.
    await send("manager")
    assert [mail.sender_id for mail in await scenario.mails()] == [scenario.user("learner").id] * 3 + [
        scenario.user("manager").id
    ]
    (oldest, *_) = await scenario.mails()
    async with scenario.database.writing() as session:
        (await session.get_one(OutboxMail, oldest.id)).created_at -= dt.timedelta(hours=24)
    await send("learner")


async def test_many_messages_at_once_are_counted_one_by_one(scenario: EmptyPortfolio) -> None:
    scenario.services.quotas = Quotas(messages_day=3)
    sending = (message.send(scenario.context("learner"), aim_id=scenario.aim, **WORDS) for _ in range(12))
    await asyncio.gather(*sending, return_exceptions=True)
    assert len(await scenario.mails()) == 3


@pytest.mark.parametrize("quotas", [Quotas(unused_files=3), Quotas(unused_megabytes=3)])
async def test_a_user_has_so_many_uploads_that_nothing_uses(scenario: EmptyPortfolio, quotas: Quotas) -> None:
    scenario.services.quotas = quotas

    async def announce(who: str) -> int:
        return (await file.upload_create(scenario.context(who), **PDF))["key"]

    keys = [await announce("assessor") for _ in range(3)]
    before = await scenario.row_counts()
    assert await rejected(announce("assessor")) == {"input": UserErrorCode.TOO_MANY_ATTEMPTS}
    assert await scenario.row_counts() == before
    await announce("learner")
    # A file that a record uses does not count any more.
    async with scenario.database.writing() as session:
        await session.execute(update(File).where(File.id == keys[0]).values(uploaded_at=File.announced_at))
    await resource.add(scenario.context("assessor"), aim_id=scenario.aim, title="Manual", file_id=f"File_{keys[0]}")
    await announce("assessor")
    assert await rejected(announce("assessor")) == {"input": UserErrorCode.TOO_MANY_ATTEMPTS}
    # Nor does one that was swept.
    async with scenario.database.writing() as session:
        (await session.get_one(File, keys[1])).announced_at -= dt.timedelta(days=3)
    assert (await Sweeper(scenario.database, scenario.services.files).sweep())["file"] == 1
    await announce("assessor")


@pytest.mark.parametrize("quotas", [Quotas(unused_files_provider=3), Quotas(unused_megabytes_provider=3)])
async def test_a_provider_has_so_many_uploads_that_nothing_uses(scenario: EmptyPortfolio, quotas: Quotas) -> None:
    scenario.services.quotas = quotas
    for who in ("learner", "cy", "assessor"):
        await file.upload_create(scenario.context(who), **PDF)
    doing = file.upload_create(scenario.context("manager"), **PDF)
    assert await rejected(doing) == {"input": UserErrorCode.TOO_MANY_ATTEMPTS}
    await file.upload_create(scenario.context("zoe"), **PDF)


async def test_many_uploads_at_once_are_counted_one_by_one(scenario: EmptyPortfolio) -> None:
    scenario.services.quotas = Quotas(unused_files=3)
    announcing = (file.upload_create(scenario.context("learner"), **PDF) for _ in range(12))
    await asyncio.gather(*announcing, return_exceptions=True)
    assert len(await scenario.rows(File)) == 3


def test_quotas_are_settings() -> None:
    assert Quotas.read({"WAYMARK_QUOTA_EXPORTS": "8", "PATH": "/bin"}) == Quotas(exports=8)
    for name, value in (("EXPORTS", "0"), ("EXPORTS", "many"), ("MESSAGES_DAY", "-1"), ("NONE", "1")):
        with pytest.raises(ValueError, match=f"WAYMARK_QUOTA_{name}"):
            Quotas.read({f"WAYMARK_QUOTA_{name}": value})
