"""$filter and $orderby: what each expression finds, and what is refused."""

from typing import Any

import pytest

from queries.odata.errors import ODataError
from queries.odata.feed import entity_sets
from queries.odata.filter import MOST_CHARACTERS, MOST_DEPTH, Row, parse_filter, parse_order
from queries.odata.model import EntitySet

DEFAULTS: dict[str, Any] = {
    "id": "Action_1", "daysOverdue": 3, "targetDate": "2026-03-02", "learnerSubmittedAt": "2026-03-01T23:30:00Z",
}  # fmt: skip


def actions() -> EntitySet:
    """The entity set that is filtered. Not made with this file: it takes half a second, in each worker."""
    return entity_sets()["overdue_actions"]


def names() -> list[str]:
    return list(actions().by_name)


def row(**values: Any) -> Row:
    given = {**DEFAULTS, **values}
    assert set(given) <= set(names())
    return tuple(given.get(name) for name in names())


def found(text: str, **values: Any) -> bool:
    return parse_filter(text, actions())(row(**values))


@pytest.mark.parametrize(
    "text",
    [
        "daysOverdue eq 3", "daysOverdue ge 3 and daysOverdue lt 4", "daysOverdue eq 1 or daysOverdue eq 3",
        "not (daysOverdue eq 4)", "not not (daysOverdue eq 3)", "(daysOverdue) eq (3)", "3 eq daysOverdue",
        "daysOverdue in (1, 3)",
        "daysOverdue gt -1", "daysOverdue lt 3.5e0", "id eq 'Action_1'", "id ne 'O''Neill'", "id gt 'Action'",
        "daysOverdue eq 9 and daysOverdue eq 9 or id eq 'Action_1'", "true", "not false", "true eq true",
        "targetDate eq 2026-03-02", "targetDate gt 2026-03-01T12:00:00Z", "year(targetDate) eq 2026",
        "month(targetDate) eq 3 and day(targetDate) eq 2", "learnerSubmittedAt lt 2026-03-02T00:30:00+00:00",
        "learnerSubmittedAt eq 2026-03-02T00:30:00+01:00", "date(learnerSubmittedAt) eq 2026-03-01",
        "hour(learnerSubmittedAt) eq 23 and minute(learnerSubmittedAt) eq 30 and second(learnerSubmittedAt) eq 0",
        "contains(id,'tion')", "startswith(tolower(id), 'action')", "endswith(id,'1') eq true", "length(id) eq 8",
        "indexof(id,'t') eq 2", "substring(id,1,2) eq 'ct'", "substring(id,6) eq '_1'", "toupper(trim(' a ')) eq 'A'",
        "concat(id,'x') eq 'Action_1x'", "round(2.5) eq 3 and round(-2.5) eq -3", "floor(2.5) eq 2",
        "ceiling(2.5) eq 3",
    ],
)  # fmt: skip
def test_a_row_is_found(text: str):
    assert found(text)
    assert not found(f"not ({text})")


@pytest.mark.parametrize(
    "text",
    [
        "id eq null",
        "not (id ne null)",
        "id ne 'x' and id eq null",
        "null eq null",
        "not (id gt 'A')",
        "not (id in ('x', 'y'))",
    ],
)
def test_null_equals_null_alone(text: str):
    assert found(text, id=None)


@pytest.mark.parametrize(
    "text", ["contains(id,'a')", "not contains(id,'a')", "contains(id,'a') and true", "null", "id eq 'x'"]
)
def test_a_condition_that_is_null_finds_nothing(text: str):
    assert not found(text, id=None)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400), ("daysOverdue", 400), ("daysOverdue eq", 400), ("daysOverdue eq 3 3", 400), ("eq 3", 400),
        ("(true", 400),
        ("secret eq 1", 400), ("daysOverdue eq 'x'", 400), ("id lt 5", 400), ("not id", 400), ("id and true", 400),
        ("id eq 'open", 400), ("targetDate eq 2026-02-30", 400), ("contains(id)", 400), ("contains(id,1)", 400),
        ("length(daysOverdue) eq 1", 400), ("daysOverdue = 3", 400), ("learner/name eq 'x'", 400),
        ("daysOverdue in ()", 400),
        ("daysOverdue add 1 eq 3", 501), ("matchesPattern(id,'a')", 501), ("id has 'x'", 501),
        ("now() gt 2026-01-01", 501),
        ("(" * (MOST_DEPTH + 5) + "true" + ")" * (MOST_DEPTH + 5), 400), ("true or " * MOST_CHARACTERS + "true", 400),
        ("not " * 900 + "daysOverdue", 400),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(text: str, status: int):
    with pytest.raises(ODataError) as refused:
        parse_filter(text, actions())
    assert (refused.value.status, refused.value.target) == (status, "$filter")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "substring(id,1e400) eq 'a'", "round(1e400) eq 1", "floor(-1e400) eq 1", "ceiling(1e400) eq 1",
        f"round({'9' * 400}) eq 1", "year(0001-01-01T00:00:00+14:00) eq 1", "date(9999-12-31T23:59:00-14:00) eq null",
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_refused(text: str):
    for read in (parse_filter(text, actions()), parse_order(text.partition(" ")[0], actions())[0].value):
        with pytest.raises(ODataError, match="too large or too small") as refused:
            read(row())
        assert refused.value.status == 400


@pytest.mark.parametrize("opening", ["concat('a',", "trim(", "tolower(", "(", "(not not ("])
def test_nothing_is_nested_deeper_than_python_can_follow(opening: str):
    count = MOST_CHARACTERS // (len(opening) + 2) - 5
    for parse in (parse_filter, parse_order):
        with pytest.raises(ODataError, match="inside each other: at most 60"):
            parse(opening * count + "id" + ")" * opening.count("(") * count, actions())


def test_order():
    days = names().index("daysOverdue")
    keys = parse_order("daysOverdue desc,tolower(id) asc, targetDate", actions())
    assert [key.descending for key in keys] == [True, False, False]
    assert keys[0].value(row(daysOverdue=7)) == row(daysOverdue=7)[days] == 7
    for text in ("daysOverdue down", "daysOverdue,", "nothing", "id," * 20 + "id"):
        with pytest.raises(ODataError) as refused:
            parse_order(text, actions())
        assert refused.value.target == "$orderby"
