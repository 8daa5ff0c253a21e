"""Criteria of one learner's unit: the qualification's words, and what was reached."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.enums import CriterionStatus
from domain.global_id import Identifier
from loaders.core.qualification_cache import CriterionReference

if TYPE_CHECKING:
    from loaders.unit import UnitRow


@dataclass(slots=True)
class CriterionProgressRow:
    """What is stored of a criterion that was touched, and the colour that it makes [001]."""

    evidence_count: int
    signed_off: bool
    signed_off_by_key: int | None
    signed_off_at: dt.datetime | None
    status: CriterionStatus


# Of every criterion that nobody touched: most are, and a map shows hundreds.
NOT_STARTED = CriterionProgressRow(0, False, None, None, CriterionStatus.NOT_STARTED)


@dataclass(slots=True)
class CriterionRow:
    """One criterion of one learner; `reached` is UNTOUCHED where it was never touched.

    Its properties only read on, as far as they can: the compiled executor then reads without calling them.
    """

    unit: "UnitRow"
    criterion: CriterionReference
    reached: CriterionProgressRow

    id = Identifier("Criterion", "unit.aim.key", "criterion.key")

    @property
    def key(self) -> tuple[int, int]:
        """(aim key, key of the qualification's criterion)."""
        return self.unit.aim.key, self.criterion.key

    @property
    def code(self) -> str:
        """Unique within the unit."""
        return self.criterion.code

    @property
    def description(self) -> str:
        """The awarding body's words."""
        return self.criterion.description

    @property
    def status(self) -> CriterionStatus:
        """Red, orange or green [001]."""
        return self.reached.status

    @property
    def evidence_count(self) -> int:
        """How much evidence is mapped to it."""
        return self.reached.evidence_count

    @property
    def signed_off_by_key(self) -> int | None:
        """Who signed it off."""
        return self.reached.signed_off_by_key

    @property
    def signed_off_at(self) -> dt.datetime | None:
        """When it was signed off."""
        return self.reached.signed_off_at
