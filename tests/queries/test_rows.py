"""From answers to rows: recorded answers of a server, with every shape that an operation can have."""

import datetime as dt
from typing import Any

import pytest

from queries.rows import rows_of
from queries.saved import Saved
from queries.shape import Kind

ID = "Learner_1"


def shaped(text: str, data: dict[str, Any]) -> tuple[list[str], list[dict[str, Any]]]:
    """Column names and rows of an answer to an operation."""
    saved = Saved("recorded", text)
    return [column.name for column in saved.shape.columns], rows_of(saved.shape, data)


def test_each_entry_of_a_list_is_a_row_and_what_is_above_it_is_said_again():
    names, rows = shaped(
        "{ learners { totalCount pageInfo { hasNextPage endCursor } nodes { name aims { title units { number } } } } }",
        {
            "learners": {
                "totalCount": 2,
                "pageInfo": {"hasNextPage": False, "endCursor": "x"},
                "nodes": [
                    {
                        "name": "Maya",
                        "aims": [
                            {"title": "Cycles", "units": [{"number": "1"}, {"number": "2"}]},
                            {"title": "Mathematics", "units": []},
                        ],
                    },
                    {"name": "Jay", "aims": []},
                ],
            }
        },
    )
    assert names == ["name", "aims.title", "aims.units.number"]
    assert [tuple(row.values()) for row in rows] == [
        ("Maya", "Cycles", "1"),
        ("Maya", "Cycles", "2"),
        ("Maya", "Mathematics", None),
        ("Jay", None, None),
    ]


def test_lists_side_by_side_are_not_multiplied():
    names, rows = shaped(
        "{ unit(id: 1) { number criteria { code } signatures { role signedBy { name } } } }",
        {
            "unit": {
                "number": "3",
                "criteria": [{"code": "3.1"}, {"code": "3.2"}],
                "signatures": [{"role": "ASSESSOR", "signedBy": None}],
            }
        },
    )
    assert names == ["number", "criteria.code", "signatures.role", "signatures.signedBy.name"]
    assert [tuple(row.values()) for row in rows] == [
        ("3", "3.1", None, None),
        ("3", "3.2", None, None),
        ("3", None, "ASSESSOR", None),
    ]


def test_values_have_their_types():
    (row,) = shaped(
        "{ learner(id: 1) { lastLoginAt uln daysRemaining progress { mappedPercent pastPlannedEnd } "
        "aims { startDate } } }",
        {
            "learner": {
                "lastLoginAt": "2026-06-01T09:30:00.5+01:00",
                "uln": "0012345678",
                "daysRemaining": 7,
                "progress": {"mappedPercent": 50, "pastPlannedEnd": False},
                "aims": [{"startDate": "2026-01-05"}],
            }
        },
    )[1]
    assert row["lastLoginAt"] == dt.datetime(2026, 6, 1, 8, 30, 0, 500_000, dt.UTC)
    # A number that is a name keeps its zeros.
    assert row["uln"] == "0012345678"
    assert (row["daysRemaining"], row["progress.pastPlannedEnd"]) == (7, False)
    assert (row["progress.mappedPercent"], type(row["progress.mappedPercent"])) == (50.0, float)
    assert row["aims.startDate"] == dt.date(2026, 1, 5)


@pytest.mark.parametrize(
    ("text", "data", "rows"),
    [
        ("{ learner(id: 1) { name } }", {"learner": None}, []),
        ("{ learners { nodes { name } } }", {"learners": {"nodes": []}}, []),
        ("{ viewer { learner { name } } }", {"viewer": {"learner": None}}, []),
        (
            "{ viewer { role } learners { nodes { name } } }",
            {"viewer": {"role": "IQA"}, "learners": {"nodes": []}},
            [{"viewer.role": "IQA", "learners.name": None}],
        ),
        ("{ nodes(ids: [1, 2]) { id } }", {"nodes": [{"id": ID}, None]}, [{"id": ID}]),
    ],
)
def test_what_is_not_there_makes_no_row_but_loses_no_value(text: str, data: dict[str, Any], rows: list[Any]):
    assert shaped(text, data)[1] == rows


def test_fragments_aliases_and_edges_are_seen_through():
    names, rows = shaped(
        "query { who: viewer { ...me } learners { edges { cursor node { ... on Learner { label: name } } } } }"
        " fragment me on Viewer { role grants { grantedAt } }",
        {
            "who": {"role": "IQA", "grants": []},
            "learners": {"edges": [{"cursor": "c", "node": {"label": "Maya"}}]},
        },
    )
    assert names == ["who.role", "who.grants.grantedAt", "learners.cursor", "learners.label"]
    assert rows == [{"who.role": "IQA", "who.grants.grantedAt": None, "learners.cursor": "c", "learners.label": "Maya"}]


def test_every_kind_of_column_is_known_from_the_schema():
    saved = Saved(
        "kinds",
        "{ evidence(id: 1) { title submittedAt declaredOwnWork assessmentMethods file { size } aim { startDate } "
        "learner { progress { mappedPercent } } __typename } }",
    )
    kinds = [column.kind for column in saved.shape.columns]
    assert kinds == [Kind.TEXT, Kind.MOMENT, Kind.BOOL, Kind.TEXTS, Kind.INT, Kind.DATE, Kind.FLOAT, Kind.TEXT]
