"""Samples of internal quality assurance: by key, in pages, of a unit, with their findings and actions."""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func

from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.sample import Sample, SampleAction, SampleFinding
from db.sql.any_of import any_of
from domain.enums import Role, SampleOutcome, SampleStatus
from domain.global_id import Identifier
from loaders.core.base import EntityLoader, ManyLoader, RelatedLoader
from loaders.core.filters import joined, one_of, refers_to
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.row_properties import computed
from loaders.core.rows import LightRow, column, row


def _in_charge(of_aim: Any, of_sample: Any) -> ColumnElement[int]:
    """Whose sample it is: while it is open those of the aim, so that it survives a hand-over; then its own."""
    return case((Sample.concluded_at.is_(None), func.coalesce(of_aim, of_sample)), else_=of_sample)


_ASSESSOR, _IQA = _in_charge(Aim.assessor_id, Sample.assessor_id), _in_charge(Aim.iqa_id, Sample.iqa_id)


@row(Sample, joins=lambda statement: statement.join(Aim, Aim.id == Sample.aim_id))
class SampleRow(LightRow):
    """One unit of one learner that an IQA checks."""

    key: int = column(Sample.id)
    learner_key: int = column(Sample.learner_id)
    aim_key: int = column(Sample.aim_id)
    aim_assessor_key: int | None = column(Aim.assessor_id)
    unit_key: int = column(Sample.unit_id)
    assessor_key: int = column(_ASSESSOR)
    iqa_key: int = column(_IQA)
    planned_for: dt.date = column(Sample.planned_for)
    status: SampleStatus = column(Sample.status)
    outcome: SampleOutcome | None = column(Sample.outcome)
    snapshot_sha256: str | None = column(Sample.snapshot_sha256)
    concluded_at: dt.datetime | None = column(Sample.concluded_at)

    id = Identifier("Sample", "key")

    @computed("aim_key", "unit_key")
    def unit_of_aim(self) -> tuple[int, int]:
        """Returns the keys of the aim and of its unit."""
        return self.aim_key, self.unit_key


SAMPLES = PagedList(
    SampleRow,
    Order("planned_for", Sample.planned_for, Sample.id, "planned_for"),
    filters={
        "statuses": one_of(Sample.status),
        "assessor_id": joined(refers_to("User", lambda assessor, role: assessor == _ASSESSOR)),
        "iqa_id": joined(refers_to("User", lambda iqa, role: iqa == _IQA)),
    },
)


class SampleLoader(EntityLoader[SampleRow]):
    """Loads samples by key."""

    row = SampleRow


@cached_statement
def _of_units(role: Role) -> Select:
    return (
        SampleRow.statement(role)
        .where(any_of(Sample.aim_id), any_of(Sample.unit_id, "unit_keys"))
        .order_by(Sample.planned_for, Sample.id)
    )


class SamplesOfUnitLoader(ManyLoader[tuple[int, int], SampleRow]):
    """Loads the samples of a unit by (aim key, unit key), the earliest planned one first."""

    keys_of = "unit"

    async def fetch(self, keys: list[tuple[int, int]]) -> dict[tuple[int, int], list[SampleRow]]:
        aims, units = ({pair[part] for pair in keys} for part in (0, 1))
        statement = _of_units(self.reading.viewer.role)
        found: dict[tuple[int, int], list[SampleRow]] = {}
        # The statement combines all aims with all units; what is not requested is not looked up.
        for sample in await self.reading.read(SampleRow, statement, keys=list(aims), unit_keys=list(units)):
            found.setdefault(sample.unit_of_aim, []).append(sample)
        return found


@row(SampleFinding, joins=lambda statement: statement.join(Sample, Sample.id == SampleFinding.sample_id))
class SampleFindingRow(LightRow):
    """What the IQA found."""

    aim_key: int = column(Sample.aim_id)
    criterion_key: int | None = column(SampleFinding.criterion_id)
    evidence_key: int | None = column(SampleFinding.evidence_id)
    valid: bool = column(SampleFinding.valid)
    authentic: bool = column(SampleFinding.authentic)
    current: bool = column(SampleFinding.current)
    sufficient: bool = column(SampleFinding.sufficient)
    comment: str | None = column(SampleFinding.comment)

    @computed("aim_key", "criterion_key")
    def criterion_of_aim(self) -> tuple[int, int] | None:
        """Returns the keys of the aim and of the criterion; None for a finding about no criterion."""
        return None if self.criterion_key is None else (self.aim_key, self.criterion_key)


class FindingsOfSampleLoader(RelatedLoader[SampleFindingRow]):
    """Loads the findings of a sample, in the order in which they were given."""

    row, parent, order = SampleFindingRow, SampleFinding.sample_id, (SampleFinding.id,)
    seen_through = Sample


@row(SampleAction)
class SampleActionRow(LightRow):
    """What the assessor has to do after a sample."""

    key: int = column(SampleAction.id)
    learner_key: int = column(SampleAction.learner_id)
    sample_key: int = column(SampleAction.sample_id)
    description: str = column(SampleAction.description)
    answer: str | None = column(SampleAction.answer)
    answered_by_key: int | None = column(SampleAction.answered_by_id)
    answered_at: dt.datetime | None = column(SampleAction.answered_at)
    closed_at: dt.datetime | None = column(SampleAction.closed_at)

    id = Identifier("SampleAction", "key")


class SampleActionLoader(EntityLoader[SampleActionRow]):
    """Loads actions of samples by key."""

    row = SampleActionRow


class ActionsOfSampleLoader(RelatedLoader[SampleActionRow]):
    """Loads the actions of a sample, in the order in which they were set."""

    row, parent, order = SampleActionRow, SampleAction.sample_id, (SampleAction.id,)
