"""Attributes that a row takes from another object: read by name, and by the expression for the compiled executor."""

from dataclasses import dataclass

import pytest

from domain.global_id import Identifier, encode, encode_pair
from loaders.core.row_properties import Delegated


@dataclass(slots=True)
class Inner:
    key: int
    title: str


@dataclass(slots=True)
class Row:
    key: int
    inner: Inner

    id = Identifier("Aim", "key")
    pair_id = Identifier("Unit", "key", "inner.key")
    title = Delegated[str]("inner.title")


ROW = Row(7, Inner(12, "Brakes"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("id", encode("Aim", 7)), ("pair_id", encode_pair("Unit", 7, 12)), ("title", "Brakes")],
)
def test_an_attribute_and_its_expression_have_the_same_value(name: str, value: str) -> None:
    assert getattr(ROW, name) == value
    assert eval(Row.__dict__[name].inline("source"), {"source": ROW}) == value


def test_an_attribute_is_read_only_and_no_field_of_the_row() -> None:
    with pytest.raises(AttributeError):
        ROW.title = "Engines"  # type: ignore[misc]
    assert Row.__slots__ == ("key", "inner")
