"""Which parts of a portfolio a transaction has changed: `__part__` of the classes to whose tables it wrote.

And whether it changed who sees learners (`__seen_by__`): then those who saw one before are concerned too.
"""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session

from db.flush import on_change
from db.models.base import COUNTER, Base
from domain.enums import PortfolioPart

_KEY = "changed_parts"
_MOVED = "moved_learners"


def changed_parts(session: AsyncSession) -> set[PortfolioPart]:
    """Returns the parts that the session has written to so far."""
    found: set[PortfolioPart] = session.info.setdefault(_KEY, set())
    return found


def moved_learners(session: AsyncSession) -> bool:
    """Returns whether the session may have changed who sees learners."""
    return bool(session.info.get(_MOVED))


def note_write(session: AsyncSession, entity: type[Any]) -> None:
    """Notes rows that are written without objects of the session."""
    if entity.__seen_by__ is not None:
        session.info[_MOVED] = True
    _add(session, entity)


@on_change
def _of_change(info: dict[Any, Any], changed: Base, names: Collection[str] | None) -> None:
    entity = type(changed)
    if entity.__seen_by__ is not None and (names is None or any(name in names for name in entity.__seen_by__)):
        info[_MOVED] = True
    if entity.__part__ is not None and (names is None or any(name in _content(entity) for name in names)):
        info.setdefault(_KEY, set()).add(entity.__part__)


@cache
def _content(entity: type[Base]) -> frozenset[str]:
    """The attributes that are columns other than counters."""
    return frozenset(each.key for each in inspect(entity).column_attrs if each.columns[0].info is not COUNTER)


@event.listens_for(Session, "before_flush")
def _of_entities(session: Session, *_: Any) -> None:
    session.info[_MOVED] = (
        session.info.get(_MOVED, False)
        or any(each.__seen_by__ is not None for each in (*session.new, *session.deleted))
        or any(_is_moved(each) for each in session.dirty)
    )
    for each in (*session.new, *session.deleted, *filter(_is_changed, session.dirty)):
        _add(session, type(each))


@event.listens_for(Session, "do_orm_execute")
def _of_statements(state: ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and state.bind_mapper is not None:
        _add(state.session, state.bind_mapper.class_)
        if state.bind_mapper.class_.__seen_by__ is not None:
            state.session.info[_MOVED] = True


def _is_moved(entity: Any) -> bool:
    state = inspect(entity)
    watched = entity.__seen_by__ or ()
    return any(name in state.committed_state and state.attrs[name].history.has_changes() for name in watched)


def _is_changed(entity: Any) -> bool:
    """Whether a column other than a counter has a new value."""
    state = inspect(entity)
    # Only of what was set can there be a change.
    changed = (name for name in state.committed_state if state.attrs[name].history.has_changes())
    of_class: type[Base] = type(entity)
    return any(name in _content(of_class) for name in changed)


def _add(session: Session | AsyncSession, entity: Any) -> None:
    if entity.__part__ is not None:
        session.info.setdefault(_KEY, set()).add(entity.__part__)
