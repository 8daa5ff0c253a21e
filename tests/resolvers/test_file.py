"""Files are announced with a signed link, and used once, by their uploader only."""

import asyncio
from typing import Any

import pytest

from auth.signed_urls import UPLOAD
from db.models.file import File
from domain import global_id as ids
from domain.enums import UserErrorCode
from resolvers import file
from resolvers.core.context import Context
from resolvers.evidence import submission
from resolvers.file import UploadTarget
from tests.support.scenarios.base import PASSWORD, rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


async def announced(context: Context, **arguments: Any) -> UploadTarget:
    return file.upload_target(context, await file.upload_create(context, **arguments))


async def test_an_announced_file_gets_a_signed_link(scenario: EmptyPortfolio) -> None:
    place = await announced(
        scenario.context("manager"), name="C:\\notes\\review.PDF", content_type="application/pdf", size=12
    )
    base, link = place.url.rsplit("/", 1)
    assert base == "http://waymark.test/uploads"
    assert scenario.services.links.verify(UPLOAD, link) == {"file": place.key}
    assert [(header.name, header.value) for header in place.headers] == [("Content-Type", "application/pdf")]
    (row,) = await scenario.rows(File)
    assert (row.name, row.size, row.uploaded_at, row.learner_id) == ("review.PDF", 12, None, None)
    assert place.file_id == ids.encode("File", row.id)
    assert await scenario.audit_trail() == ["fileUploadCreate"]


async def test_the_same_idempotency_key_gives_the_same_link(scenario: EmptyPortfolio) -> None:
    asked = {"name": "review.pdf", "content_type": "", "size": 12}
    places = await asyncio.gather(*(announced(scenario.context("learner", "once"), **asked) for _ in range(10)))
    assert len(await scenario.rows(File)) == 1
    assert all(place == places[0] for place in places)
    other = {**asked, "size": 13}
    assert await rejected(file.upload_create(scenario.context("learner", "once"), **other)) == {
        None: UserErrorCode.INVALID
    }


async def test_concurrent_writes_of_one_provider_do_not_deadlock(scenario: EmptyPortfolio) -> None:
    """Each write refers to the provider, whose row is locked for the audit chain: a full lock would deadlock."""
    who = ["learner", "assessor", "manager", "cy"] * 5
    await asyncio.gather(
        *(file.upload_create(scenario.context(one), name="a.pdf", content_type="", size=1) for one in who)
    )
    assert len(await scenario.rows(File)) == len(await scenario.audit_trail()) == 20


@pytest.mark.parametrize(
    ("name", "content_type", "size", "faults"),
    [
        (" ", "application/pdf", 12, {"input.name": UserErrorCode.REQUIRED}),
        ("run.exe", "", 12, {"input.name": UserErrorCode.INVALID}),
        ("a.pdf", "", 0, {"input.size": UserErrorCode.INVALID}),
        ("a.pdf", "", 100 * 1024 * 1024 + 1, {"input.size": UserErrorCode.INVALID}),
        ("a.exe", "", -1, {"input.name": UserErrorCode.INVALID, "input.size": UserErrorCode.INVALID}),
    ],
)
async def test_invalid_announcements(
    scenario: EmptyPortfolio, name: str, content_type: str, size: int, faults: dict[str, UserErrorCode]
) -> None:
    doing = file.upload_create(scenario.context("learner"), name=name, content_type=content_type, size=size)
    assert await rejected(doing) == faults
    assert await scenario.rows(File) == []


async def test_a_file_of_the_maximum_size_is_accepted(scenario: EmptyPortfolio) -> None:
    await file.upload_create(
        scenario.context("learner"), name="a.mp4", content_type="video/mp4", size=100 * 1024 * 1024
    )
    assert len(await scenario.rows(File)) == 1


async def submit(scenario: EmptyPortfolio, who: str, file_id: str) -> int:
    return await submission.submit(
        scenario.context(who), aim_id=scenario.aim, file_id=file_id, title="Brakes", description="Bled them",
        declare_own_work=True, password=PASSWORD,
    )  # fmt: skip


async def test_a_file_is_used_once_by_concurrent_requests(scenario: EmptyPortfolio) -> None:
    id = await scenario.upload("learner")
    done = await asyncio.gather(*(submit(scenario, "learner", id) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, int) for one in done) == 1
    assert await rejected(submit(scenario, "learner", id)) == {"input.fileId": UserErrorCode.CONFLICT}


async def test_only_the_uploader_can_use_a_file_and_only_after_its_arrival(scenario: EmptyPortfolio) -> None:
    theirs = await scenario.upload("manager")
    assert await rejected(submit(scenario, "learner", theirs)) == {"input.fileId": UserErrorCode.NOT_FOUND}
    assert await rejected(submit(scenario, "learner", scenario.aim)) == {"input.fileId": UserErrorCode.NOT_FOUND}
    await submit(scenario, "manager", theirs)
    assert await rejected(submit(scenario, "learner", theirs)) == {"input.fileId": UserErrorCode.NOT_ALLOWED}
    place = await announced(scenario.context("learner"), name="a.pdf", content_type="", size=5)
    assert await rejected(submit(scenario, "learner", place.file_id)) == {"input.fileId": UserErrorCode.INVALID}
