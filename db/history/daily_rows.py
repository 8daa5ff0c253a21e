"""Records how aims and logged time stand at the end of each day, in the transaction that changes them.

A session notes which rows it changes (`_note`), and `record` writes the rows of today: one statement for aims, one for
time. `Database.writing` calls it before each commit, so no writer can leave it out. Statements that change tables
without the session's objects call `note_aims` or `note_time`.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Insert,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    event,
    func,
    inspect,
    literal,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db.cached_statement import cached_statement
from db.direct_statements import is_postgresql, send
from db.flush import on_change
from db.models.aim import Aim, AimProgress
from db.models.aim_history import AimHistory, TimeHistory
from db.models.base import Base
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.time_log_entry import TimeLogEntry
from db.sql.aim_history import next_row_day
from db.sql.any_of import any_of
from db.sql.day_number import day_number as sql_day_number
from db.sql.traffic_light_days import days_of_light_changes
from domain import clock
from domain.day_number import day_number
from domain.enums import AimStatus, JobSetting
from domain.progress import ENDED

_NOTED = "history"
_TODAY = bindparam("today", type_=Integer())
# The columns of a day that say how an aim stood, and the columns that say how it stands now.
CURRENT: dict[str, InstrumentedAttribute[Any]] = {
    "employer_id": Learner.employer_id,
    "assessor_id": Aim.assessor_id,
    "qualification_id": Aim.qualification_id,
    "status": Aim.status,
    "start_date": Aim.start_date,
    "planned_end_date": Aim.planned_end_date,
    "criteria_total": AimProgress.criteria_total,
    "criteria_mapped": AimProgress.criteria_mapped,
    "criteria_signed_off": AimProgress.criteria_signed_off,
    "units_to_choose": AimProgress.units_to_choose,
    "days_on_break": AimProgress.days_on_break,
    "break_since": AimProgress.break_since,
}


def _current(entity: type[Any]) -> tuple[str, ...]:
    return tuple(column.key for column in CURRENT.values() if column.class_ is entity)


# The attributes that history follows.
# listed: each class is noted in a way of its own
_FOLLOWED: dict[type[Any], tuple[str, ...]] = {
    Aim: _current(Aim),
    AimProgress: _current(AimProgress),
    Learner: _current(Learner),
    TimeLogEntry: ("minutes", "aim_id", "job_setting", "exclusion"),
    Provider: ("traffic_light_tolerance", "rated_from_percent"),
}


class Noted:
    """What a session has changed since the last `record`: keys of aims, learners and providers."""

    def __init__(self) -> None:
        self.aims: set[int] = set()
        # Learners whose aims all changed, and those whose logged time did.
        self.learners: set[int] = set()
        self.time: set[int] = set()
        self.providers: set[int] = set()


def _noted(session: Session | AsyncSession) -> Noted:
    found: Noted = session.info.setdefault(_NOTED, Noted())
    return found


def note_aims(session: AsyncSession, *aim_keys: int) -> None:
    """Notes that aims have changed."""
    _noted(session).aims.update(aim_keys)


def note_time(session: AsyncSession, *learner_keys: int) -> None:
    """Notes that the logged time of learners has changed."""
    _noted(session).time.update(learner_keys)


def note_insert(session: AsyncSession, entity: type[Any], values: Mapping[str, Any]) -> None:
    """Notes a new row that is no object of the session. Raises TypeError for a class whose rows need more than that."""
    if entity is TimeLogEntry:
        note_time(session, values["learner_id"])
    elif entity in _FOLLOWED:
        raise TypeError(f"the history follows new rows of {entity.__name__} as objects of the session")


@on_change
def _note_change(info: dict[Any, Any], changed: Base, names: Collection[str] | None) -> None:
    followed = _FOLLOWED.get(type(changed))
    if followed is not None and (names is None or any(name in names for name in followed)):
        _note_row(info.setdefault(_NOTED, Noted()), changed, new=names is None)


@event.listens_for(Session, "after_flush")
def _note(session: Session, flush_context: Any) -> None:
    for each in (*session.new, *session.deleted, *session.dirty):
        followed = _FOLLOWED.get(type(each))
        if followed is None:
            continue
        state = inspect(each)
        changed = each in session.new or each in session.deleted
        was_set = filter(state.committed_state.__contains__, followed)
        if changed or any(state.attrs[name].history.has_changes() for name in was_set):
            _note_row(_noted(session), each, new=each in session.new)


def _note_row(noted: Noted, row: Any, new: bool) -> None:
    match row:
        case Aim():
            noted.aims.add(row.id)
        case AimProgress():
            noted.aims.add(row.aim_id)
        case Learner():
            (noted.time if new else noted.learners).add(row.id)
        case TimeLogEntry():
            noted.time.add(row.learner_id)
        case Provider() if not new:
            noted.providers.add(row.id)


async def record(session: AsyncSession) -> None:
    """Writes the rows of today for what the session has noted."""
    noted: Noted | None = session.info.pop(_NOTED, None)
    if noted is None:
        return
    found = {"aims": noted.aims, "learners": noted.learners, "providers": noted.providers}
    keys = {name: sorted(each) for name, each in found.items() if each}
    if keys:
        adding = _adding_noted_aims(_dialect(session), tuple(keys))
        await send(session, adding, {**keys, "today": day_number(clock.today())})
    if noted.time:
        await record_time(session, noted.time)


def _dialect(session: AsyncSession) -> str:
    return "postgresql" if is_postgresql(session) else "sqlite"


# Built once, as reads are: to build them costs more than to run them.
@cached_statement
def _adding_noted_aims(dialect: str, names: tuple[str, ...]) -> Insert:
    conditions = {
        "aims": any_of(Aim.id, "aims"),
        "learners": any_of(Aim.learner_id, "learners"),
        # The settings decide no light of an aim that has ended.
        "providers": and_(any_of(Aim.provider_id, "providers"), Aim.status.not_in(ENDED)),
    }
    return _adding_aims(dialect, or_(*(conditions[name] for name in names)))


async def record_aims(session: AsyncSession, which: ColumnElement[bool], parameters: dict[str, Any]) -> None:
    """Writes today's rows of the aims that meet a condition."""
    adding = _adding_aims(_dialect(session), which)
    await session.execute(adding, {**parameters, "today": day_number(clock.today())})


def _adding_aims(dialect: str, which: ColumnElement[bool]) -> Insert:
    columns, statement = _state(which, _TODAY)
    return _upsert(dialect, AimHistory, columns, statement, ("aim_id", "day"))


def _state(which: ColumnElement[bool], today: BindParameter[int]) -> tuple[list[str], Select[Any]]:
    """Returns the names of the columns, and a select of how aims stand now."""
    earlier, last = aliased(AimHistory), aliased(AimHistory)
    # unscoped: the aims that a write changed, or all of them
    last_day = (
        select(func.max(last.day)).where(last.aim_id == Aim.id, last.day < today).correlate(Aim).scalar_subquery()
    )
    started = case((earlier.started_on < today, earlier.started_on))
    begins = sql_day_number(Aim.start_date)
    values: dict[str, Any] = {
        "aim_id": Aim.id,
        "day": today,
        "provider_id": Aim.provider_id,
        "learner_id": Aim.learner_id,
        **CURRENT,
        **days_of_light_changes(Aim, AimProgress),
        "started_on": func.coalesce(started, case((begins > today, begins), else_=today)),
        "completed_on": case((Aim.status == AimStatus.COMPLETED, func.coalesce(earlier.completed_on, today))),
        "withdrawn_on": case((Aim.status == AimStatus.WITHDRAWN, func.coalesce(earlier.withdrawn_on, today))),
    }
    # unscoped: the aims that a write changed, or all of them
    statement = (
        select(*(value.label(name) for name, value in values.items()))
        .select_from(Aim)
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .join(Learner, Learner.id == Aim.learner_id)
        .join(Provider, Provider.id == Aim.provider_id)
        .outerjoin(earlier, and_(earlier.aim_id == Aim.id, earlier.day == last_day))
        .where(which)
        # In one order, so that two transactions that write the same rows do not wait for each other.
        .order_by(Aim.id)
    )
    return list(values), statement


def of_same_provider(table: Any) -> ColumnElement[bool]:
    """The condition that a row is of a learner and of the learner's provider.

    By the learner's rows: of a provider SQLite would read all of them for each learner, by the index of providers.
    """
    return and_(Learner.id == table.learner_id, Learner.provider_id == table.provider_id + literal_column("0"))


async def record_time(session: AsyncSession, learner_keys: Collection[int]) -> None:
    """Writes today's rows of learners' logged time: what counts now, less what earlier days have.

    The rows are of the learner's provider. An entry of another provider counts for nobody who sees the learner.
    """
    keys = {"keys": sorted(learner_keys), "today": day_number(clock.today())}
    await send(session, _adding_time(_dialect(session)), keys)


@cached_statement
def _adding_time(dialect: str) -> Insert:
    today = _TODAY
    counts = and_(TimeLogEntry.job_setting == JobSetting.OFF_THE_JOB, TimeLogEntry.exclusion.is_(None))
    has_rows = select(TimeHistory.learner_id).where(TimeHistory.learner_id == Learner.id).correlate(Learner)
    # (learner, provider, aim, minutes, whether there must be a row)
    # unscoped: the learners that the caller names
    parts = union_all(
        select(
            TimeLogEntry.learner_id, TimeLogEntry.provider_id, func.coalesce(TimeLogEntry.aim_id, 0).label("aim_id"),
            case((counts, TimeLogEntry.minutes), else_=0).label("minutes"), literal(0).label("kept"),
        )
        .join(Learner, of_same_provider(TimeLogEntry))
        .where(any_of(TimeLogEntry.learner_id)),
        select(
            TimeHistory.learner_id, TimeHistory.provider_id, TimeHistory.aim_id,
            case((TimeHistory.day < today, -TimeHistory.minutes), else_=0),
            case((TimeHistory.day == today, 1), else_=0),
        )
        .join(Learner, of_same_provider(TimeHistory))
        .where(any_of(TimeHistory.learner_id)),
        select(Learner.id, Learner.provider_id, literal(0), literal(0), literal(1)).where(
            any_of(Learner.id), ~has_rows.exists()
        ),
    ).subquery()  # fmt: skip
    minutes = func.sum(parts.c.minutes)
    statement = (
        select(parts.c.learner_id, parts.c.aim_id, today.label("day"), parts.c.provider_id, minutes)
        .group_by(parts.c.learner_id, parts.c.aim_id, parts.c.provider_id)
        .having(or_(minutes != 0, func.max(parts.c.kept) == 1))
        .order_by(parts.c.learner_id, parts.c.aim_id)
    )
    columns = ["learner_id", "aim_id", "day", "provider_id", "minutes"]
    return _upsert(dialect, TimeHistory, columns, statement, ("learner_id", "aim_id", "day"))


def _upsert(dialect: str, table: Any, columns: list[str], statement: Select[Any], key: tuple[str, ...]) -> Insert:
    insert = (postgresql if dialect == "postgresql" else sqlite).insert
    adding = insert(table.__table__).from_select(columns, statement, include_defaults=False)
    changed = {name: adding.excluded[name] for name in columns if name not in key}
    # By the name of the constraint, because a migration adds the provider to its columns. SQLite needs neither.
    target = {"constraint": str(table.__table__.primary_key.name)} if dialect == "postgresql" else {}
    upsert: Insert = adding.on_conflict_do_update(**target, set_=changed)
    return upsert


async def close_rows(session: AsyncSession) -> None:
    """Fills in until when each row holds that a later one has followed, so that reads need not look for it."""
    following = next_row_day()
    closing = update(AimHistory).where(AimHistory.until.is_(None), following.is_not(None)).values(until=following)
    await session.execute(closing.execution_options(synchronize_session=False))
