"""The time log as an Excel workbook, with the entries that pass its filter."""

import datetime as dt
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from domain.clock import LONDON
from domain.enums import ActivityType, JobSetting
from resolvers.core.labels import ACTIVITY, JOB_SETTING
from resolvers.exports import formats

# A text that begins so becomes a formula when its cell is edited or the sheet is saved as CSV.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
MAX_CELL_LENGTH = 32_767
_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")

# Heading, width in characters.
COLUMNS = (
    ("Date", 13),
    ("Activity type", 36),
    ("On or off the job", 16),
    ("Minutes", 10),
    ("Hours", 9),
    ("Course", 30),
    ("Unit", 30),
    ("Assessor", 22),
    ("Comments", 60),
    ("Logged", 15),
    ("Approved by", 22),
    ("Approved on", 14),
)
MINUTES, HOURS = 3, 4


@dataclass(frozen=True, slots=True)
class TimeLogLine:
    """One entry. `aim` and `unit` are titles, None where they do not apply; `assessor` is None for No Assessor."""

    date: dt.date
    activity: ActivityType
    setting: JobSetting
    minutes: int
    aim: str | None
    unit: str | None
    assessor: str | None
    comments: str
    automatic: bool
    approved_by: str | None = None
    approved_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class TimeLog:
    """The data of the workbook. `aim`, `setting`, `activity`, `first` and `last` are the filter, None where unset.

    `lines` are the entries that pass the filter, in order.
    """

    provider: str
    learner: str
    made_at: dt.datetime
    lines: Sequence[TimeLogLine]
    aim: str | None = None
    setting: JobSetting | None = None
    activity: ActivityType | None = None
    first: dt.date | None = None
    last: dt.date | None = None


def time_log(data: TimeLog) -> bytes:
    """Returns the workbook (.xlsx): title, learner, filter, totals, and a row for each entry.

    XlsxWriter is pure Python: 20,000 entries take two seconds.
    """
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"constant_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        book.set_properties(
            {
                "title": f"Time log: {_text(data.learner)}",
                "author": _text(data.provider),
                "created": data.made_at.astimezone(LONDON).replace(tzinfo=None),
            }
        )
        _Sheet(book).write(data)
    return content.getvalue()


class _Sheet:
    """One worksheet, written from top to bottom, because each finished row is written to disk at once."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._sheet: Worksheet = book.add_worksheet("Time log")
        base = {"font_name": "Calibri", "font_size": 11, "valign": "top"}
        self._title = book.add_format({**base, "bold": True, "font_size": 18, "font_color": "#1F4E79"})
        self._label = book.add_format({**base, "font_color": "#5B6775"})
        self._plain = book.add_format(base)
        self._bold = book.add_format({**base, "bold": True})
        self._bold_number = book.add_format({**base, "bold": True, "num_format": "#,##0", "align": "left"})
        self._bold_hours = book.add_format({**base, "bold": True, "num_format": "[h]:mm", "align": "left"})
        head = {**base, "bold": True, "font_color": "#FFFFFF", "bg_color": "#1F4E79", "text_wrap": True}
        self._head = book.add_format(head)
        row = {**base, "bottom": 1, "bottom_color": "#C9D1DA"}
        self._row = book.add_format({**row, "text_wrap": True})
        # Stays a text when the cell is edited, because Excel keeps the quote in front of it.
        self._row_quoted = book.add_format({**row, "text_wrap": True, "quote_prefix": True})
        self._row_date = book.add_format({**row, "num_format": "dd/mm/yyyy", "align": "left"})
        self._row_minutes = book.add_format({**row, "num_format": "#,##0"})
        self._row_hours = book.add_format({**row, "num_format": "[h]:mm"})
        total = {**base, "bold": True, "top": 2, "top_color": "#1F4E79"}
        self._total = book.add_format(total)
        self._total_minutes = book.add_format({**total, "num_format": "#,##0"})
        self._total_hours = book.add_format({**total, "num_format": "[h]:mm"})

    def write(self, data: TimeLog) -> None:
        """Writes the whole sheet."""
        self._frame(data)
        head = self._heading(data)
        for column, (heading, _) in enumerate(COLUMNS):
            self._sheet.write_string(head, column, heading, self._head)
        for row, line in enumerate(data.lines, head + 1):
            self._line(row, line)
        last = head + len(data.lines)
        if data.lines:
            self._sheet.autofilter(head, 0, last, len(COLUMNS) - 1)
        self._totals(last + 1, head + 1, sum(line.minutes for line in data.lines))

    def _frame(self, data: TimeLog) -> None:
        for column, (_, width) in enumerate(COLUMNS):
            self._sheet.set_column(column, column, width)
        self._sheet.set_landscape()
        self._sheet.set_paper(9)  # A4
        self._sheet.set_margins(left=0.5, right=0.5)
        self._sheet.fit_to_pages(1, 0)
        self._sheet.hide_gridlines(2)
        # In a footer & begins a code, and a footer can have up to 255 characters.
        self._sheet.set_footer(
            f"&L{_text(data.learner)[:80].replace('&', '&&')}&CPage &P of &N&RMade on {formats.moment(data.made_at)}"
        )

    def _heading(self, data: TimeLog) -> int:
        """Writes the facts above the table. Returns the row of its headings."""
        self._sheet.set_row(0, 26)
        self._string(0, 0, "Time log", self._title)
        off = sum(line.minutes for line in data.lines if line.setting is JobSetting.OFF_THE_JOB)
        on = sum(line.minutes for line in data.lines if line.setting is JobSetting.ON_THE_JOB)
        facts: list[tuple[str, str | int | dt.timedelta]] = [
            ("Learner", data.learner),
            ("Training provider", data.provider),
            ("Shown", _filter_words(data)),
            ("Made on", formats.moment(data.made_at)),
            ("Entries", len(data.lines)),
            ("Off the job", dt.timedelta(minutes=off)),
            ("On the job", dt.timedelta(minutes=on)),
        ]
        for row, (label, value) in enumerate(facts, 1):
            self._string(row, 0, label, self._label)
            if isinstance(value, dt.timedelta):
                self._sheet.write_datetime(row, 1, value, self._bold_hours)
            elif isinstance(value, int):
                self._sheet.write_number(row, 1, value, self._bold_number)
            else:
                self._string(row, 1, value, self._bold if label == "Learner" else self._plain)
        head = len(facts) + 2
        self._sheet.repeat_rows(head)
        self._sheet.freeze_panes(head + 1, 0)
        return head

    def _line(self, row: int, line: TimeLogLine) -> None:
        approved_on = line.approved_at.astimezone(LONDON).date() if line.approved_at else None
        cells: tuple[str | dt.date | None, ...] = (
            line.date,
            ACTIVITY[line.activity],
            JOB_SETTING[line.setting],
            None,
            None,
            line.aim or "",
            line.unit or "",
            line.assessor or "No Assessor",
            line.comments,
            "automatically" if line.automatic else "by hand",
            line.approved_by or "",
            approved_on,
        )
        for column, value in enumerate(cells):
            if column == MINUTES:
                self._sheet.write_number(row, column, line.minutes, self._row_minutes)
            elif column == HOURS:
                self._sheet.write_number(row, column, line.minutes / 1440, self._row_hours)
            elif isinstance(value, dt.date):
                self._sheet.write_datetime(row, column, value, self._row_date)
            else:
                text = value or ""
                self._string(row, column, text, self._row_quoted if text.startswith(FORMULA_STARTS) else self._row)

    def _totals(self, row: int, first: int, minutes: int) -> None:
        for column in range(len(COLUMNS)):
            self._sheet.write_blank(row, column, None, self._total)
        self._sheet.write_string(row, 0, "Total", self._total)
        # SUBTOTAL follows a filter that is set in Excel. Without rows it has nothing to refer to.
        sums = ((MINUTES, minutes, self._total_minutes), (HOURS, minutes / 1440, self._total_hours))
        for column, value, form in sums:
            if row > first:
                letter = "ABCDEFGHIJKL"[column]
                self._sheet.write_formula(row, column, f"=SUBTOTAL(109,{letter}{first + 1}:{letter}{row})", form, value)
            else:
                self._sheet.write_number(row, column, value, form)

    def _string(self, row: int, column: int, text: str, form: Format) -> None:
        text = _text(text)
        if text:
            self._sheet.write_string(row, column, text, form)
        else:
            self._sheet.write_blank(row, column, None, form)


def _text(text: str) -> str:
    text = _NOT_XML.sub("\ufffd", text)
    return text if len(text) <= MAX_CELL_LENGTH else text[: MAX_CELL_LENGTH - 1] + "…"


def _filter_words(data: TimeLog) -> str:
    parts = [
        data.aim,
        JOB_SETTING[data.setting] if data.setting else None,
        ACTIVITY[data.activity] if data.activity else None,
        f"from {formats.day(data.first)}" if data.first else None,
        f"to {formats.day(data.last)}" if data.last else None,
    ]
    chosen = [part for part in parts if part]
    return "; ".join(chosen) if chosen else "All entries"
