"""Breaks in learning and the history of the status of aims: by key, and of an aim."""

import datetime as dt

from sqlalchemy import Select

from db.models.aim import Aim
from db.models.aim_break import AimBreak
from db.models.aim_status_change import AimStatusChange
from domain.enums import AimStatus, BreakReason, Role
from domain.global_id import Identifier
from loaders.core.base import EntityLoader, RelatedLoader
from loaders.core.rows import LightRow, column, row


@row(AimBreak)
class BreakRow(LightRow):
    """A break of an aim, from its first day to the day before `returned_on`."""

    key: int = column(AimBreak.id)
    learner_key: int = column(AimBreak.learner_id)
    aim_key: int = column(AimBreak.aim_id)
    start_date: dt.date = column(AimBreak.start_date)
    expected_return_date: dt.date | None = column(AimBreak.expected_return_date)
    returned_on: dt.date | None = column(AimBreak.returned_on)
    reason: BreakReason = column(AimBreak.reason)
    note: str | None = column(AimBreak.note)

    id = Identifier("Break", "key")


class BreakLoader(EntityLoader[BreakRow]):
    """Loads breaks by key."""

    row = BreakRow


class BreaksOfAimLoader(RelatedLoader[BreakRow]):
    """Loads the breaks of an aim, earliest first."""

    row, parent, order = BreakRow, AimBreak.aim_id, (AimBreak.start_date, AimBreak.id)


@row(AimStatusChange)
class AimStatusChangeRow(LightRow):
    """One change of an aim's status."""

    status: AimStatus = column(AimStatusChange.status)
    from_date: dt.date = column(AimStatusChange.from_date)
    changed_by_key: int | None = column(AimStatusChange.changed_by_id)
    changed_at: dt.datetime = column(AimStatusChange.changed_at)
    reason: str | None = column(AimStatusChange.reason)


class StatusHistoryLoader(RelatedLoader[AimStatusChangeRow]):
    """Loads the changes of an aim's status, earliest first."""

    row, parent, order, seen_through = AimStatusChangeRow, AimStatusChange.aim_id, (AimStatusChange.id,), Aim

    @classmethod
    def statement(cls, role: Role) -> Select:
        return super().statement(role).join(Aim, Aim.id == AimStatusChange.aim_id)
