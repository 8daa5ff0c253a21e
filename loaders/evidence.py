"""Evidence: by key, in pages, of an action, and mapped to a criterion or unit."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import aliased

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.evidence import Evidence, EvidenceMapping, EvidenceVersion
from db.models.file import File
from db.models.user import User
from db.sql.any_of import any_of
from db.sql.in_array import in_array
from domain.clock import day_of
from domain.enums import AimStatus, AssessmentMethod, EvidenceStatus, Role
from domain.global_id import Identifier
from loaders.core.base import EntityLoader, ManyLoader, RelatedLoader
from loaders.core.filters import equals, flag, on_or_after, on_or_before, one_of, refers_to, search
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.read_session import ReadSession
from loaders.core.rows import LightRow, column, derived, nested, row
from loaders.count_conditions import of_counted_aim
from loaders.employer import at_employer
from loaders.file import FileRow
from loaders.user import UserRow

# The statuses in which it waits for the assessor.
AWAITING_ASSESSMENT = (EvidenceStatus.SUBMITTED, EvidenceStatus.RESUBMITTED)


def awaits_assessment(role: Role) -> ColumnElement[bool]:
    """The condition that evidence which a viewer in the role sees waits for its assessor, in an aim not withdrawn."""
    counted = of_counted_aim(Evidence.aim_id)
    if role in scope.BY_AIM:
        # Of few aims, which the database reads at once, and not the aim of each piece of evidence.
        counted = in_array(
            Evidence.aim_id, select(Aim.id).where(scope.sees_aim(role), Aim.status != AimStatus.WITHDRAWN)
        )
    return and_(Evidence.status.in_(AWAITING_ASSESSMENT), counted)


_version = aliased(EvidenceVersion)
# unscoped: a column of evidence that the viewer sees
_LATEST_AT = (
    select(_version.submitted_at)
    .where(_version.evidence_id == Evidence.id)
    .order_by(_version.number.desc())
    .limit(1)
    .scalar_subquery()
)


def _methods(names: list[str]) -> list[AssessmentMethod]:
    return [AssessmentMethod(name) for name in names]


@row(
    Evidence,
    joins=lambda statement: statement.join(User, User.id == Evidence.submitted_by_id).join(
        File, File.id == Evidence.file_id
    ),
)
class EvidenceRow(LightRow):
    """A piece of evidence with the file of its latest version and its submitter.

    `latest_at` is when the latest version was submitted; `days_waiting` the days since, in London, while it waits for
    its assessment, else None.
    """

    key: int = column(Evidence.id)
    learner_key: int = column(Evidence.learner_id)
    aim_key: int = column(Evidence.aim_id)
    action_key: int | None = column(Evidence.action_id)
    title: str = column(Evidence.title)
    description: str = column(Evidence.description)
    status: EvidenceStatus = column(Evidence.status)
    declared_own_work: bool = column(Evidence.declared_own_work)
    submitted_at: dt.datetime = column(Evidence.submitted_at)
    assessment_methods: list[AssessmentMethod] = column(Evidence.assessment_methods, convert=_methods)
    feedback: str | None = column(Evidence.feedback)
    points_for_improvement: str | None = column(Evidence.points_for_improvement)
    assessed_by_key: int | None = column(Evidence.assessed_by_id)
    assessed_at: dt.datetime | None = column(Evidence.assessed_at)
    returned_at: dt.datetime | None = column(Evidence.returned_at)
    withdrawn_reason: str | None = column(Evidence.withdrawn_reason)
    updated_at: dt.datetime = column(Evidence.updated_at)
    submitted_by: UserRow = nested(UserRow, key=Evidence.submitted_by_id)
    file: FileRow = nested(FileRow)
    latest_at: dt.datetime | None = column(_LATEST_AT)
    days_waiting: int | None = derived("status", "latest_at")

    id = Identifier("Evidence", "key")

    @classmethod
    def derive(cls, rows: Sequence["EvidenceRow"], reading: ReadSession) -> None:
        for evidence in rows:
            latest_at = evidence.latest_at if evidence.status in AWAITING_ASSESSMENT else None
            evidence.days_waiting = None if latest_at is None else (reading.today - day_of(latest_at)).days


# unscoped: a condition on evidence that the viewer sees
_MAPPED = exists().where(EvidenceMapping.evidence_id == Evidence.id)


def _of_assessor(assessor: ColumnElement[int], role: Role) -> ColumnElement[bool]:
    # unscoped: a condition in addition to the scope of its statement
    return Evidence.aim_id.in_(select(Aim.id).where(Aim.assessor_id == assessor))


_FILTERS = {
    "search": search(func.coalesce(Evidence.search_text, func.lower(Evidence.title))),
    "aim_id": refers_to("Aim", lambda aim, role: Evidence.aim_id == aim),
    "status": equals(Evidence.status),
    "statuses": one_of(Evidence.status),
    "submitted_from": on_or_after(Evidence.submitted_at),
    "submitted_to": on_or_before(Evidence.submitted_at),
    "unmapped_only": flag(~_MAPPED),
    "awaiting_assessment_only": flag(awaits_assessment),
    "assessor_id": refers_to("User", _of_assessor),
    "employer_id": refers_to("Employer", at_employer(Evidence.learner_id)),
}

# The evidence library of a learner: newest first.
EVIDENCE = PagedList(
    EvidenceRow,
    Order("submitted_desc", Evidence.submitted_at, Evidence.id, "submitted_at", descending=True),
    owners={"learner": Evidence.learner_id},
    filters=_FILTERS,
)
# The inbox of an assessor: oldest first.
EVIDENCE_OLDEST_FIRST = PagedList(
    EvidenceRow,
    Order("submitted", Evidence.submitted_at, Evidence.id, "submitted_at"),
    filters=_FILTERS,
)


class EvidenceLoader(EntityLoader[EvidenceRow]):
    """Loads evidence by key."""

    row = EvidenceRow


class EvidenceOfActionLoader(RelatedLoader[EvidenceRow]):
    """Loads the evidence submitted for an action, oldest first."""

    row, parent, order = EvidenceRow, Evidence.action_id, (Evidence.submitted_at, Evidence.id)


@cached_statement
def _mapped(role: Role, by_unit: bool) -> Select:
    target = EvidenceMapping.unit_id if by_unit else EvidenceMapping.criterion_id
    # unscoped: joined to evidence, whose scope is that of its mappings
    pairs = (
        select(EvidenceMapping.evidence_id, EvidenceMapping.aim_id, target.label("target_key"))
        .where(any_of(EvidenceMapping.aim_id), any_of(target, "target_keys"), scope.of_provider(EvidenceMapping))
        .distinct()
        .subquery()
    )
    return (
        EvidenceRow.statement(role, pairs.c.aim_id.label("mapped_aim_key"), pairs.c.target_key)
        .join(pairs, pairs.c.evidence_id == Evidence.id)
        .order_by(Evidence.submitted_at, Evidence.id)
    )


class _MappedEvidenceLoader(ManyLoader[tuple[int, int], EvidenceRow]):
    """Loads the evidence mapped to a criterion or unit of an aim, oldest first. The lists share their rows."""

    by_unit: bool

    async def fetch(self, keys: list[tuple[int, int]]) -> dict[tuple[int, int], list[EvidenceRow]]:
        leading, rows = await self.reading.read_with(
            EvidenceRow,
            _mapped(self.reading.viewer.role, self.by_unit),
            ["aim_key", "target_key"],
            (),
            keys=list({aim_key for aim_key, _ in keys}),
            target_keys=list({target_key for _, target_key in keys}),
        )
        found: dict[tuple[int, int], list[EvidenceRow]] = {}
        shared: dict[int, EvidenceRow] = {}
        for aim_key, target_key, evidence in zip(leading["aim_key"], leading["target_key"], rows, strict=True):
            found.setdefault((aim_key, target_key), []).append(shared.setdefault(evidence.key, evidence))
        return found


class EvidenceOfCriterionLoader(_MappedEvidenceLoader):
    """Loads the evidence mapped to a criterion, by (aim key, criterion key)."""

    keys_of, by_unit = "criterion", False


class EvidenceOfUnitLoader(_MappedEvidenceLoader):
    """Loads the evidence mapped to any criterion of a unit, by (aim key, unit key)."""

    keys_of, by_unit = "unit", True
