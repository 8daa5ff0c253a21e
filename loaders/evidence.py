"""Evidence by key, in pages of a learner, and as criteria, units and actions show it; with its file and submitter."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, select

from auth import scope
from db.models.aim import Aim
from db.models.base import Key
from db.models.evidence import Evidence, EvidenceMapping
from db.models.file import File
from db.models.user import User
from db.sql.any_of import any_of
from domain.enums import AssessmentMethod, EvidenceStatus, Role
from domain.global_id import Identifier
from loaders.core.learner_list import LearnerList
from loaders.core.pagination import Order
from loaders.core.read_session import ManyLoader, OneLoader, ReadSession, cached_statement
from loaders.core.viewer_list import ViewerList, at_employer
from loaders.file import FILE_COLUMNS, FileRow
from loaders.user import UserRow

# What is the assessor's to do next.
AWAITING_ASSESSMENT = (EvidenceStatus.SUBMITTED, EvidenceStatus.RESUBMITTED)


@dataclass(slots=True)
class EvidenceRow:
    """One piece of evidence, as its latest version stands."""

    key: int
    learner_key: int
    aim_key: int
    action_key: int | None
    title: str
    description: str
    status: EvidenceStatus
    declared_own_work: bool
    submitted_at: dt.datetime
    assessment_methods: list[AssessmentMethod]
    feedback: str | None
    points_for_improvement: str | None
    submitted_by: UserRow
    file: FileRow

    id = Identifier("Evidence", "key")


def _sees(role: Role) -> ColumnElement[bool]:
    return scope.sees_record(role, Evidence.learner_id, Evidence.aim_id) & scope.of_provider(Evidence)


def _evidence(role: Role, *more: Any) -> Select:
    """`more` columns come first."""
    return (
        select(
            *more,
            Evidence.id,
            Evidence.learner_id,
            Evidence.aim_id,
            Evidence.action_id,
            Evidence.title,
            Evidence.description,
            Evidence.status,
            Evidence.declared_own_work,
            Evidence.submitted_at,
            Evidence.assessment_methods,
            Evidence.feedback,
            Evidence.points_for_improvement,
            Evidence.submitted_by_id,
            User.name.label("submitted_by_name"),
            *FILE_COLUMNS,
        )
        .select_from(Evidence)
        .join(User, User.id == Evidence.submitted_by_id)
        .join(File, File.id == Evidence.file_id)
        .where(_sees(role))
    )


def _row(row: Any, _: ReadSession | None = None) -> EvidenceRow:
    *own, methods, feedback, points, by, by_name = row[:14]
    judged_by = [AssessmentMethod(name) for name in methods]
    file = FileRow(*row[14 : 14 + len(FILE_COLUMNS)])
    return EvidenceRow(*own, judged_by, feedback, points, UserRow(by, by_name), file)


# unscoped: asked of evidence that the viewer sees
_MAPPED = exists().where(EvidenceMapping.evidence_id == Evidence.id)

EVIDENCE_OF_LEARNER: LearnerList[EvidenceRow] = LearnerList(
    Evidence.learner_id,
    Order("submitted_desc", Evidence.submitted_at, Evidence.id, lambda row: row.submitted_at, descending=True),
    _evidence,
    _row,
    {
        "aim_key": Evidence.aim_id == bindparam("aim_key", type_=Key),
        "status": Evidence.status == bindparam("status", type_=Evidence.status.type),
        "unmapped_only": ~_MAPPED,
    },
)


def _of_assessor() -> ColumnElement[bool]:
    # unscoped: a condition beside the scope of the statement that it cuts
    aims = select(Aim.id).where(Aim.assessor_id == bindparam("assessor_key", type_=Key))
    return Evidence.aim_id.in_(aims)


EVIDENCE_OF_VIEWER: ViewerList[EvidenceRow] = ViewerList(
    Order("submitted", Evidence.submitted_at, Evidence.id, lambda row: row.submitted_at),
    _evidence,
    _row,
    {
        "awaiting_assessment": Evidence.status.in_(AWAITING_ASSESSMENT),
        "assessor_key": _of_assessor(),
        "employer_key": at_employer(Evidence.learner_id),
    },
)


@cached_statement
def _by_key(role: Role) -> Select:
    return _evidence(role).where(any_of(Evidence.id))


@cached_statement
def _of_action(role: Role) -> Select:
    return _evidence(role).where(any_of(Evidence.action_id)).order_by(Evidence.submitted_at, Evidence.id)


@cached_statement
def _mapped(role: Role, by_unit: bool) -> Select:
    place = EvidenceMapping.unit_id if by_unit else EvidenceMapping.criterion_id
    # unscoped: joined to the evidence, whose scope also says who sees its mappings
    pairs = (
        select(EvidenceMapping.evidence_id, EvidenceMapping.aim_id, place.label("place"))
        .where(any_of(EvidenceMapping.aim_id), any_of(place, "places"), scope.of_provider(EvidenceMapping))
        .distinct()
        .subquery()
    )
    return (
        _evidence(role, pairs.c.aim_id.label("mapped_aim"), pairs.c.place)
        .join(pairs, pairs.c.evidence_id == Evidence.id)
        .order_by(Evidence.submitted_at, Evidence.id)
    )


class EvidenceLoader(OneLoader[int, EvidenceRow]):
    """Evidence by key."""

    async def fetch(self, keys: list[int]) -> dict[int, EvidenceRow]:
        return {row.id: _row(row) for row in await self.reading.rows(_by_key(self.reading.viewer.role), keys=keys)}


class EvidenceOfActionLoader(ManyLoader[int, EvidenceRow]):
    """What was submitted for an action, the oldest first."""

    async def fetch(self, keys: list[int]) -> dict[int, list[EvidenceRow]]:
        found: dict[int, list[EvidenceRow]] = {}
        for row in await self.reading.rows(_of_action(self.reading.viewer.role), keys=keys):
            found.setdefault(row.action_id, []).append(_row(row))
        return found


class MappedEvidenceLoader(ManyLoader[tuple[int, int], EvidenceRow]):
    """Evidence mapped to a criterion or to any criterion of a unit, the oldest first.

    By (aim key, criterion key) or (aim key, unit key).
    """

    def __init__(self, reading: ReadSession, by_unit: bool) -> None:
        super().__init__(reading)
        self._by_unit = by_unit

    async def fetch(self, keys: list[tuple[int, int]]) -> dict[tuple[int, int], list[EvidenceRow]]:
        rows = await self.reading.rows(
            _mapped(self.reading.viewer.role, self._by_unit),
            keys=list({aim_key for aim_key, _ in keys}),
            places=list({place for _, place in keys}),
        )
        found: dict[tuple[int, int], list[EvidenceRow]] = {}
        made: dict[int, EvidenceRow] = {}
        for aim_key, place, key, *rest in rows:
            if key not in made:
                made[key] = _row((key, *rest))
            found.setdefault((aim_key, place), []).append(made[key])
        return found
