"""Sources of tasks: each is a scoped select of what waits for the viewer in the role in use.

    @source(4, TaskKind.ASSESS_EVIDENCE, "Evidence", Role.ASSESSOR)
    def _assess(role: Role) -> Select:
        waiting = Evidence.status.in_(AWAITING_ASSESSMENT), of_running_aim(role, Evidence.aim_id)
        task = columns(Evidence.id, Evidence.learner_id, Evidence.title, since_at=Evidence.submitted_at)
        return select(*task).where(scope.sees(role, Evidence), *waiting)

Nothing is stored about a task, so that a task that is done disappears everywhere. What is withdrawn, or on a break
in learning, is no task. Days are numbers (`domain.day_number`), which both databases sort and
compare alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)

from auth import scope
from auth.scope import VIEWER_USER
from auth.viewer import Viewer
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.base import UtcDateTime
from db.models.learner import Learner
from db.sql.day_number import day_number
from db.sql.in_array import in_array
from db.sql.progress import total
from domain.day_number import NO_DAY_NUMBER
from domain.enums import AimStatus, Role, TaskKind

# Of the viewer's day in London.
TODAY_NUMBER = bindparam("today_number", type_=Integer)
NOW = bindparam("now", type_=UtcDateTime)

# A task's key holds the key of its subject, and which source it is from. The subject of some is a unit of an aim.
_SOURCES_AT_MOST = 2**5
_UNITS_AT_MOST = 2**24
RUNNING = (AimStatus.AWAITING_INDUCTION, AimStatus.IN_TRAINING)


@dataclass(frozen=True, slots=True)
class TaskSource:
    """One kind of task. `number` is part of the ids of its tasks: it is never changed, and never given again.

    `subject` is the GraphQL type of what the task is about, `statement(role)` its select for one of the `roles`.
    `applies(viewer)`: the viewer's provider has such tasks for the viewer's role.
    """

    number: int
    kind: TaskKind
    subject: str
    roles: tuple[Role, ...]
    statement: Callable[[Role], Select]
    applies: Callable[[Viewer], bool]


# By number. The modules of this package fill it.
SOURCES: dict[int, TaskSource] = {}


def source(
    number: int, kind: TaskKind, subject: str, *roles: Role, applies: Callable[[Viewer], bool] = lambda viewer: True
) -> Callable[[Callable[[Role], Select]], Callable[[Role], Select]]:
    """Makes a function the select of one kind of task; its columns are those of `columns`."""

    def register(statement: Callable[[Role], Select]) -> Callable[[Role], Select]:
        if number in SOURCES or not 0 < number < _SOURCES_AT_MOST:
            raise TypeError(f"{kind.name}: {number} is not a free number of a source of tasks")
        SOURCES[number] = TaskSource(number, kind, subject, roles, statement, applies)
        return statement

    return register


def columns(
    subject_key: Any,
    learner_id: Any,
    name: Any,
    *,
    since_at: Any = None,
    due_day: Any = None,
    since_day: Any = None,
) -> list[ColumnElement[Any]]:
    """Returns the columns of a source. `name`: of the subject, for the title.

    A task without `due_day` needs `since_at`; `since_day` is used where `since_at` is NULL.
    """
    moment = cast(null(), UtcDateTime) if since_at is None else since_at
    day = cast(null(), Integer) if since_day is None else since_day
    due = cast(null(), Integer) if due_day is None else due_day
    urgency = due if due_day is not None else literal(NO_DAY_NUMBER, Integer) + day_number(since_at)
    return [
        cast(subject_key, BigInteger).label("subject_key"),
        learner_id.label("learner_key"),
        cast(name, String).label("name"),
        cast(due, Integer).label("due_day"),
        moment.label("since_at"),
        cast(day, Integer).label("since_day"),
        # A record of an earlier version may not say since when it waits.
        cast(func.coalesce(urgency, NO_DAY_NUMBER), Integer).label("urgency"),
    ]


def latest(*days: ColumnElement[int]) -> ColumnElement[int]:
    """The greatest of day numbers; one that is NULL does not count, unless it is the first."""
    found = days[0]
    for day in days[1:]:
        found = case((day > found, day), else_=found)
    return found


# ---------------------------------------------------------------------- keys


def unit_subject(aim_id: Any, unit_id: Any) -> ColumnElement[int]:
    """The one number for a unit of an aim."""
    return cast(aim_id, BigInteger) * literal(_UNITS_AT_MOST, BigInteger) + unit_id


def task_key(number: int, subject_key: Any) -> Any:
    """The key of a task, in Python or as SQL."""
    return subject_key * _SOURCES_AT_MOST + number


def subject_of(key: int) -> tuple[TaskSource, int | tuple[int, int]]:
    """Returns a task's source, and the key of its subject, which for a unit is a pair."""
    subject_key, number = divmod(key, _SOURCES_AT_MOST)
    found = SOURCES[number]
    return found, divmod(subject_key, _UNITS_AT_MOST) if found.subject == "Unit" else subject_key


# ---------------------------------------------------------------------- conditions


def not_own(role: Role, learner_id: Any) -> list[ColumnElement[bool]]:
    """The condition that a record is not the viewer's own, which in another role than LEARNER they cannot change."""
    if role is Role.LEARNER:
        return []
    # unscoped: their own record
    return [learner_id.not_in(select(_own().build().c.id))]


def of_visible_learner(role: Role, learner_id: Any) -> ColumnElement[bool]:
    """The condition that a learner is visible, for a role that sees a few hundred.

    It follows from the scope of the record, but lets PostgreSQL use the index by learner beside any other condition.
    """
    return in_array(learner_id, scope.visible_learners(role))


def runs(role: Role) -> ColumnElement[bool]:
    """The condition that the aim of the statement is visible, and neither withdrawn nor on a break."""
    return and_(scope.sees_aim(role), Aim.status.not_in((AimStatus.WITHDRAWN, AimStatus.SUSPENDED)))


def of_running_aim(role: Role, aim_id: Any) -> ColumnElement[bool]:
    """The condition that an aim is visible, and neither withdrawn nor on a break."""
    # unscoped: the running aims are scoped
    return aim_id.in_(select(_running_aims(role).build().c.id))


def of_running_programme(role: Role, learner_id: Any) -> ColumnElement[bool]:
    """The condition that a learner's programme is neither on a break nor left, of the aims that the viewer sees."""
    # unscoped: the programmes are scoped
    return learner_id.not_in(select(_stopped_programmes(role).build().c.learner_id))


def is_running(role: Role, entity: Any) -> ColumnElement[bool]:
    """The condition that the aim of a record runs, or, of one without an aim, the learner's programme."""
    without_aim = and_(entity.aim_id.is_(None), of_running_programme(role, entity.learner_id))
    return or_(of_running_aim(role, entity.aim_id), without_aim)


# ---------------------------------------------------------------------- read once for all sources of a statement


@cached_statement
def _own() -> CTE:
    # unscoped: the viewer's own record, which they do not see in the list
    return select(Learner.id).where(Learner.user_id == VIEWER_USER, scope.of_provider(Learner)).cte("own_record")


@cached_statement
def _running_aims(role: Role) -> CTE:
    return select(Aim.id).where(runs(role)).cte("running_aim")


@cached_statement
def _stopped_programmes(role: Role) -> CTE:
    def count(*statuses: AimStatus) -> Any:
        return total(case((Aim.status.in_(statuses), 1), else_=0))

    return (
        select(Aim.learner_id)
        .where(scope.sees_aim(role))
        .group_by(Aim.learner_id)
        .having(
            count(*RUNNING) == 0,
            or_(count(AimStatus.SUSPENDED) > 0, count(AimStatus.COMPLETED) == 0),
            func.count() > 0,
        )
        .cte("stopped_programme")
    )
