"""The workbook of the time log, read with openpyxl."""

import datetime as dt
import io

import openpyxl
import pytest

from domain.enums import ActivityType, JobSetting
from resolvers.exports.workbook import COLUMNS, TimeLog, TimeLogLine, time_log

MADE_AT = dt.datetime(2026, 7, 1, 23, 30, tzinfo=dt.UTC)  # half past midnight on the 2nd, in London


def line(minutes: int = 90, comments: str = "Learned a lot", **changes) -> TimeLogLine:
    values = {
        "date": dt.date(2026, 6, 30),
        "activity": ActivityType.TRAINER_LED_TRAINING,
        "setting": JobSetting.OFF_THE_JOB,
        "minutes": minutes,
        "aim": "Autocare technician",
        "unit": None,
        "assessor": None,
        "comments": comments,
        "automatic": False,
        **changes,
    }
    return TimeLogLine(**values)


async def sheet_of(*lines: TimeLogLine, **filters):
    content = time_log(TimeLog("Harbour & Lane", "Siân & Co", MADE_AT, lines, **filters))
    return openpyxl.load_workbook(io.BytesIO(content)).active


def table_of(sheet) -> list[tuple]:
    rows = list(sheet.iter_rows(values_only=True))
    head = next(n for n, row in enumerate(rows) if row[0] == "Date")
    assert rows[head] == tuple(heading for heading, _ in COLUMNS)
    return rows[head + 1 :]


async def test_the_workbook_names_its_learner_date_and_filter():
    sheet = await sheet_of(
        line(),
        line(30, setting=JobSetting.ON_THE_JOB),
        aim="Autocare",
        setting=JobSetting.OFF_THE_JOB,
        first=dt.date(2026, 1, 1),
    )
    facts = {row[0]: row[1] for row in sheet.iter_rows(max_row=9, values_only=True)}
    assert sheet["A1"].value == "Time log"
    assert facts["Learner"] == "Siân & Co"
    assert facts["Shown"] == "Autocare; Off the job; from 1 January 2026"
    assert facts["Made on"] == "2 July 2026 at 00:30"
    assert facts["Entries"] == 2
    assert facts["Off the job"] == dt.timedelta(minutes=90)
    assert facts["On the job"] == dt.timedelta(minutes=30)
    assert sheet.oddFooter.left.text.replace("&&", "&") == "Siân & Co"


async def test_cells_are_typed_and_totals_are_formulas_over_them():
    *entries, total = table_of(
        await sheet_of(
            line(90, unit="Knowledge", assessor="Ann", automatic=True, approved_by="Ann", approved_at=MADE_AT), line(45)
        )
    )
    assert entries[0] == (
        dt.datetime(2026, 6, 30),
        "Trainer or assessor led training",
        "Off the job",
        90,
        dt.timedelta(minutes=90),
        "Autocare technician",
        "Knowledge",
        "Ann",
        "Learned a lot",
        "automatically",
        "Ann",
        dt.datetime(2026, 7, 2),
    )
    assert entries[1][7] == "No Assessor"
    assert entries[1][9:] == ("by hand", None, None)
    assert total[0] == "Total"
    assert total[3] == "=SUBTOTAL(109,D11:D12)"


async def test_totals_have_values_without_a_recalculation():
    content = time_log(TimeLog("P", "L", MADE_AT, [line(90), line(45)]))
    sheet = openpyxl.load_workbook(io.BytesIO(content), data_only=True).active
    assert table_of(sheet)[-1][3] == 135


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
@pytest.mark.parametrize("field", ["comments", "aim", "unit", "assessor", "approved_by"])
async def test_values_that_start_like_a_formula_are_text(start, field):
    formula = start + 'HYPERLINK("http://x.example","y")'
    sheet = await sheet_of(line(**{field: formula}))
    [cell] = [cell for row in sheet.iter_rows() for cell in row if "HYPERLINK" in str(cell.value)]
    assert cell.data_type == "s"
    assert cell.quotePrefix
    assert cell.value.replace("_x000D_", "\r") == formula


async def test_names_that_start_like_a_formula_are_text():
    content = time_log(TimeLog("=1+1", "@SUM(A1)", MADE_AT, []))
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert {cell.data_type for cell in sheet["B"] if cell.value in ("=1+1", "@SUM(A1)")} == {"s"}


async def test_texts_that_no_cell_can_contain_are_shortened_and_cleaned():
    [entry, _] = table_of(await sheet_of(line(comments="x" * 40_000 + "\ud800")))
    assert len(entry[8]) == 32_767
    [entry, _] = table_of(await sheet_of(line(comments="a\ud800\uffff\x00b")))
    assert entry[8].startswith("a\ufffd\ufffd")


async def test_an_empty_time_log_is_a_workbook():
    [total] = table_of(await sheet_of())
    assert total[3] == 0
