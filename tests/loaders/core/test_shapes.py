"""Shapes of rows: the columns that the attributes of an operation need, the statement with these, and the rows."""

import datetime as dt
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, union_all

from db.models.action import Action
from db.models.session import Session
from db.models.user import User
from domain.enums import Role
from domain.global_id import Identifier
from loaders.core import shapes
from loaders.core.row_properties import Delegated, computed
from loaders.core.rows import LightRow, column, derived, nested, optional, row
from loaders.core.shapes import MAX_SHAPES, Shape, shape_of


@row(User)
class PersonRow(LightRow):
    key: int = column(User.id)
    name: str = column(User.name)
    email: str = column(User.email)

    id = Identifier("User", "key")


@row(Action, joins=lambda statement: statement.join(User, User.id == Action.set_by_id))
class TaskRow(LightRow):
    key: int = column(Action.id)
    title: str = column(Action.title)
    target_date: dt.date = column(Action.target_date)
    set_by: PersonRow = nested(PersonRow, key=Action.set_by_id)
    done_by: PersonRow | None = optional(PersonRow, key=Action.completed_by_id)
    letters: int = derived("title")

    id = Identifier("Action", "key")
    author = Delegated[str]("set_by.name")

    @computed("letters")
    def short(self) -> bool:
        return self.letters < 5

    @property
    def whole(self) -> bool:
        return self.short

    @classmethod
    def derive(cls, rows: Sequence[Any], reading: Any) -> None:
        for each in rows:
            each.letters = len(each.title)


@pytest.fixture(autouse=True)
def no_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "_SHAPES", {})


def reads(**attributes: set[str]) -> Any:
    classes = {"task": TaskRow, "person": PersonRow}
    return SimpleNamespace(attributes={classes[name]: each for name, each in attributes.items()}, memo={})


def positions(*own: str, **attributes: set[str]) -> tuple[int, ...] | None:
    shape = shape_of(TaskRow, own, reads(**attributes))
    return shape and shape.positions


# The columns of a task: key, title, target_date, set_by (3, 4, 5), done_by (6, 7, 8).
@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (set(), (0,)),
        ({"id"}, (0,)),
        ({"target_date"}, (0, 2)),
        ({"set_by"}, (0, 3, 4, 5)),
        ({"done_by", "title"}, (0, 1, 6, 7, 8)),
        ({"author"}, (0, 3, 4, 5)),
        # What a derived field needs, and a property that reads it.
        ({"letters"}, (0, 1)),
        ({"short"}, (0, 1)),
        # A property that names nothing may read anything.
        ({"whole"}, None),
        ({"title", "target_date", "set_by", "done_by"}, None),
    ],
)
def test_attributes_need_columns(attributes: set[str], expected: tuple[int, ...] | None) -> None:
    assert positions(task=attributes) == expected


def test_nested_rows_have_a_shape_too() -> None:
    assert positions(task={"set_by", "done_by"}, person={"id"}) == (0, 3, 6)
    assert positions(task={"set_by"}, person={"email"}) == (0, 3, 5)
    # The outer row is read whole where nothing is known of it, the inner ones are not.
    assert positions(person={"id"}) == (0, 1, 2, 3, 6)
    # An attribute that leads into a nested row needs all of it.
    assert positions(task={"author"}, person={"id"}) == (0, 3, 4, 5)


def test_what_a_loader_reads_is_added() -> None:
    assert positions("target_date", task={"title"}) == (0, 1, 2)
    assert positions("target_date") is None


def build(shape: Shape, *rows: tuple[Any, ...]) -> list[Any]:
    return list(shape.build(list(zip(*rows, strict=True))))


def test_rows_have_only_what_was_read() -> None:
    shape = shape_of(TaskRow, (), reads(task={"set_by", "done_by"}, person={"name"}))
    assert shape is not None and not shape.derives
    first, second = build(shape, (1, 2, "Ann", 3, "Bob"), (4, 2, "Ann", None, None))
    assert (first.id, first.set_by.id, first.author, first.done_by.name) == ("Action_1", "User_2", "Ann", "Bob")
    assert (second.key, second.done_by) == (4, None)
    for unread in ("title", "letters", "short"):
        with pytest.raises(AttributeError):
            getattr(first, unread)
    with pytest.raises(AttributeError, match="email"):
        assert first.set_by.email


def test_the_statement_is_cut_to_the_columns() -> None:
    statement = TaskRow.select(Role.LEARNER, Action.learner_id)
    shape = shape_of(TaskRow, (), reads(task={"title"}))
    assert shape is not None
    cut = shape.cut(statement, 1)
    assert cut is not None
    assert [each.key for each in cut.selected_columns] == ["learner_id", "key", "title"]
    assert "JOIN" not in str(cut)
    shape = shape_of(TaskRow, (), reads(task={"set_by"}, person={"name"}))
    assert shape is not None
    assert "JOIN user_account" in str(shape.cut(statement, 1))


def test_a_statement_whose_columns_matter_is_not_cut() -> None:
    shape = shape_of(TaskRow, (), reads(task={"title"}))
    assert shape is not None
    statement = TaskRow.select(Role.LEARNER)
    assert shape.cut(statement.distinct(), 0) is None
    assert shape.cut(union_all(statement, statement), 0) is None
    assert shape.cut(select(Session.id), 0) is None


def test_shapes_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "MAX_SHAPES", 2)
    assert positions(task={"title"}) == (0, 1)
    assert positions(task={"title", "target_date"}) == (0, 1, 2)
    # The smallest that is kept and contains it; else the whole row.
    assert positions(task={"target_date"}) == (0, 1, 2)
    assert positions(task={"set_by"}) is None
    assert positions(task={"title"}) == (0, 1)
    assert MAX_SHAPES >= 8
