"""The address of a calendar, which everybody who has it can read, but not without end."""

from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from transport.pages import calendar_feed


def test_a_calendar_is_read_so_often_in_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    now = 1000.0

    async def read(token: str) -> str | None:
        made.append(token)
        return None if token == "unknown" else "BEGIN:VCALENDAR"

    monkeypatch.setattr(calendar_feed, "time", SimpleNamespace(monotonic=lambda: now))
    client = TestClient(Starlette(routes=calendar_feed.routes(read)))
    statuses = [client.get("/calendar/one.ics").status_code for _ in range(calendar_feed.MAX_READS + 2)]
    assert statuses == [200] * calendar_feed.MAX_READS + [429] * 2
    refused = client.get("/calendar/one.ics")
    assert (refused.headers["retry-after"], "Try again" in refused.text) == ("60", True)
    assert client.get("/calendar/another.ics").status_code == 200
    assert {client.get("/calendar/unknown.ics").status_code for _ in range(20)} == {404}
    now += 61
    assert client.get("/calendar/one.ics").status_code == 200
    assert made.count("one") == calendar_feed.MAX_READS + 1
