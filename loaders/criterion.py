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
    """One criterion of one learner; `reached` is NOT_STARTED where it was never touched."""

    unit: "UnitRow"
    criterion: CriterionReference
    reached: CriterionProgressRow

    id = Identifier("Criterion", "unit.aim.key", "criterion.key")
    code = Delegated("criterion.code")
    description = Delegated("criterion.description")
    status = Delegated("reached.status")
    evidence_count = Delegated("reached.evidence_count")
    signed_off_by_key = Delegated("reached.signed_off_by_key")
    signed_off_at = Delegated("reached.signed_off_at")

    @property
    def key(self) -> tuple[int, int]:
        """(aim key, key of the qualification's criterion)."""
        return self.unit.aim.key, self.criterion.key
