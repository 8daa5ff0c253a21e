"""Changes the status of an aim: records the change, and begins and ends breaks with it."""

import datetime as dt

from db.models.aim import Aim
from db.models.aim_break import AimBreak
from db.models.aim_status_change import AimStatusChange
from domain.enums import AimStatus, BreakReason
from repositories.aim_break import breaks_of_aim
from resolvers.core.row_limit import check_count
from resolvers.core.unit_of_work import UnitOfWork


def set_status(uow: UnitOfWork, aim: Aim, status: AimStatus, from_date: dt.date, reason: str | None = None) -> None:
    """Sets an aim's status and records the change, which holds from a day on. The aim has a key already."""
    aim.status = status
    uow.session.add(
        AimStatusChange(
            provider_id=aim.provider_id, learner_id=aim.learner_id, aim_id=aim.id, status=status, from_date=from_date,
            changed_by_id=uow.viewer.user_key, changed_at=uow.now, reason=reason,
        )
    )  # fmt: skip


async def change_by_hand(uow: UnitOfWork, aim: Aim, status: AimStatus, reason: str | None) -> None:
    """Sets the status that a person chose: suspending an aim begins a break today, any other status ends an open one.

    A completed or withdrawn aim has that status from its actual end date, which is set already.
    """
    today = max(uow.today, aim.start_date)
    breaks = await breaks_of_aim(uow.session, aim.id)
    for each in breaks:
        if each.returned_on is None:
            each.returned_on = max(today, each.start_date)
    if status is AimStatus.SUSPENDED:
        check_count(uow, AimBreak.aim_id, len(breaks), "BREAKS_FULL", "input", "status")
        uow.raise_errors()
        add_break(uow, aim, today, BreakReason.OTHER)
    set_status(uow, aim, status, aim.actual_end_date or today, reason)
    uow.recount_breaks(aim)


def add_break(
    uow: UnitOfWork,
    aim: Aim,
    start_date: dt.date,
    reason: BreakReason,
    expected_return_date: dt.date | None = None,
    note: str | None = None,
) -> AimBreak:
    """Adds an open break of an aim."""
    added = AimBreak(
        provider_id=aim.provider_id, learner_id=aim.learner_id, aim_id=aim.id, start_date=start_date,
        expected_return_date=expected_return_date, reason=reason, note=note, created_by_id=uow.viewer.user_key,
        created_at=uow.now,
    )  # fmt: skip
    uow.session.add(added)
    return added
