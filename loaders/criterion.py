"""Criteria of one learner's unit: the qualification's words, and what the learner has reached."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.enums import CriterionStatus
from domain.global_id import Identifier
from loaders.core.delegated import Delegated
from loaders.core.qualification_cache import CriterionReference

if TYPE_CHECKING:
    from loaders.unit import UnitRow


@dataclass(slots=True)
class CriterionProgressRow:
    """What is stored of a criterion that was touched, and its status: red, orange or green."""

    evidence_count: int
    signed_off: bool
    signed_off_by_key: int | None
    signed_off_at: dt.datetime | None
    status: CriterionStatus


# Shared by every criterion that was never touched: most are, and a map shows hundreds.
NOT_STARTED = CriterionProgressRow(0, False, None, None, CriterionStatus.NOT_STARTED)


@dataclass(slots=True)
class CriterionRow:
    """One criterion of one learner's aim; `reached` is NOT_STARTED where nothing is stored for it."""

    unit: "UnitRow"
    criterion: CriterionReference
    reached: CriterionProgressRow

    id = Identifier("Criterion", "unit.aim.key", "criterion.key")
    code = Delegated[str]("criterion.code")
    description = Delegated[str]("criterion.description")
    status = Delegated[CriterionStatus]("reached.status")
    evidence_count = Delegated[int]("reached.evidence_count")
    signed_off_by_key = Delegated[int | None]("reached.signed_off_by_key")
    signed_off_at = Delegated[dt.datetime | None]("reached.signed_off_at")

    @property
    def key(self) -> tuple[int, int]:
        """(aim key, key of the qualification's criterion)."""
        return self.unit.aim.key, self.criterion.key
