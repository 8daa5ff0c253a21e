"""How many exports are made at once: of one user, and in one process."""

import asyncio
from typing import Any

import pytest

from services.exports import slots as export_slots
from services.exports.slots import ExportSlots, TooManyExports
from services.quotas import Quotas
from tests.support.signed_url_counter import Counter


async def test_a_user_makes_so_many_exports_at_once_and_others_have_theirs(counter: Counter) -> None:
    claims, others = (
        (await counter.exports("ada"))["timeLogExport"],
        (await counter.exports("manager"))["timeLogExport"],
    )
    service = counter.url_service
    held = [await service.generate_export(claims) for _ in range(Quotas().exports_viewer)]
    with pytest.raises(TooManyExports) as refused:
        await service.generate_export(claims)
    assert refused.value.own and str(Quotas().exports_viewer) in str(refused.value)
    assert await counter.generate(others) is not None
    assert service.slots.held == len(held)
    for each in held:
        assert each is not None
        each.close()
        # Twice is once.
        each.close()
    assert await counter.generate(claims) is not None
    assert (service.slots.held, service.slots.running) == (0, 0)


async def test_an_export_that_fails_or_has_no_subject_takes_no_slot(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims, service = (await counter.exports("ada"))["timeLogExport"], counter.url_service
    for _ in range(3):
        assert await service.generate_export({**claims, "learner": 999_999}) is None

    async def fails(*_: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr(service.workers, "make", fails)
    for _ in range(3):
        with pytest.raises(OSError, match="no room"):
            await service.generate_export(claims)
    assert (service.slots.held, service.slots.running) == (0, 0)


async def test_a_process_makes_so_many_exports_at_once(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others wait for their turn, and are refused if it does not come."""
    monkeypatch.setattr(export_slots, "WAIT_SECONDS", 0.3)
    counter.url_service.slots = ExportSlots(Quotas(exports=2))
    service, going_on, most = counter.url_service, asyncio.Event(), 0
    claims = [(await counter.exports(who))["timeLogExport"] for who in ("ada", "manager", "assessor", "overview")]
    make = service.workers.make

    async def slow(*arguments: Any) -> Any:
        nonlocal most
        most = max(most, service.slots.running)
        await going_on.wait()
        return await make(*arguments)

    monkeypatch.setattr(service.workers, "make", slow)
    running = [asyncio.create_task(counter.generate(each)) for each in claims]
    done, _ = await asyncio.wait(running, timeout=2, return_when=asyncio.ALL_COMPLETED)
    refused = [each.exception() for each in done]
    assert [type(error) for error in refused] == [TooManyExports] * 2
    assert all(isinstance(error, TooManyExports) and not error.own for error in refused)
    going_on.set()
    assert len([made for made in await asyncio.gather(*set(running) - done) if made]) == 2
    assert (most, service.slots.running, service.slots.held) == (2, 0, 0)
    # With the way free, each gets its turn, however long the exports before it take.
    monkeypatch.setattr(export_slots, "WAIT_SECONDS", 60.0)
    assert all(await asyncio.gather(*(counter.generate(each) for each in claims)))
