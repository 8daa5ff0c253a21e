"""The checks in batches: a run that was stopped continues, and the server may write between two batches."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim import AimProgress
from db.models.audit_event import AuditEvent
from services.audit import batches, chain, file_check
from services.audit.verify import VerifyState, find_problems
from tests.services.audit.test_verify import submit
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


@pytest.fixture(autouse=True)
def single_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (chain, batches):
        monkeypatch.setattr(module, "BATCH_ROWS", 1)
    monkeypatch.setattr(file_check, "_FILES", 1)


async def problems_of(scenario: EmptyPortfolio, state: VerifyState | None = None) -> list[str]:
    return [each async for each in find_problems(scenario.database, scenario.services.files, state)]


async def test_a_run_that_was_stopped_continues(empty_portfolio: EmptyPortfolio, tmp_path: Path):
    for title in ("A wheel", "A frame"):
        await submit(empty_portfolio, title)
    await empty_portfolio.seal_audit_trail()
    async with empty_portfolio.database.writing() as session:
        await session.execute(update(AuditEvent).where(AuditEvent.sequence == 1).values(address="192.0.2.1"))
        await session.execute(update(AimProgress).values(criteria_total=999))
    everything = await problems_of(empty_portfolio)
    assert "line 1 was changed" in everything[0] and any("999 criteria" in each for each in everything)
    path, found, runs, finished = tmp_path / "state.json", [], 0, False
    while not finished:
        runs += 1
        running = find_problems(empty_portfolio.database, empty_portfolio.services.files, VerifyState(path))
        async for problem in running:
            found.append(problem)
            # What was found in a batch that is not finished is found again, so the next run gets beyond it.
            if found.count(problem) == 1:
                await running.aclose()
                break
        else:
            finished = True
    assert runs > 2
    assert list(dict.fromkeys(found)) == everything
    # The run that finished began where the one before it was stopped, and not with the first problem.
    assert found.count(everything[0]) < runs and not path.exists()


# Continues after every thirtieth batch (`every`), and after the last one of each check.
@pytest.mark.parametrize("every", [30, pytest.param(1, marks=pytest.mark.long)])
async def test_the_state_is_where_the_next_batch_begins(empty_portfolio: EmptyPortfolio, tmp_path: Path, every: int):
    for title in ("A wheel", "A frame"):
        await submit(empty_portfolio, title)
    positions: list[tuple[str, object]] = []

    class Recording(VerifyState):
        def save(self, check: str, position: object) -> None:
            super().save(check, position)
            positions.append((check, json.loads((tmp_path / "state").read_text())["position"]))

    assert await problems_of(empty_portfolio, Recording(tmp_path / "state")) == []
    assert {check for check, _ in positions} >= {"audit trail", "progress", "signatures", "files"}
    assert not (tmp_path / "state").exists()
    last = {check: (check, position) for check, position in positions}
    for check, position in [*positions[::every], *last.values()]:
        (tmp_path / "state").write_text(json.dumps({"check": check, "position": position, "problems": 0}))
        assert await problems_of(empty_portfolio, VerifyState(tmp_path / "state")) == []


async def test_writes_between_two_batches_are_no_problem(
    empty_portfolio: EmptyPortfolio, monkeypatch: pytest.MonkeyPatch
):
    await submit(empty_portfolio, "A wheel")
    snapshot, written = empty_portfolio.database.snapshot, 0

    @asynccontextmanager
    async def after_a_write() -> AsyncIterator[AsyncSession]:
        nonlocal written
        # Not before every batch: the trail would grow as fast as it is read.
        if written < 40:
            written += 1
            await submit(empty_portfolio, f"Part {written}")
        async with snapshot() as session:
            yield session

    monkeypatch.setattr(empty_portfolio.database, "snapshot", after_a_write)
    assert await problems_of(empty_portfolio) == []
    assert written == 40


def test_another_file_is_no_state(tmp_path: Path):
    for content in ("[]", "{}", "not JSON"):
        (tmp_path / "state").write_text(content)
        with pytest.raises(ValueError):
            VerifyState(tmp_path / "state")
