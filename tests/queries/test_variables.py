"""Variables: parsed by their type and validated before a request is sent."""

import pytest

from queries.errors import UsageError
from queries.operations import SavedOperation, get_operation
from queries.variables import describe_variables, parse_variables, validate_variables

OPERATION = SavedOperation(
    "example",
    "query($learnerId: ID!, $first: Int = 20, $ids: [ID!], $filter: TimeLogFilter, $light: TrafficLight, "
    "$late: Boolean) { learner(id: $learnerId) { timeLog(filter: $filter, first: $first) { totalCount } } "
    "nodes(ids: $ids) { id } learners(filter: { trafficLight: $light, pastPlannedEnd: $late }) { totalCount } }",
)
VARIABLES = "Its variables: learnerId, first, ids, filter, light, late."


def test_values_are_parsed_by_their_type():
    arguments = [
        "learnerId=7", "first=5", "late=TRUE", "light=AHEAD", "ids=a", "ids=b", "filter.from=2026-01-05",
        "filter.jobSetting=OFF_THE_JOB",
    ]  # fmt: skip
    assert parse_variables(OPERATION, arguments) == {
        "learnerId": "7", "first": 5, "late": True, "light": "AHEAD", "ids": ["a", "b"],
        "filter": {"from": "2026-01-05", "jobSetting": "OFF_THE_JOB"},
    }  # fmt: skip


def test_lists_and_input_objects_may_be_json():
    values = parse_variables(OPERATION, ["learnerId=a=b", 'ids=["x, y"]', 'filter={"to": "2026-01-05"}'])
    assert values == {"learnerId": "a=b", "ids": ["x, y"], "filter": {"to": "2026-01-05"}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Variable learnerId is missing. Expected: ID, required."),
        (["learnerId"], "--var learnerId: write it as name=value."),
        (["learnerI=7"], f"example has no variable 'learnerI'. Did you mean learnerId? {VARIABLES}"),
        (["learnerId=7", "first=few"], "Variable first cannot be 'few'. Expected: Int."),
        (["learnerId=7", "first=2147483648"], "Variable first cannot be 2147483648. Expected: Int."),
        (["learnerId=7", "late=perhaps"], "Variable late cannot be 'perhaps'. Expected: Boolean."),
        (
            ["learnerId=7", "light=GREEN"],
            "Variable light cannot be 'GREEN'. Expected: TrafficLight, one of AHEAD, NOT_RATED, OFF_TRACK, ON_TRACK.",
        ),
        (
            ["learnerId=7", "filter.from=5 January"],
            "Variable filter.from cannot be '5 January'. Expected: Date (a date such as 2026-11-21).",
        ),
        (["learnerId=7", "ids=[1"], "Variable ids: '[1' is not JSON. Expected: a list of ID."),
        (["learnerId=7", "ids=[null]"], "Variable ids.0 is missing. Expected: ID, required."),
        (["learnerId=7", "first.of=1"], "Variable first has no fields. It is Int."),
        (
            ["learnerId=7", "filter.since=1"],
            "Variable filter has no field 'since'. It is TimeLogFilter with activityType: ActivityType, aimId: ID, "
            "from: Date, jobSetting: JobSetting, to: Date.",
        ),
        (
            ["learnerId=7", 'filter={"since": 1}'],
            "Variable filter cannot be {'since': 1}. Expected: TimeLogFilter with activityType: ActivityType, "
            "aimId: ID, from: Date, jobSetting: JobSetting, to: Date.",
        ),
    ],
)
def test_error_names_the_variable_and_what_is_expected(arguments: list[str], message: str):
    with pytest.raises(UsageError) as error:
        parse_variables(OPERATION, arguments)
    assert str(error.value) == message


def test_values_from_python_are_validated():
    assert validate_variables(OPERATION, {"learnerId": "7", "ids": ["a"]}) == {"learnerId": "7", "ids": ["a"]}
    with pytest.raises(UsageError, match=r"Variable learnerId cannot be \[\]. Expected: ID, required."):
        validate_variables(OPERATION, {"learnerId": []})
    with pytest.raises(UsageError, match="Variable learnerId is missing"):
        validate_variables(OPERATION, {"learnerId": None})


def test_variables_are_described():
    assert describe_variables(OPERATION)[:3] == [
        "learnerId: ID, required",
        "first: Int (default: 20)",
        "ids: a list of ID",
    ]


def test_similar_name_is_suggested():
    message = "There is no saved operation 'site_comparision'. Did you mean site_comparison?"
    with pytest.raises(UsageError, match=message):
        get_operation("site_comparision")
