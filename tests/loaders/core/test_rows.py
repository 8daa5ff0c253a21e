"""Light rows: a declaration that does not fit its columns is an error when the module is imported."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import literal, null, select

from db.database import Database
from db.models.action import Action
from db.models.user import User
from domain.enums import Role
from loaders.core.rows import LightRow, column, derived, nested, optional, row


@row(User)
class PersonRow(LightRow):
    key: int = column(User.id)
    name: str = column(User.name)


@row(Action)
class TaskRow(LightRow):
    key: int = column(Action.id)
    comment_count: int = column()
    set_by: PersonRow | None = optional(PersonRow, key=Action.completed_by_id)


def wrong_type() -> None:
    @row(Action)
    class _(LightRow):
        key: str = column(Action.id)


def wrong_enum() -> None:
    @row(Action)
    class _(LightRow):
        status: Role = column(Action.status)


def not_nullable() -> None:
    @row(Action)
    class _(LightRow):
        completed_at: dt.datetime = column(Action.completed_at)


def optional_without_none() -> None:
    @row(Action)
    class _(LightRow):
        set_by: PersonRow = optional(PersonRow)


def nested_with_none() -> None:
    @row(Action)
    class _(LightRow):
        set_by: PersonRow | None = nested(PersonRow)


def not_a_column() -> None:
    @row(Action)
    class _(LightRow):
        key: int = column(Action.id)
        title: str = ""


def nested_derived() -> None:
    @row(User)
    class Inner(LightRow):
        key: int = column(User.id)
        letters: int = derived("key")

        @classmethod
        def derive(cls, rows: Any, reading: Any) -> None:
            for each in rows:
                each.letters = 0

    @row(Action)
    class _(LightRow):
        set_by: Inner = nested(Inner)


def derived_from_nothing() -> None:
    @row(User)
    class _(LightRow):
        key: int = column(User.id)
        letters: int = derived()


@pytest.mark.parametrize(
    "declare",
    [
        wrong_type,
        wrong_enum,
        not_nullable,
        optional_without_none,
        nested_with_none,
        not_a_column,
        nested_derived,
        derived_from_nothing,
    ],
    ids=lambda declare: declare.__name__,
)
def test_a_declaration_that_does_not_fit_is_an_error(declare: Callable[[], None]) -> None:
    with pytest.raises(TypeError):
        declare()


def test_columns_are_labelled_with_their_fields() -> None:
    columns = TaskRow.columns(Role.LEARNER, comment_count=literal(1))
    assert [each.name for each in columns] == ["key", "comment_count", "set_by__key", "set_by__name"]


def test_a_statement_must_give_the_columns_that_are_declared_without_an_expression() -> None:
    with pytest.raises(TypeError, match="comment_count"):
        TaskRow.columns(Role.LEARNER)


def test_an_expression_of_no_field_is_an_error() -> None:
    with pytest.raises(TypeError, match="comments"):
        TaskRow.columns(Role.LEARNER, comment_count=literal(1), comments=literal(1))


async def test_an_optional_row_is_none_where_its_first_column_is_null(database: Database) -> None:
    people = [
        select(literal(number), literal(0), key, literal("Kim"))
        for number, key in ((1, literal(7)), (2, null()), (3, literal(9)))
    ]
    statement = people[0].union_all(*people[1:])
    rows = list(TaskRow.build(await database.columns(statement, {})))
    assert [(each.key, each.set_by) for each in rows] == [(1, PersonRow(7, "Kim")), (2, None), (3, PersonRow(9, "Kim"))]
