"""Rows from recorded responses, for every shape that a response can have."""

import datetime as dt
from typing import Any

import pytest

from queries.operations import SavedOperation
from queries.response_shape import ColumnType
from queries.rows import to_rows

ID = "Learner_1"


def flatten(text: str, data: dict[str, Any]) -> tuple[list[str], list[dict[str, Any]]]:
    """Returns the column names and rows of a response."""
    saved = SavedOperation("recorded", text)
    return [column.name for column in saved.shape.columns], to_rows(saved.shape, data)


def test_each_list_entry_is_a_row_with_its_parents_values():
    names, rows = flatten(
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


def test_sibling_lists_are_not_multiplied():
    names, rows = flatten(
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


def test_values_are_parsed_by_their_type():
    (row,) = flatten(
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
    # An identifier of digits keeps its leading zeros.
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
def test_empty_values_make_no_row_and_lose_no_other_value(text: str, data: dict[str, Any], rows: list[Any]):
    assert flatten(text, data)[1] == rows


def test_fragments_aliases_and_edges_are_resolved():
    names, rows = flatten(
        "query { who: viewer { ...me } learners { edges { cursor node { ... on Learner { label: name } } } } }"
        " fragment me on Viewer { role grants { grantedAt } }",
        {
            "who": {"role": "IQA", "grants": []},
            "learners": {"edges": [{"cursor": "c", "node": {"label": "Maya"}}]},
        },
    )
    assert names == ["who.role", "who.grants.grantedAt", "learners.cursor", "learners.label"]
    assert rows == [{"who.role": "IQA", "who.grants.grantedAt": None, "learners.cursor": "c", "learners.label": "Maya"}]


def test_column_types_come_from_the_schema():
    saved = SavedOperation(
        "types",
        "{ evidence(id: 1) { title submittedAt declaredOwnWork assessmentMethods file { size } aim { startDate } "
        "learner { progress { mappedPercent } } __typename } }",
    )
    types = [column.type for column in saved.shape.columns]
    assert types == [
        ColumnType.TEXT,
        ColumnType.DATETIME,
        ColumnType.BOOL,
        ColumnType.TEXT_LIST,
        ColumnType.INT,
        ColumnType.DATE,
        ColumnType.FLOAT,
        ColumnType.TEXT,
    ]
