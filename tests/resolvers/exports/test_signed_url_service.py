"""The service behind signed links: an upload is recorded once, downloads and exports follow the user's scope."""

import asyncio
import datetime as dt
import io

import openpyxl
import pytest
from pypdf import PdfReader
from sqlalchemy import delete, update

from auth.signed_urls import DOWNLOAD, EXPORT, InvalidSignedUrl
from db.models.aim import Aim
from db.models.auth_session import AuthSession
from db.models.file import File
from db.models.provider import Provider
from db.models.user import ManagerAllocation, RoleGrant, User
from domain import clock
from domain.enums import Role
from services.storage.file_store import StoredFile
from services.storage.transfers import GeneratedExport
from tests.support.client import InProcessClient
from tests.support.factories import DAY, SHA256, Factory
from tests.support.scenarios.base import id_of
from tests.support.signed_url_counter import FILE, Counter


def text_of(made: GeneratedExport | None) -> str:
    assert made is not None
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(made.content)).pages)


def comments_in(made: GeneratedExport | None) -> list[str]:
    """Returns the comments of the time log, in order."""
    assert made is not None
    rows = list(openpyxl.load_workbook(io.BytesIO(made.content)).active.iter_rows(values_only=True))
    head = next(number for number, row in enumerate(rows) if row[0] == "Date")
    column = rows[head].index("Comments")
    return [row[column] for row in rows[head + 1 : -1]]


async def stored(counter: Counter, file: File) -> None:
    await counter.change(update(File).where(File.id == file.id).values(storage_key="ab/" + "c" * 32))


async def test_a_download_link_works_for_its_user(counter: Counter) -> None:
    it = counter.scenario
    await stored(counter, it.older)
    for who in ("ada", "assessor", "iqa", "manager", "overview", "basic", "master"):
        held = await counter.url_service.stored_download(await counter.claims(who, it.older))
        assert held is not None
        assert (held.name, held.content_type, held.size, held.sha256) == ("older.txt", "text/plain", 5, SHA256)
    answer = await counter.scenario.client("other_assessor").data(FILE, id=id_of(it.older))
    assert answer == {"node": None}


@pytest.mark.parametrize("taken", ["allocation", "sign-in", "role", "account", "disclaimer", "file"])
async def test_a_link_ends_with_the_access_of_its_user(counter: Counter, taken: str) -> None:
    it = counter.scenario
    await stored(counter, it.older)
    claims, exports = await counter.claims("manager", it.older), await counter.exports("manager")
    assert await counter.url_service.stored_download(claims) is not None
    await counter.change(
        {
            "allocation": delete(ManagerAllocation).where(ManagerAllocation.user_id == it.manager.id),
            "sign-in": update(AuthSession).values(ended_at=clock.now()),
            "role": delete(RoleGrant).where(RoleGrant.user_id == it.manager.id),
            "account": update(User).where(User.id == it.manager.id).values(archived_at=clock.now()),
            "disclaimer": update(Provider).values(disclaimer="Read me", disclaimer_version=2),
            "file": update(File).values(erased_at=clock.now()),
        }[taken]
    )
    assert await counter.url_service.stored_download(claims) is None
    for made in [await counter.generate(claims) for claims in exports.values()] if taken != "file" else []:
        assert made is None


async def test_a_replaced_assessor_loses_the_files_of_the_aim(counter: Counter) -> None:
    it = counter.scenario
    await stored(counter, it.older)
    claims, exports = await counter.claims("assessor", it.older), await counter.exports("assessor")
    await counter.change(update(Aim).where(Aim.id == it.main.id).values(assessor_id=it.bob.id))
    assert await counter.url_service.stored_download(claims) is None
    assert [await counter.generate(claims) for claims in exports.values()] == [None] * 4


async def test_links_are_valid_for_five_minutes_and_one_purpose(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = await counter.sign_in("ada")
    answer = await InProcessClient.of(context).data(FILE, id=id_of(counter.scenario.older))
    download = answer["node"]["download"]
    text = download["url"].rpartition("/")[2]
    expires = dt.datetime.fromisoformat(download["expiresAt"])
    left = expires - clock.now()
    assert dt.timedelta(minutes=4) < left <= dt.timedelta(minutes=5)
    with pytest.raises(InvalidSignedUrl):
        context.services.links.verify(EXPORT, text)
    monkeypatch.setattr(clock, "now", lambda: expires)
    with pytest.raises(InvalidSignedUrl):
        context.services.links.verify(DOWNLOAD, text)


async def test_an_announced_file_is_recorded_once(counter: Counter) -> None:
    scenario = counter.scenario
    async with scenario.database.writing() as session:
        file = await Factory(session).file(scenario.people["ada"][0], sha256=None, uploaded_at=None)
    claims = {"file": file.id}
    # The file is not visible until its bytes have arrived.
    assert await scenario.client("ada").data(FILE, id=id_of(file)) == {"node": None}
    expected = await counter.url_service.expected_upload(claims)
    assert (expected.name, expected.size) == ("notes.txt", 5)
    sent = [StoredFile(f"{number:02x}/{number:032x}", 5, f"{number:064x}") for number in range(8)]
    kept = await asyncio.gather(*(counter.url_service.record_upload(claims, one, "text/plain") for one in sent))
    (on_record,) = set(kept)
    assert on_record in sent
    async with scenario.database.writing() as session:
        row = await session.get_one(File, file.id)
    assert (row.storage_key, row.sha256, row.uploaded_at is None) == (on_record.storage_key, on_record.sha256, False)
    # A repeated upload gets the same answer; only the uploader sees the file until it is used.
    assert await counter.url_service.expected_upload(claims) == expected
    assert (await counter.url_service.stored_download(await counter.claims("ada", file))).sha256 == on_record.sha256
    assert await scenario.client("assessor").data(FILE, id=id_of(file)) == {"node": None}
    await counter.change(update(File).where(File.id == file.id).values(erased_at=clock.now()))
    assert await counter.url_service.expected_upload(claims) is None
    with pytest.raises(InvalidSignedUrl):
        await counter.url_service.record_upload(claims, sent[0], "text/plain")
    assert await counter.url_service.expected_upload({"file": 999_999}) is None


async def test_the_time_log_has_every_entry_that_passes_the_filter(counter: Counter) -> None:
    it, days = counter.scenario, 130
    async with counter.scenario.database.writing() as session:
        factory = Factory(session)
        for day in range(days):
            await factory.time_log_entry(
                it.ada, it.ann, 1, it.main, date=factory.today - (day + 2) * DAY, comments=f"Day {day}"
            )
    older = [f"Day {day}" for day in reversed(range(days))]
    for who, comments in (
        ("ada", [*older, "Learned", "=1+1", "Learned"]),
        ("assessor", [*older, "Learned", "=1+1"]),
        ("other_assessor", ["=1+1", "Learned"]),
    ):
        made = await counter.generate((await counter.exports(who))["timeLogExport"])
        assert made.name == f"Ada - Time log - {clock.today()}.xlsx"
        assert comments_in(made) == comments, who
    today = it.today.isoformat()
    for filter, comments in (
        ({"from": today, "jobSetting": "OFF_THE_JOB", "activityType": "COACHING_OR_MENTORING"}, ["=1+1", "Learned"]),
        ({"from": today, "jobSetting": "ON_THE_JOB"}, []),
        ({"aimId": id_of(it.main), "to": today}, [*older, "Learned"]),
        ({"aimId": "Aim_999999"}, []),
    ):
        made = await counter.generate((await counter.exports("ada", **filter))["timeLogExport"])
        assert comments_in(made) == comments, filter


async def test_the_progress_map_follows_its_filter(counter: Counter) -> None:
    exports = await counter.exports("iqa")
    made = await counter.generate(exports["progressMapExport"])
    assert (made.name, made.content_type) == (f"Ada - Progress map, Mechanic - {clock.today()}.pdf", "application/pdf")
    everything, to_do = text_of(made), text_of(await counter.generate(exports["toDo"]))
    for words in ("Ada", "Mechanic", "ST0001 v1.1", "Provider", "Unit 2"):
        assert words in everything and words in to_do
    assert [code in everything for code in ("1.1", "1.2", "2.1")] == [True] * 3
    # "1.1" remains as the version in the heading, so the criterion's description is checked.
    assert [everything.count("Does 1"), to_do.count("Does 1"), to_do.count("Does 2")] == [2, 1, 1]


async def test_the_record_of_achievement_names_the_signers(counter: Counter) -> None:
    scenario = counter.scenario
    async with scenario.database.writing() as session:
        await Factory(session).unit_signature(
            scenario.main, scenario.criteria[0].unit_id, scenario.manager, Role.EMPLOYER_MANAGER
        )
    made = await counter.generate((await counter.exports("ada"))["recordOfAchievementExport"])
    assert made.name == f"Ada - Record of achievement, Mechanic - {clock.today()}.pdf"
    text = text_of(made)
    for words in ("Ada", "Mechanic", "1 of 2", "Mo", "Employer Manager"):
        assert words in text, text
