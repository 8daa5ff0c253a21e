"""Variables: read by their type, and refused with what is expected before anything is sent."""

import pytest

from queries.faults import WrongUse
from queries.saved import Saved, find
from queries.variables import check_variables, described, read_variables

OPERATION = Saved(
    "tried",
    "query($learnerId: ID!, $first: Int = 20, $ids: [ID!], $filter: TimeLogFilter, $light: TrafficLight, "
    "$late: Boolean) { learner(id: $learnerId) { timeLog(filter: $filter, first: $first) { totalCount } } "
    "nodes(ids: $ids) { id } learners(filter: { trafficLight: $light, pastPlannedEnd: $late }) { totalCount } }",
)
HAS = "It has: learnerId, first, ids, filter, light, late."


def test_each_is_read_by_its_type():
    typed = [
        "learnerId=7", "first=5", "late=TRUE", "light=AHEAD", "ids=a", "ids=b", "filter.from=2026-01-05",
        "filter.jobSetting=OFF_THE_JOB",
    ]  # fmt: skip
    assert read_variables(OPERATION, typed) == {
        "learnerId": "7", "first": 5, "late": True, "light": "AHEAD", "ids": ["a", "b"],
        "filter": {"from": "2026-01-05", "jobSetting": "OFF_THE_JOB"},
    }  # fmt: skip


def test_lists_and_inputs_may_be_json_and_values_may_hold_anything():
    read = read_variables(OPERATION, ["learnerId=a=b", 'ids=["x, y"]', 'filter={"to": "2026-01-05"}'])
    assert read == {"learnerId": "a=b", "ids": ["x, y"], "filter": {"to": "2026-01-05"}}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([], "Variable learnerId is missing. Expected: ID, required."),
        (["learnerId"], "--var learnerId: write it as name=value."),
        (["learnerI=7"], f"tried has no variable 'learnerI'. Did you mean learnerId? {HAS}"),
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
        (["learnerId=7", "first.of=1"], "Variable first has no fields: it is Int."),
        (
            ["learnerId=7", "filter.since=1"],
            "Variable filter has no field 'since': it is TimeLogFilter with activityType: ActivityType, aimId: ID, "
            "from: Date, jobSetting: JobSetting, to: Date.",
        ),
        (
            ["learnerId=7", 'filter={"since": 1}'],
            "Variable filter cannot be {'since': 1}. Expected: TimeLogFilter with activityType: ActivityType, "
            "aimId: ID, from: Date, jobSetting: JobSetting, to: Date.",
        ),
    ],
)
def test_a_wrong_one_says_which_and_what_is_expected(typed: list[str], said: str):
    with pytest.raises(WrongUse) as refused:
        read_variables(OPERATION, typed)
    assert str(refused.value) == said


def test_from_python_values_are_checked_as_they_are():
    assert check_variables(OPERATION, {"learnerId": "7", "ids": ["a"]}) == {"learnerId": "7", "ids": ["a"]}
    with pytest.raises(WrongUse, match=r"Variable learnerId cannot be \[\]. Expected: ID, required."):
        check_variables(OPERATION, {"learnerId": []})
    with pytest.raises(WrongUse, match="Variable learnerId is missing"):
        check_variables(OPERATION, {"learnerId": None})


def test_what_an_operation_takes_is_described():
    assert described(OPERATION)[:3] == ["learnerId: ID, required", "first: Int (unless given: 20)", "ids: a list of ID"]


def test_a_name_that_is_nearly_right_is_suggested():
    with pytest.raises(WrongUse, match="There is no saved operation 'site_comparision'. Did you mean site_comparison?"):
        find("site_comparision")
