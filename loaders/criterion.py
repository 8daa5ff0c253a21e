"""Criteria of one learner's unit: the qualification's words, and what was reached."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db import ids
from db.enums import CriterionStatus
from db.progress import criterion_status
from loaders.reference import CriterionReference

if TYPE_CHECKING:
    from loaders.unit import UnitRow


@dataclass(slots=True)
class Reached:
    """What is stored of a criterion that was touched."""

    evidence_count: int
    signed_off: bool
    signed_off_by_key: int | None
    signed_off_at: dt.datetime | None


@dataclass(slots=True)
class CriterionRow:
    """One criterion of one learner; `reached` is None where it was never touched."""

    unit: "UnitRow"
    criterion: CriterionReference
    reached: Reached | None

    @property
    def id(self) -> str:
        """The id in the graph: this learner's alone."""
        return ids.encode_pair("Criterion", self.unit.aim.key, self.criterion.key)

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
        if self.reached is None:
            return CriterionStatus.NOT_STARTED
        return criterion_status(self.reached.evidence_count, self.reached.signed_off)

    @property
    def evidence_count(self) -> int:
        """How much evidence is mapped to it."""
        return self.reached.evidence_count if self.reached else 0

    @property
    def signed_off_by_key(self) -> int | None:
        """Who signed it off."""
        return self.reached.signed_off_by_key if self.reached else None

    @property
    def signed_off_at(self) -> dt.datetime | None:
        """When it was signed off."""
        return self.reached.signed_off_at if self.reached else None
