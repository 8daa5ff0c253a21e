"""The classes that say that their rows decide who sees learners are those that the scope reads."""

from sqlalchemy import Table
from sqlalchemy.sql import visitors

from auth.scope import visible_learners
from db.models.registry import mapped_classes
from domain.enums import Role


def test_every_table_by_which_learners_are_seen_says_so() -> None:
    read = {each.name for role in Role for each in visitors.iterate(visible_learners(role)) if isinstance(each, Table)}
    assert read == {each.__tablename__ for each in mapped_classes() if each.__seen_by__ is not None}


def test_the_attributes_are_columns() -> None:
    for entity in mapped_classes():
        assert set(entity.__seen_by__ or ()) <= set(entity.__table__.columns.keys())
