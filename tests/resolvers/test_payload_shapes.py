"""The payload of a mutation is read with the selected columns only, and with all where a field needs more."""

from typing import Any

import pytest

from db.models.audit_event import AuditEvent
from db.models.time_log_entry import TimeLogEntry
from domain import clock
from loaders.time_log_entry import TimeLogEntryLoader, TimeLogEntryRow
from schema.executor.mutation_outcome import MutationOutcome
from schema.executor.sources import SourceReads
from tests.support.client import served_schema
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

ADD = """mutation($input: TimeLogEntryInput!) { timeLogEntryAdd(input: $input) {
  timeLogEntry { id minutes %s } errors { message } } }"""


async def add(scenario: EmptyPortfolio, selected: str = "") -> dict[str, Any]:
    words = {"date": clock.today().isoformat(), "activityType": "COACHING_OR_MENTORING", "comments": "Trued a wheel"}
    entry = {"learnerId": scenario.ada, "minutes": 7, **words}
    data = await scenario.client("learner").data(ADD % selected, input=entry)
    assert data["timeLogEntryAdd"]["errors"] == []
    return data["timeLogEntryAdd"]["timeLogEntry"]


async def test_a_payload_is_read_with_the_selected_columns(scenario: EmptyPortfolio) -> None:
    sent: list[str] = []
    scenario.database.read_listeners.append(lambda sql, *_: sent.append(sql))
    for selected, has_comments in (("", False), ("comments", True)):
        sent.clear()
        made = await add(scenario, selected)
        assert made["minutes"] == 7 and made.get("comments") == ("Trued a wheel" if has_comments else None)
        [read] = [sql for sql in sent if sql.startswith("SELECT time_log_entry.id AS")]
        assert "time_log_entry.minutes" in read and ("time_log_entry.comments" in read) is has_comments


async def test_a_field_that_needs_more_than_it_says_gets_it(
    scenario: EmptyPortfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = SourceReads.finish

    def finish_without_minutes(reads: SourceReads) -> None:
        finish(reads)
        reads.attributes.get(TimeLogEntryRow, set()).discard("minutes")

    monkeypatch.setattr(SourceReads, "finish", finish_without_minutes)
    counters = served_schema("compiled").execution_context_class.counters()
    before = counters.deoptimized
    # No other test selects this, so that it is compiled here.
    selected = "activityType comments isOffTheJob: minutes"
    for number, generic in ((1, 1), (2, 1)):
        made = await add(scenario, selected)
        assert (made["minutes"], made["isOffTheJob"], made["comments"]) == (7, 7, "Trued a wheel")
        # It ran once, and the second time its rows are whole.
        assert len(await scenario.rows(TimeLogEntry)) == len(await scenario.rows(AuditEvent)) == number
        assert counters.deoptimized - before == generic


async def test_a_loader_that_needs_more_than_it_says_gets_it(
    scenario: EmptyPortfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, failures = TimeLogEntryLoader.fetch, []

    async def fetch_and_read(loader: TimeLogEntryLoader, keys: list[int]) -> dict[int, TimeLogEntryRow]:
        found = await fetch(loader, keys)
        try:
            assert [row.comments for row in found.values()] == ["Trued a wheel"]
        except AttributeError as error:
            failures.append(error)
            raise
        return found

    monkeypatch.setattr(TimeLogEntryLoader, "fetch", fetch_and_read)
    for number in (1, 2):
        made = await add(scenario, "date jobSetting")
        assert (made["minutes"], made["jobSetting"]) == (7, "OFF_THE_JOB")
        assert len(await scenario.rows(TimeLogEntry)) == number
        assert len(failures) == 1


async def test_an_outcome_is_loaded_again_where_it_can_be() -> None:
    class Payload:
        async def reload(self) -> str:
            return "whole"

    for value, expected in ((Payload(), "whole"), ("plain", "plain")):
        outcome = MutationOutcome()
        assert outcome.run(lambda _, value=value: value, None) is value
        replayed = outcome.replay()
        assert (await replayed if expected == "whole" else replayed) == expected
