"""What the mapped classes declare about personal data: no column of text is left out, and erasure reaches each."""

import pytest
from sqlalchemy import JSON, Column, Enum, Integer, LargeBinary, MetaData, String, Table, Text

from db.models.base import Base, referred_table
from db.models.personal_data import DataSubject, Personal, Reason, declaration, personal_columns, undeclared_columns
from db.models.registry import mapped_classes
from domain.enums import Role

SUBJECT = DataSubject(learner_key=7, user_key=17, provider_key=1, email="ada@example.org")
every_class = pytest.mark.parametrize("entity", mapped_classes(), ids=lambda entity: entity.__name__)


@every_class
def test_every_column_of_text_says_what_erasure_makes_of_it(entity: type[Base]) -> None:
    """Or that it holds no personal data, or erasure deletes the row."""
    reached = entity.rows_about(SUBJECT) is not None
    if not (reached and entity.__learner_rows__.deleted):
        assert undeclared_columns(entity.__table__) == []


@every_class
def test_personal_data_is_where_erasure_reaches_it(entity: type[Base]) -> None:
    if entity.rows_about(SUBJECT) is None:
        assert list(personal_columns(entity.__table__)) == []
        assert not entity.__learner_rows__.deleted


@every_class
def test_a_column_that_may_not_be_empty_is_not_emptied(entity: type[Base]) -> None:
    for column, declared in personal_columns(entity.__table__):
        assert column.nullable or declared.value_for(7) is not None, column.name


@every_class
def test_a_label_is_made_of_columns_that_have_one(entity: type[Base]) -> None:
    labels = {each.__tablename__: each.__label__ for each in mapped_classes()}
    for name in entity.__label__:
        target = referred_table(entity.__table__.columns[name])
        assert target is None or labels[target]


def test_an_undeclared_column_is_found() -> None:
    table = Table(
        "loan",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("role", Enum(Role)),
        Column("declared", String(40), info={"personal_data": Reason.CODE}),
        Column("title", String(40)),
        Column("note", Text),
        Column("detail", JSON),
        Column("photo", LargeBinary),
    )
    assert [column.name for column in undeclared_columns(table)] == ["title", "note", "detail", "photo"]


def test_a_value_may_depend_on_the_learner() -> None:
    assert Personal("{} erased".format).value_for(7) == "7 erased"
    assert Personal("").value_for(7) == ""


def test_a_type_can_declare_for_its_columns() -> None:
    """`Digest` does, on the columns that may be NULL too."""
    columns = [column for entity in mapped_classes() for column in entity.__table__.columns if "sha256" in column.name]
    assert len(columns) > 5
    assert {declaration(column) for column in columns} == {Reason.DIGEST}
