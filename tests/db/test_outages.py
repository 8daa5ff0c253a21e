"""Which errors are outages, and how an outage is logged: once when it begins and once when it ends."""

import asyncio
import errno

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from structlog.testing import capture_logs

from db.outages import (
    MAX_CAUSE_CHARACTERS,
    CommitOutcomeUnknown,
    Outage,
    OutageLog,
    cause_of,
    is_away,
    loses_connection,
    outage_of,
    through_outages,
)


def database_error(sqlstate: str) -> DBAPIError:
    original = asyncpg.PostgresError("said the server")
    original.sqlstate = sqlstate
    return DBAPIError("select 1", None, original)


@pytest.mark.parametrize(
    ("sqlstate", "outage"),
    [
        ("08006", Outage.UNAVAILABLE), ("08P01", Outage.UNAVAILABLE), ("25006", Outage.UNAVAILABLE),
        ("25P03", Outage.UNAVAILABLE), ("28P01", Outage.UNAVAILABLE), ("3D000", Outage.UNAVAILABLE),
        ("40001", Outage.UNAVAILABLE), ("53300", Outage.UNAVAILABLE), ("53100", Outage.STORAGE_FULL),
        ("55P03", Outage.UNAVAILABLE), ("57014", Outage.UNAVAILABLE), ("57P01", Outage.UNAVAILABLE),
        ("57P02", Outage.UNAVAILABLE), ("57P03", Outage.UNAVAILABLE), ("58030", Outage.UNAVAILABLE),
        ("58P01", None), ("23505", None), ("42P01", None), ("22P02", None), ("XX000", None),
    ],
)  # fmt: skip
def test_outages_by_sqlstate(sqlstate: str, outage: Outage | None):
    error = database_error(sqlstate)
    assert outage_of(error) is outage
    assert outage_of(error.orig) is outage
    # The cause counts too, whatever wraps it.
    wrapped = RuntimeError()
    wrapped.__cause__ = error
    assert outage_of(wrapped) is outage


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (PoolTimeout("none free"), Outage.UNAVAILABLE), (TimeoutError(), Outage.UNAVAILABLE),
        (OSError(errno.EHOSTUNREACH, "no route"), Outage.UNAVAILABLE),
        (OSError(errno.ENOSPC, "full"), Outage.STORAGE_FULL),
        (OSError(errno.EACCES, "denied"), None), (ValueError("no number"), None), (None, None),
        (OperationalError("select", None, Exception("database is locked")), Outage.UNAVAILABLE),
        (OperationalError("select", None, Exception("no such table: x")), None),
        (OperationalError("insert", None, Exception("database or disk is full")), Outage.STORAGE_FULL),
    ],
)  # fmt: skip
def test_other_outages(error: BaseException | None, outage: Outage | None):
    assert outage_of(error) is outage


def test_a_connection_is_lost_or_not():
    lost = {"08006", "25006", "57P01", "57P02", "57P03"}
    assert {code for code in lost | {"40001", "57014", "55P03", "23505"} if loses_connection(code)} == lost
    # A statement that was too slow or lost a conflict says nothing of the database.
    assert [is_away(database_error(code)) for code in ("57P01", "57014", "40001", "55P03")] == [
        True,
        False,
        False,
        False,
    ]


def test_a_cause_is_one_short_line():
    assert cause_of(database_error("57P01")) == "PostgresError 57P01 said the server"
    long = asyncpg.PostgresError("word " * 500 + "\nsecond line")
    assert len(cause_of(long)) == MAX_CAUSE_CHARACTERS
    assert "\n" not in cause_of(asyncpg.PostgresError("first\nsecond"))
    try:
        try:
            raise asyncio.CancelledError
        except asyncio.CancelledError as cancelled:
            raise TimeoutError from cancelled
    except TimeoutError as error:
        assert cause_of(error) == "TimeoutError no answer in time"
    assert cause_of(CommitOutcomeUnknown()) == "CommitOutcomeUnknown"


def test_an_outage_is_logged_when_it_begins_and_when_it_ends():
    times = iter((1.0, 2.0, 30.0, 30.0, 30.0, 31.0, 31.0, 60.0))
    outages = OutageLog("database", lambda: next(times))
    with capture_logs() as lines:
        outages.worked()
        for _ in range(3):
            outages.failed(OSError(errno.ECONNREFUSED, "refused"))
        outages.worked()
        # A request that began during the outage fails after its end.
        outages.failed(TimeoutError())
        outages.worked()
        outages.failed("another")
    assert [line["event"] for line in lines] == ["database_unavailable", "database_available", "database_unavailable"]
    assert (lines[0]["cause"], lines[1]["outage_seconds"], lines[1]["failures"]) == (
        "ConnectionRefusedError [Errno 111] refused", 29.0, 3,
    )  # fmt: skip
    assert lines[2]["cause"] == "another"


async def test_a_stream_outlasts_an_outage(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("db.outages._REPEAT_SECONDS", 0)
    answers: list[Exception | str] = [PoolTimeout("none free"), TimeoutError(), "read"]

    async def read() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await through_outages(read) == "read"
    answers[:] = [ValueError("a defect")]
    with pytest.raises(ValueError):
        await through_outages(read)
