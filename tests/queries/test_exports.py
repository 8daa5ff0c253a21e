"""Bulk exports with the client: made by the server, downloaded in parts if need be, verified, and saved."""

import asyncio
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import polars as pl
import pytest

from queries import AuthenticationError, ServerError, UsageError, export, exports, run
from queries.__main__ import main
from queries.client import Client
from tests.support.http_server import PASSWORD, RunningServer

CONTENT = bytes(range(256)) * 40
TAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


class Broken(httpx2.SyncByteStream):
    """A body whose connection breaks after some bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Any:
        yield self._content
        raise httpx2.ReadError("gone")


def part(start: int, end: int | None = None, tag: str = TAG) -> httpx2.Response:
    """The response with the bytes from `start` on, which breaks at `end`."""
    content = CONTENT[start:end]
    body = {"stream": Broken(content)} if end is not None else {"content": content}
    return httpx2.Response(206 if start else 200, headers={"etag": tag}, **body)


def refusal(status: int, **headers: str) -> httpx2.Response:
    error = {"message": "Not now.", "extensions": {"code": "X"}}
    return httpx2.Response(status, json={"errors": [error]}, headers=headers)


def download(*answers: httpx2.Response | Exception) -> tuple[Callable[[], bytes], list[str | None], list[float]]:
    """Returns what downloads the file with these answers, the ranges it asks for, and how long it waits."""
    remaining, ranges, waits = list(answers), [], []

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["accept-encoding"] == "identity"
        ranges.append(request.headers.get("range"))
        assert ("if-range" in request.headers) == ("range" in request.headers)
        found = remaining.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    client = Client("portfolio.example", lambda _: None, waits.append, httpx2.MockTransport(answer))
    return lambda: b"".join(client.download("reports/exports/BulkExport_7")), ranges, waits


def test_a_download_goes_on_where_the_connection_broke():
    get, ranges, waits = download(
        part(0, 1000), httpx2.ConnectError("refused"), httpx2.Response(502), part(1000, 5000),
        refusal(503, **{"retry-after": "7"}), part(5000),
    )  # fmt: skip
    assert get() == CONTENT
    assert ranges == [None, *["bytes=1000-"] * 3, *["bytes=5000-"] * 2]
    assert waits == [0.5, 1.0, 2.0, 0.5, 7.0]


def test_a_connection_that_breaks_after_the_last_byte_has_brought_the_file():
    get, ranges, _ = download(part(0, len(CONTENT)), httpx2.Response(416))
    assert get() == CONTENT and ranges == [None, f"bytes={len(CONTENT)}-"]


@pytest.mark.parametrize(
    ("answers", "error", "message"),
    [
        ([part(0, 10), part(0)], ServerError, "The file changed while it was being read"),
        ([part(0, 10), part(10, tag='"other"')], ServerError, "The file changed while it was being read"),
        ([part(0, tag='"other"')], ServerError, "The file was damaged on its way"),
        ([refusal(404)], ServerError, "Not now."),
        ([refusal(401)], AuthenticationError, "Not now."),
        ([httpx2.Response(404, text="<h1>")], ServerError, "answered HTTP 404 without the file. Check the URL."),
        ([refusal(429, **{"retry-after": "3600"})], ServerError, "asks clients to wait 3600 seconds"),
        ([httpx2.ConnectError("refused")] * 60, ServerError, "Cannot connect to"),
    ],
)
def test_what_is_no_file_is_an_error(answers: list[Any], error: type[Exception], message: str):
    get, _, _ = download(*answers)
    with pytest.raises(error, match=message):
        get()


def test_a_failed_download_leaves_the_old_file(tmp_path: Path):
    out = tmp_path / "old.csv"
    out.write_text("old")

    class Failing:
        def download(self, path: str) -> Any:
            yield b"new"
            raise ServerError("gone")

    made = {"id": "BulkExport_7", "rowCount": 1, "asOf": "2026-11-28T10:00:00+00:00"}
    with pytest.raises(ServerError):
        exports._download(Failing(), made, out, lambda unit, done: None)  # type: ignore[arg-type]
    assert out.read_text() == "old" and [path.name for path in tmp_path.iterdir()] == ["old.csv"]


@pytest.fixture
def login(served: RunningServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.delenv("WAYMARK_TOKEN", raising=False)
    monkeypatch.setenv("WAYMARK_URL", served.address)
    monkeypatch.setenv("WAYMARK_USERNAME", "employer.overview")
    monkeypatch.setenv("WAYMARK_PASSWORD", PASSWORD)
    return {"url": served.address, "username": "employer.overview", "password": PASSWORD}


async def test_an_export_is_what_the_query_gives(
    login: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out, again = tmp_path / "hours.parquet", tmp_path / "again.parquet"
    assert await asyncio.to_thread(main, ["export", "off_the_job_hours", "--out", str(out)]) == 0
    said = capsys.readouterr().err
    frame = pl.read_parquet(out)
    assert f"{len(frame)} rows as of " in said and f" in {out}, {out.stat().st_size} bytes" in said
    whole = await asyncio.to_thread(run, "off_the_job_hours", **login)
    assert frame.drop("asOf").equals(whole.polars().drop("asOf")) and len(frame) == 30
    (as_of,) = set(frame["asOf"])
    assert abs(as_of - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)

    # The newest of the user's exports is the one above: it can be downloaded again.
    orders = await asyncio.to_thread(run, "report_orders", **login)
    id = orders.data["viewer"]["bulkExports"][0]["id"]
    assert await asyncio.to_thread(main, ["download", id, "--out", str(again)]) == 0
    assert again.read_bytes() == out.read_bytes()
    assert await asyncio.to_thread(main, ["download", "BulkExport_999", "--out", str(again)]) == 4
    assert "There is no such export in this role" in capsys.readouterr().err


async def test_python_exports_with_variables(login: dict[str, str], tmp_path: Path):
    variables = {"filter": {"search": "maya"}}
    made = await asyncio.to_thread(export, "employer_dashboard", tmp_path / "maya", format="json", **variables, **login)
    rows = json.loads((tmp_path / "maya").read_text())
    assert made.rows == len(rows) >= 3 and all("Maya" in row["learners.name"] for row in rows)
    assert dt.datetime.fromisoformat(rows[0]["asOf"]) == made.as_of.replace(microsecond=0)
    assert made.size == (tmp_path / "maya").stat().st_size


async def test_what_cannot_be_exported_is_said(login: dict[str, str], tmp_path: Path):
    def export_to(file: str, **variables: Any) -> None:
        export("overdue_actions", tmp_path / file, **login, **variables)

    for file, variables, error in (
        ("actions.txt", {}, "An export is a file of the format csv, json, parquet, xlsx"),
        ("actions.csv", {"first": "many"}, "first"),
        ("actions.csv", {"employerId": "Employer_999"}, "^employerId: there is no such record"),
        ("actions.csv", {"assessorId": "Learner_1"}, "^assessorId: give the id of a record of the type User, not L"),
        ("no/folder.csv", {}, "The folder .* does not exist"),
    ):
        with pytest.raises(UsageError, match=error):
            await asyncio.to_thread(export_to, file, **variables)
    assert list(tmp_path.iterdir()) == []


async def test_the_id_of_a_record_of_another_type_is_refused(login: dict[str, str]):
    for name, variable, wanted in (
        ("unit_record_sheet", "unitId", "Unit"),
        ("evidence_to_read", "evidenceId", "Evidence"),
    ):
        with pytest.raises(UsageError, match=f"^{variable}: give the id of a record of the type {wanted}, not Learner"):
            await asyncio.to_thread(run, name, **login, **{variable: "Learner_1"})


def test_an_export_that_failed_says_why():
    answers = [
        {"data": {"viewer": {"bulkExports": [{"id": "BulkExport_7", "status": "RUNNING", "rowCount": 5}]}}},
        {"data": {"viewer": {"bulkExports": [{"id": "BulkExport_7", "status": "FAILED", "failure": "Full."}]}}},
    ]
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answers.pop(0)))
    client, said, waits = Client("portfolio.example", transport=transport), [], []
    with pytest.raises(exports.ExportFailed, match="^The export failed. Full."):
        exports._wait_for(client, "BulkExport_7", lambda unit, done: said.append((unit, done)), waits.append)
    assert said == [("rows", 5)] and waits == [0.5]


def test_an_interrupted_export_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def interrupted(*_: Any, on_start: Callable[[str], None], **__: Any) -> None:
        on_start("BulkExport_7")
        raise KeyboardInterrupt

    monkeypatch.setattr(exports, "fetch_export", interrupted)
    assert main(["export", "overdue_actions", "--out", "actions.csv"]) == 130
    assert "The server keeps it: python -m queries download BulkExport_7 --out actions.csv" in capsys.readouterr().err
