"""Formats: what is written is read back with the same values, types and order, empty columns and hostile texts too."""

import csv
import datetime as dt
import io
import json
from pathlib import Path

import openpyxl
import pandas
import polars
import pytest

from queries.faults import WrongUse
from queries.output import EXCEL_ROWS, FORMATS, format_of, save
from queries.result import Result
from queries.shape import Column, Kind

COLUMNS = [
    Column("name", Kind.TEXT),
    Column("aims.count", Kind.INT),
    Column("percent", Kind.FLOAT),
    Column("late", Kind.BOOL),
    Column("due", Kind.DATE),
    Column("at", Kind.MOMENT),
    Column("methods", Kind.TEXTS),
    Column("nothing", Kind.FLOAT),
]
AT = dt.datetime(2026, 6, 1, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
FIRST = ['=HYPERLINK("x")', -3, 12.5, True, dt.date(2026, 1, 5), AT, ["EXAM_OR_TEST", "PRODUCT"], None]
EMPTY = [None] * 8
ROWS = [dict(zip([column.name for column in COLUMNS], values, strict=True)) for values in (FIRST, EMPTY)]
RESULT = Result("tried", COLUMNS, ROWS, {})
NOTHING = Result("tried", COLUMNS, [], {})


def test_csv_keeps_everything_and_no_text_becomes_a_formula():
    heading, first, second = csv.reader(io.StringIO(FORMATS["csv"](RESULT).decode(), newline=""))
    assert heading == [column.name for column in COLUMNS]
    assert first == [
        "'=HYPERLINK(\"x\")", "-3", "12.5", "true", "2026-01-05", "2026-06-01T08:30:00Z", "EXAM_OR_TEST; PRODUCT", ""
    ]  # fmt: skip
    assert second == [""] * 8


@pytest.mark.parametrize("opening", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_every_opening_of_a_formula_is_disarmed(opening: str):
    hostile = Result("tried", COLUMNS[:1], [{"name": f"{opening}1+1"}], {})
    _, (cell,) = csv.reader(io.StringIO(FORMATS["csv"](hostile).decode(), newline=""))
    assert cell == f"'{opening}1+1"


def test_json_is_a_list_of_objects():
    first, second = json.loads(FORMATS["json"](RESULT))
    assert list(first) == [column.name for column in COLUMNS]
    assert (first["name"], first["aims.count"], first["at"]) == (FIRST[0], -3, "2026-06-01T08:30:00Z")
    assert (first["methods"], first["late"], first["due"]) == (FIRST[6], True, "2026-01-05")
    assert set(second.values()) == {None}
    assert json.loads(FORMATS["json"](NOTHING)) == []


def test_excel_keeps_types_and_texts_as_they_are(tmp_path: Path):
    RESULT.save(tmp_path / "tried.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "tried.xlsx")["tried"]
    heading, first, second = sheet["A1":"H3"]
    assert [cell.value for cell in heading][4:6] == ["due", "at (UTC)"]
    assert [cell.value for cell in first] == [
        FIRST[0], -3, 12.5, True, dt.datetime(2026, 1, 5), dt.datetime(2026, 6, 1, 8, 30), "EXAM_OR_TEST; PRODUCT", None
    ]  # fmt: skip
    # Text, and no formula.
    assert first[0].data_type == "s"
    assert [cell.value for cell in second] == [None] * 8
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:H3")


def test_excel_says_when_there_are_too_many_rows():
    with pytest.raises(WrongUse, match="1,048,576 rows are more than a sheet of Excel holds: take csv or parquet"):
        FORMATS["xlsx"](Result("tried", COLUMNS, ROWS[1:] * EXCEL_ROWS, {}))


def test_frames_and_parquet_keep_the_types_of_columns_that_are_empty(tmp_path: Path):
    RESULT.save(tmp_path / "tried.parquet")
    NOTHING.save(tmp_path / "nothing.parquet")
    kept, nothing = polars.read_parquet(tmp_path / "tried.parquet"), polars.read_parquet(tmp_path / "nothing.parquet")
    assert kept.schema == nothing.schema == RESULT.polars().schema == {
        "name": polars.String, "aims.count": polars.Int64, "percent": polars.Float64, "late": polars.Boolean,
        "due": polars.Date, "at": polars.Datetime("us", "UTC"), "methods": polars.List(polars.String),
        "nothing": polars.Float64,
    }  # fmt: skip
    assert (kept.height, nothing.height) == (2, 0)
    assert kept.row(0) == (*FIRST[:5], AT.astimezone(dt.UTC), FIRST[6], None)
    assert kept.row(1) == tuple(EMPTY)


def test_a_pandas_frame_knows_what_is_missing():
    for result, height in ((RESULT, 2), (NOTHING, 0)):
        frame = result.pandas()
        assert isinstance(frame, pandas.DataFrame) and len(frame) == height
        assert [str(kind) for kind in frame.dtypes] == [
            "string", "Int64", "Float64", "boolean", "datetime64[s]", "datetime64[us, UTC]", "object", "Float64"
        ]  # fmt: skip
    frame = RESULT.pandas()
    assert frame["at"][0] == AT and frame["due"][0] == pandas.Timestamp("2026-01-05")
    assert frame[["name", "aims.count", "late", "at"]].isna().sum().tolist() == [1, 1, 1, 1]


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(WrongUse, match="pandas is not installed: `pip install pandas`"):
        RESULT.pandas()


def test_a_table_lines_up_and_obeys_nobody():
    hostile = [{**ROWS[0], "name": "Maya\x1b[2J\n" + "x" * 60}]
    heading, line, first = FORMATS["table"](Result("tried", COLUMNS[:3], hostile, {})).decode().splitlines()
    assert heading.split() == ["name", "aims.count", "percent"]
    assert set(line) == {"-", " "}
    assert first.startswith("Maya [2J xxx") and first.endswith("…          -3     12.5")
    assert len(first) == len(heading) == len(line)


def test_the_format_is_that_of_the_name(tmp_path: Path):
    assert format_of(None, None) == "table" and format_of(Path("a.CSV"), None) == "csv"
    assert format_of(Path("a.txt"), "json") == "json"
    for path, format, said in (
        (Path("a.doc"), None, "There is no format 'doc': it is one of table, json, csv, xlsx, parquet."),
        (None, "xlsx", "xlsx is no text: name a file with --out."),
    ):
        with pytest.raises(WrongUse) as refused:
            format_of(path, format)
        assert str(refused.value) == said


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "tried.csv"
    path.write_text("old")
    spoilt = Result("tried", COLUMNS, [{"name": "x"}], {})
    with pytest.raises(KeyError):
        save(spoilt, path)
    assert path.read_text() == "old"
    RESULT.save(path)
    assert path.read_text().startswith("name,") and list(tmp_path.iterdir()) == [path]
    with pytest.raises(WrongUse, match="cannot be written: No such file or directory"):
        RESULT.save(tmp_path / "nowhere" / "tried.csv")
