"""Tasks: what waits for the viewer in the role in use, in pages, by key, and counted. All kinds are one statement."""

import asyncio
import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Enum,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    column,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)

from auth.viewer import Viewer
from db.cached_statement import cached_statement
from db.models.base import UtcDateTime
from db.sql.any_of import any_of
from db.sql.progress import total
from db.sql.reviews import parameters as review_parameters
from domain import clock
from domain.day_number import day_number, day_of_number
from domain.enums import Role, TaskKind
from domain.global_id import Identifier
from domain.submodules import import_submodules
from loaders.core.base import OneLoader
from loaders.core.dataloader import map_future
from loaders.core.filters import Filter, one_of
from loaders.core.paged_list import PagedList, Shapes
from loaders.core.pagination import Order
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders, node_loaders, register_node
from loaders.core.row_properties import computed
from loaders.core.rows import LightRow, derived, row
from loaders.core.rows import column as row_column
from loaders.tasks.source import SOURCES, TODAY_NUMBER, TaskSource, subject_of, task_key
from loaders.tasks.time import SOON_DAYS

# Each registers its kinds of task.
import_submodules("loaders.tasks")

_KIND_TYPE = Enum(TaskKind, native_enum=False, length=40)
# The columns of the select of all kinds, by name: which table they are of depends on the role.
_KEY: Any = column("key", BigInteger)
_KIND: Any = column("kind", _KIND_TYPE)
_LEARNER_KEY: Any = column("learner_key", BigInteger)
_NAME: Any = column("name", String)
_DUE_DAY: Any = column("due_day", Integer)
_SINCE_AT: Any = column("since_at", UtcDateTime)
_SINCE_DAY: Any = column("since_day", Integer)
_URGENCY: Any = column("urgency", Integer)

# What the title says, with the name of the subject or of the other person.
_TITLES = {
    TaskKind.SIGN_DOCUMENT: "Sign the document: {}",
    TaskKind.SIGN_UNIT: "Sign the unit: {}",
    TaskKind.SIGN_REVIEW: "Sign progress review {}",
    TaskKind.ANSWER_REVIEW: "Write your part of progress review {}",
    TaskKind.BOOK_REVIEW: "Book a formal review with {}",
    TaskKind.ASSESS_EVIDENCE: "Assess the evidence: {}",
    TaskKind.RESUBMIT_EVIDENCE: "Improve the evidence: {}",
    TaskKind.RESPOND_TO_ACTION: "Respond to the action: {}",
    TaskKind.FOLLOW_UP_ACTION: "Follow up the action: {}",
    TaskKind.APPROVE_TIME: "Approve time logged for {}",
    TaskKind.CONFIRM_TIME: "Confirm time logged for {}",
    TaskKind.LOG_LEARNING: "Log what you learned",
    TaskKind.CHOOSE_UNITS: "Choose optional units: {}",
    TaskKind.SAMPLE_UNIT: "Sample the unit: {}",
    TaskKind.ANSWER_SAMPLE: "Answer an action of the sample: {}",
    TaskKind.SESSION_SOON: "Session with {}",
}


def sources_of(role: Role) -> list[TaskSource]:
    """Returns the kinds of task that a role can have, in the order of `TaskKind`."""
    kinds = list(TaskKind)
    return sorted((each for each in SOURCES.values() if role in each.roles), key=lambda each: kinds.index(each.kind))


def _kinds(viewer: Viewer, wanted: Collection[TaskKind] | None = None) -> frozenset[TaskKind]:
    """Returns the kinds of task that can wait for a viewer, of the wanted ones if they are given."""
    kinds = frozenset(each.kind for each in sources_of(viewer.role) if each.applies(viewer))
    return kinds if wanted is None else kinds.intersection(wanted)


@cached_statement
def _tasks(role: Role, kinds: frozenset[TaskKind]) -> CTE:
    """The tasks of some kinds of a viewer in the role. A statement that reads them twice computes them once.

    No select of another kind is in it: PostgreSQL would keep no plan of a statement with a part that some viewers skip.
    """
    every, selects = sources_of(role), []
    for each in [each for each in every if each.kind in kinds] or every[:1]:
        found = each.statement(role).subquery()
        key = task_key(each.number, found.c.subject_key).label("key")
        columns = [column for column in found.c if column.name != "subject_key"]
        # unscoped: the statement of a source is scoped
        tasks = select(key, literal(each.kind, _KIND_TYPE).label("kind"), *columns)
        selects.append(tasks if each.kind in kinds else tasks.where(false()))
    return union_all(*selects).cte("task")


def _listed(role: Role, shapes: Shapes) -> CTE:
    return _tasks(role, dict(shapes)["kinds"]).build()


def _narrowed(reading: ReadSession, values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "kinds": _kinds(reading.viewer, values.get("kinds"))}


@row()
class TaskRow(LightRow):
    """Something that waits for the viewer. `waiting_since` is when it began to wait."""

    key: int = row_column(_KEY)
    kind: TaskKind = row_column(_KIND)
    learner_key: int = row_column(_LEARNER_KEY)
    name: str = row_column(_NAME)
    due_day: int | None = row_column(_DUE_DAY)
    since_at: dt.datetime | None = row_column(_SINCE_AT)
    since_day: int | None = row_column(_SINCE_DAY)
    urgency: int = row_column(_URGENCY)
    due_on: dt.date | None = derived("due_day")
    overdue_days: int = derived("due_day")
    waiting_since: dt.datetime | None = derived("since_at", "since_day")

    id = Identifier("Task", "key")

    @classmethod
    def derive(cls, rows: Sequence["TaskRow"], reading: ReadSession) -> None:
        for task in rows:
            task.due_on = None if task.due_day is None else day_of_number(task.due_day)
            task.overdue_days = max((reading.today - task.due_on).days, 0) if task.due_on else 0
            task.waiting_since = task.since_at
            if task.since_at is None and task.since_day is not None:
                task.waiting_since = clock.start_of(day_of_number(task.since_day))

    @computed("kind", "name")
    def title(self) -> str:
        """Returns what to do, in a few words."""
        return _TITLES[self.kind].format(self.name)


def parameters(reading: ReadSession) -> dict[str, Any]:
    """Returns what the select of all kinds binds besides the viewer."""
    days = [reading.today + dt.timedelta(days=days) for days in range(SOON_DAYS + 1)]
    rules = reading.viewer.rules
    return {
        **review_parameters(rules.review_interval_weeks, rules.review_months),
        "today_number": day_number(reading.today),
        "now": reading.now,
        **{f"day_{index}_ends": clock.end_of(day) for index, day in enumerate(days)},
    }


class _DueBy(Filter):
    """Tasks that are due on a day or earlier; those without a due day are not."""

    def __init__(self) -> None:
        super().__init__(lambda role, name, shape: bindparam(name, type_=Integer) >= _DUE_DAY)

    def bound(self, name: str, value: Any, reading: ReadSession) -> dict[str, Any]:
        return {name: day_number(value)}


# Most urgent first: by the day due; those without one after them, the longest waiting first.
TASKS = PagedList(
    TaskRow,
    Order("urgency", _URGENCY, _KEY, "urgency"),
    filters={"kinds": one_of(_KIND), "due_by": _DueBy()},
    bound=parameters,
    source=_listed,
    narrowed=_narrowed,
)


@cached_statement
def _first(role: Role, kinds: frozenset[TaskKind], since: bool) -> Select:
    statement = TASKS.statement(role, TASKS.shapes({"kinds": kinds}))
    if since:
        moment, day = bindparam("since", type_=UtcDateTime), bindparam("since_number", type_=Integer)
        statement = statement.where(or_(moment < _SINCE_AT, and_(_SINCE_AT.is_(None), day <= _SINCE_DAY)))
    return statement.order_by(*TASKS.order.columns()).limit(bindparam("most", type_=Integer))


async def first_tasks(
    reading: ReadSession, kinds: Collection[TaskKind] | None, most: int, since: dt.datetime | None = None
) -> list[TaskRow]:
    """Returns up to `most` of the viewer's tasks of some kinds, or of all, most urgent first.

    `since`: only those that began to wait on its day or later.
    """
    bound: dict[str, Any] = {**parameters(reading), "most": most}
    if since is not None:
        bound |= {"since": since, "since_number": day_number(clock.day_of(since))}
    statement = _first(reading.viewer.role, _kinds(reading.viewer, kinds), since is not None)
    return await reading.read(TaskRow, statement, **bound)


@cached_statement
def _by_key(role: Role, kinds: frozenset[TaskKind]) -> Select:
    # unscoped: the statement of each source is scoped
    return select(*TaskRow.columns(role)).select_from(_tasks(role, kinds).build()).where(any_of(_KEY))


class TaskLoader(OneLoader[int, TaskRow]):
    """Loads tasks by key; None for one that is done or another's."""

    keys_of = "task"

    async def fetch(self, keys: list[int]) -> dict[int, TaskRow]:
        reading = self.reading
        statement = _by_key(reading.viewer.role, _kinds(reading.viewer))
        rows = await reading.read(TaskRow, statement, keys=keys, **parameters(reading))
        return {task.key: task for task in rows}


register_node("Task", TaskLoader)


def subjects(tasks: Sequence[TaskRow], loaders: Loaders) -> asyncio.Future[list[Any]]:
    """Returns a future of the rows of the records that tasks are about, in their order, which the viewer sees."""
    found = [subject_of(task.key) for task in tasks]
    keys: dict[str, list[Any]] = {}
    for source, key in found:
        keys.setdefault(source.subject, []).append(key)
    nodes = node_loaders()
    reads = [loaders[nodes[type_name]].load_batch(of_type) for type_name, of_type in keys.items()]

    def in_order(rows: list[list[Any]]) -> list[Any]:
        following = {type_name: iter(of_type) for type_name, of_type in zip(keys, rows, strict=True)}
        return [next(following[source.subject]) for source, _ in found]

    return map_future(asyncio.gather(*reads), in_order)


def subject(task: TaskRow, loaders: Loaders) -> asyncio.Future[Any]:
    """Returns a future of the row of the record that one task is about."""
    return map_future(subjects([task], loaders), itemgetter(0))


@dataclass(frozen=True, slots=True)
class TaskCountRow:
    """How many tasks of one kind there are, and how many of them are overdue."""

    kind: TaskKind
    count: int
    overdue_count: int


@cached_statement
def _counts(role: Role, kinds: frozenset[TaskKind]) -> Select:
    overdue = total(case((_DUE_DAY < TODAY_NUMBER, 1), else_=0)).label("overdue_count")
    # unscoped: the statement of each source is scoped
    counts = select(_KIND, func.count().label("number"), overdue).select_from(_tasks(role, kinds).build())
    return counts.group_by(_KIND)


async def task_counts(reading: ReadSession) -> list[TaskCountRow]:
    """Returns the numbers of each kind of task that the viewer's role can have, in the order of `TaskKind`."""
    role = reading.viewer.role
    statement = _counts(role, _kinds(reading.viewer))
    found = {each.kind: each for each in await reading.rows(statement, **parameters(reading))}
    kinds = [each.kind for each in sources_of(role)]
    return [
        TaskCountRow(kind, int(found[kind].number), int(found[kind].overdue_count))
        if kind in found
        else TaskCountRow(kind, 0, 0)
        for kind in kinds
    ]
