"""Earlier versions of aims: the qualifications that they were measured against before, and units of those."""

import datetime as dt

from sqlalchemy import Select

from db.models.aim import Aim
from db.models.aim_version import AimVersion
from domain.enums import Role
from loaders.core.base import RelatedLoader
from loaders.core.rows import LightRow, column, row


@row(AimVersion)
class AimVersionRow(LightRow):
    """An earlier version of an aim, until `changed_at`."""

    aim_key: int = column(AimVersion.aim_id)
    qualification_key: int = column(AimVersion.qualification_id)
    changed_by_key: int = column(AimVersion.changed_by_id)
    changed_at: dt.datetime = column(AimVersion.changed_at)


class EarlierVersionsLoader(RelatedLoader[AimVersionRow]):
    """Loads the earlier versions of an aim, oldest first."""

    row, parent, order, seen_through = AimVersionRow, AimVersion.aim_id, (AimVersion.id,), Aim

    @classmethod
    def statement(cls, role: Role) -> Select:
        return super().statement(role).join(Aim, Aim.id == AimVersion.aim_id)
