"""Output formats: values, types and order survive, with empty columns and hostile texts too."""

import csv
import datetime as dt
import io
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openpyxl
import pandas
import polars
import pytest

from queries.errors import UsageError
from queries.operations import get_operation
from queries.output import EXCEL_ROWS, FORMATS, choose_format, save
from queries.response_shape import Column, ColumnType
from queries.result import AS_OF, Result

COLUMNS = [
    Column("name", ColumnType.TEXT),
    Column("aims.count", ColumnType.INT),
    Column("percent", ColumnType.FLOAT),
    Column("late", ColumnType.BOOL),
    Column("due", ColumnType.DATE),
    Column("at", ColumnType.DATETIME),
    Column("methods", ColumnType.TEXT_LIST),
    Column("nothing", ColumnType.FLOAT),
]
AT = dt.datetime(2026, 6, 1, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
FIRST = ['=HYPERLINK("x")', -3, 12.5, True, dt.date(2026, 1, 5), AT, ["EXAM_OR_TEST", "PRODUCT"], None]
EMPTY = [None] * 8
ROWS = [dict(zip([column.name for column in COLUMNS], values, strict=True)) for values in (FIRST, EMPTY)]
RESULT = Result("example", COLUMNS, ROWS, {})
NOTHING = Result("example", COLUMNS, [], {})


def test_csv_has_every_value_and_no_formula():
    header, first, second = csv.reader(io.StringIO(FORMATS["csv"](RESULT).decode("utf-8-sig"), newline=""))
    assert header == [column.name for column in COLUMNS]
    assert first == [
        "'=HYPERLINK(\"x\")", "-3", "12.5", "true", "2026-01-05", "2026-06-01T08:30:00Z", "EXAM_OR_TEST; PRODUCT", ""
    ]  # fmt: skip
    assert second == [""] * 8


@pytest.mark.parametrize("prefix", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_formula_prefix_is_escaped_in_csv(prefix: str):
    hostile = Result("example", COLUMNS[:1], [{"name": f"{prefix}1+1"}], {})
    _, (cell,) = csv.reader(io.StringIO(FORMATS["csv"](hostile).decode("utf-8-sig"), newline=""))
    assert cell == f"'{prefix}1+1"


def test_json_is_a_list_of_objects():
    first, second = json.loads(FORMATS["json"](RESULT))
    assert list(first) == [column.name for column in COLUMNS]
    assert (first["name"], first["aims.count"], first["at"]) == (FIRST[0], -3, "2026-06-01T08:30:00Z")
    assert (first["methods"], first["late"], first["due"]) == (FIRST[6], True, "2026-01-05")
    assert set(second.values()) == {None}
    assert json.loads(FORMATS["json"](NOTHING)) == []


def test_excel_keeps_types_and_texts(tmp_path: Path):
    RESULT.save(tmp_path / "example.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "example.xlsx")["example"]
    header, first, second = sheet["A1":"H3"]
    assert [cell.value for cell in header][4:6] == ["due", "at (UTC)"]
    assert [cell.value for cell in first] == [
        FIRST[0], -3, 12.5, True, dt.datetime(2026, 1, 5), dt.datetime(2026, 6, 1, 8, 30), "EXAM_OR_TEST; PRODUCT", None
    ]  # fmt: skip
    # A text, not a formula.
    assert first[0].data_type == "s"
    assert [cell.value for cell in second] == [None] * 8
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:H3")


def test_excel_rejects_too_many_rows():
    with pytest.raises(UsageError, match="1,048,576 rows are too many for an Excel sheet. Use csv or parquet"):
        FORMATS["xlsx"](Result("example", COLUMNS, ROWS[1:] * EXCEL_ROWS, {}))


def test_frames_and_parquet_keep_the_types_of_empty_columns(tmp_path: Path):
    RESULT.save(tmp_path / "example.parquet")
    NOTHING.save(tmp_path / "nothing.parquet")
    written, nothing = (
        polars.read_parquet(tmp_path / "example.parquet"),
        polars.read_parquet(tmp_path / "nothing.parquet"),
    )
    assert written.schema == nothing.schema == RESULT.polars().schema == {
        "name": polars.String, "aims.count": polars.Int64, "percent": polars.Float64, "late": polars.Boolean,
        "due": polars.Date, "at": polars.Datetime("us", "UTC"), "methods": polars.List(polars.String),
        "nothing": polars.Float64,
    }  # fmt: skip
    assert (written.height, nothing.height) == (2, 0)
    assert written.row(0) == (*FIRST[:5], AT.astimezone(dt.UTC), FIRST[6], None)
    assert written.row(1) == tuple(EMPTY)


def test_pandas_frame_uses_nullable_types():
    for result, height in ((RESULT, 2), (NOTHING, 0)):
        frame = result.pandas()
        assert isinstance(frame, pandas.DataFrame) and len(frame) == height
        assert [str(dtype) for dtype in frame.dtypes] == [
            "string", "Int64", "Float64", "boolean", "datetime64[s]", "datetime64[us, UTC]", "object", "Float64"
        ]  # fmt: skip
    frame = RESULT.pandas()
    assert frame["at"][0] == AT and frame["due"][0] == pandas.Timestamp("2026-01-05")
    assert frame[["name", "aims.count", "late", "at"]].isna().sum().tolist() == [1, 1, 1, 1]


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(UsageError, match="pandas is not installed. Run `pip install pandas`"):
        RESULT.pandas()


def test_table_is_aligned_and_has_no_control_characters():
    hostile = [{**ROWS[0], "name": "Maya\x1b[2J\n" + "x" * 60}]
    header, rule, first = FORMATS["table"](Result("example", COLUMNS[:3], hostile, {})).decode().splitlines()
    assert header.split() == ["name", "aims.count", "percent"]
    assert set(rule) == {"-", " "}
    assert first.startswith("Maya [2J xxx") and first.endswith("…          -3     12.5")
    assert len(first) == len(header) == len(rule)


def test_format_is_that_of_the_extension(tmp_path: Path):
    assert choose_format(None, None) == "table" and choose_format(Path("a.CSV"), None) == "csv"
    assert choose_format(Path("a.txt"), "json") == "json"
    for path, format, message in (
        (Path("a.doc"), None, "Unknown format 'doc'. Use one of table, json, csv, xlsx, parquet."),
        (None, "xlsx", "xlsx is a binary format. Name a file with --out."),
    ):
        with pytest.raises(UsageError) as error:
            choose_format(path, format)
        assert str(error.value) == message


def test_file_is_replaced_completely_or_not_at_all(tmp_path: Path):
    path = tmp_path / "example.csv"
    path.write_text("old")
    incomplete = Result("example", COLUMNS, [{"name": "x"}], {})
    with pytest.raises(KeyError):
        save(incomplete, path)
    assert path.read_text() == "old"
    RESULT.save(path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfname,") and list(tmp_path.iterdir()) == [path]
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        RESULT.save(tmp_path / "nowhere" / "example.csv")


def test_csv_opens_in_excel_and_in_readers_that_expect_plain_utf_8(tmp_path: Path):
    path = tmp_path / "names.csv"
    Result("names", COLUMNS[:1], [{"name": "Siân Ní Bhriain"}], {}).save(path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    for frame in (pandas.read_csv(path), polars.read_csv(path)):
        assert list(frame.columns) == ["name"] and list(frame["name"]) == ["Siân Ní Bhriain"]


def test_excel_has_a_sheet_of_definitions(tmp_path: Path):
    columns = get_operation("off_the_job_hours").shape.columns
    Result("off_the_job_hours", [*columns, AS_OF], [], {}).save(tmp_path / "hours.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "hours.xlsx")["Definitions"]
    lines = {line[0]: line[1:] for line in sheet.iter_rows(values_only=True)}
    assert list(lines) == ["Column", *(column.name for column in columns), "asOf"]
    unit, meaning, field = lines["offTheJob.requiredMinutes"]
    assert (unit, field) == ("minutes", "OffTheJob.requiredMinutes") and meaning.startswith("Minutes that are required")
    assert all(meaning for _, meaning, _ in lines.values())


def test_a_link_stays_and_its_file_keeps_its_mode(tmp_path: Path):
    target, link = tmp_path / "kept.csv", tmp_path / "link.csv"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    RESULT.save(link)
    assert link.is_symlink() and target.read_bytes().startswith(b"\xef\xbb\xbfname,")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    dangling = tmp_path / "dangling.csv"
    dangling.symlink_to(tmp_path / "new.csv")
    RESULT.save(dangling)
    assert dangling.is_symlink() and (tmp_path / "new.csv").is_file()


def test_a_new_file_has_the_mode_of_any_other(tmp_path: Path):
    (tmp_path / "other").touch()
    RESULT.save(tmp_path / "new.csv")
    assert (tmp_path / "new.csv").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_pipe_is_written_to(tmp_path: Path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_bytes)
        RESULT.save(pipe)
        assert read.result(timeout=30) == FORMATS["csv"](RESULT)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    RESULT.save(Path("/dev/null"), "csv")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_an_open_file_is_appended_to(tmp_path: Path):
    """As `--out /dev/stdout >> all.csv` means it."""
    (tmp_path / "all.csv").write_text("old\n")
    with (tmp_path / "all.csv").open("ab") as shell:
        RESULT.save(Path(f"/dev/fd/{shell.fileno()}"), "csv")
    assert (tmp_path / "all.csv").read_bytes().startswith(b"old\n\xef\xbb\xbfname,")
