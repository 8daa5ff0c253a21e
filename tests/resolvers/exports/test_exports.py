"""Exports opened as their readers open them: the workbook with openpyxl, the PDFs with pypdf."""

import datetime as dt
import io

import openpyxl
import pytest
from pypdf import PdfReader

from domain.enums import ActivityType, AimStatus, CriterionFilter, CriterionStatus, JobSetting, Role, TrafficLight
from resolvers.exports import labels as words
from resolvers.exports.pdf import AimHeading, Measures
from resolvers.exports.progress_map import MapCriterion, MapUnit, ProgressMap, progress_map
from resolvers.exports.record_of_achievement import (
    RecordOfAchievement,
    RecordSignature,
    RecordUnit,
    record_of_achievement,
)
from resolvers.exports.workbook import COLUMNS, TimeLog, TimeLogLine, time_log

MADE = dt.datetime(2026, 7, 1, 23, 30, tzinfo=dt.UTC)  # half past midnight on the 2nd, in London


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
    made = await time_log(TimeLog("Harbour & Lane", "Siân & Co", MADE, lines, **filters))
    return openpyxl.load_workbook(io.BytesIO(made)).active


def table_of(sheet) -> list[tuple]:
    rows = list(sheet.iter_rows(values_only=True))
    head = next(n for n, row in enumerate(rows) if row[0] == "Date")
    assert rows[head] == tuple(heading for heading, _ in COLUMNS)
    return rows[head + 1 :]


async def test_the_workbook_says_whose_it_is_when_it_was_made_and_what_it_shows():
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
            line(90, unit="Knowledge", assessor="Ann", automatic=True, approved_by="Ann", approved_at=MADE), line(45)
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


async def test_totals_are_there_before_a_spreadsheet_works_them_out():
    made = await time_log(TimeLog("P", "L", MADE, [line(90), line(45)]))
    sheet = openpyxl.load_workbook(io.BytesIO(made), data_only=True).active
    assert table_of(sheet)[-1][3] == 135


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
@pytest.mark.parametrize("field", ["comments", "aim", "unit", "assessor", "approved_by"])
async def test_what_begins_like_a_formula_is_text(begin, field):
    evil = begin + 'HYPERLINK("http://x.example","y")'
    sheet = await sheet_of(line(**{field: evil}))
    [cell] = [cell for row in sheet.iter_rows() for cell in row if "HYPERLINK" in str(cell.value)]
    assert cell.data_type == "s"
    assert cell.quotePrefix
    assert cell.value.replace("_x000D_", "\r") == evil


async def test_names_that_begin_like_a_formula_are_text():
    made = await time_log(TimeLog("=1+1", "@SUM(A1)", MADE, []))
    sheet = openpyxl.load_workbook(io.BytesIO(made)).active
    assert {cell.data_type for cell in sheet["B"] if cell.value in ("=1+1", "@SUM(A1)")} == {"s"}


async def test_texts_that_no_cell_can_hold_are_still_written():
    [entry, _] = table_of(await sheet_of(line(comments="x" * 40_000 + "\ud800")))
    assert len(entry[8]) == 32_767
    [entry, _] = table_of(await sheet_of(line(comments="a\ud800\uffff\x00b")))
    assert entry[8].startswith("a\ufffd\ufffd")


async def test_an_empty_time_log_is_a_workbook():
    [total] = table_of(await sheet_of())
    assert total[3] == 0


# ---------------------------------------------------------------- PDFs

HEADING = AimHeading(
    provider="Harbour Lane Training",
    learner="Siân Llewellyn",
    qualification="Autocare technician",
    reference="ST0499 v1.3",
    employer="Northgate Motors",
    assessor="Amara Okafor",
    iqa=None,
    status=AimStatus.IN_TRAINING,
    start=dt.date(2025, 9, 1),
    planned_end=dt.date(2028, 2, 28),
    actual_end=None,
    made_at=MADE,
)
MEASURES = Measures(33.4, 66.7, 33.3, 3, criteria_mapped=2, criteria_signed_off=1, past_planned_end=False)
CRITERIA = (
    MapCriterion("K1", "The automotive industry", CriterionStatus.SIGNED_OFF, 2, "Amara Okafor", dt.date(2026, 5, 3)),
    MapCriterion("K2", "Vehicle safety inspections", CriterionStatus.IN_PROGRESS, 1),
    MapCriterion("K3", "Health and safety", CriterionStatus.NOT_STARTED, 0),
)


def map_of(*criteria: MapCriterion, shown=CriterionFilter.ALL, heading: AimHeading = HEADING) -> ProgressMap:
    units = [MapUnit("1", "Knowledge", 3, 1, criteria)] if criteria else []
    return ProgressMap(heading, MEASURES, TrafficLight.ON_TRACK, shown, units)


def pages_of(made: bytes) -> list[str]:
    assert made.startswith(b"%PDF-")
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(made)).pages]


async def text_of(data: ProgressMap) -> str:
    return " ".join(pages_of(await progress_map(data)))


async def test_the_map_says_whose_it_is_and_has_a_word_beside_every_colour():
    text = await text_of(map_of(*CRITERIA))
    for expected in (
        "Progress map",
        "Siân Llewellyn",
        "Autocare technician",
        "ST0499 v1.3",
        "In training",
        "On track",
        "1 September 2025",
        "28 February 2028",
        "Amara Okafor",
        "Not assigned",
        "Northgate Motors",
        "33.4%",
        "66.7%",
        "33.3%",
        "2 of 3 criteria",
        "Shown: All criteria (3 of 3)",
        "Unit 1 Knowledge",
        "1 of 3 signed off",
        "Harbour Lane Training",
        "Made on 2 July 2026 at 00:30",
        "Page 1 of 1",
        "K1 The automotive industry 2 Signed off 3 May 2026 Amara Okafor",
        "K2 Vehicle safety inspections 1 In progress",
        "K3 Health and safety – Not started",
    ):
        assert expected in text


async def test_the_filtered_map_names_its_filter_and_holds_red_and_orange():
    text = await text_of(map_of(*CRITERIA[1:], shown=CriterionFilter.NON_COMPLETED))
    assert "What is left to do: criteria not started or in progress (2 of 3)" in text
    assert "K2" in text and "K3" in text and "K1" not in text


@pytest.mark.parametrize("light", TrafficLight)
async def test_every_light_has_its_word(light):
    data = ProgressMap(HEADING, MEASURES, light, CriterionFilter.ALL, [])
    assert words.LIGHT[light]["word"] in await text_of(data)


async def test_a_map_with_nothing_left_says_so():
    assert "Nothing is left to do." in await text_of(map_of(shown=CriterionFilter.NON_COMPLETED))


async def test_past_the_planned_end_is_said_in_words():
    late = Measures(100.0, 0.0, 0.0, 0, 0, 0, past_planned_end=True)
    text = await text_of(ProgressMap(HEADING, late, TrafficLight.OFF_TRACK, CriterionFilter.ALL, []))
    assert "Past the planned end date" in text and "100%" in text


async def test_a_long_map_breaks_with_its_headings_repeated():
    much = "which says rather much " * 8
    many = [MapCriterion(f"{n}.1", f"Criterion number {n} {much}", CriterionStatus.NOT_STARTED, 0) for n in range(60)]
    pages = pages_of(await progress_map(map_of(*many)))
    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Unit 1 Knowledge" in page and "Criterion Description Evidence Status Signed off" in page
        assert "Siân Llewellyn" in page
    whole = " ".join(pages)
    assert all(f"Criterion number {n} " in whole for n in range(60))


@pytest.mark.parametrize(
    "evil",
    [
        '#read("/etc/passwd")',
        "#panic()",
        "$x^2$ *bold* _it_ = Heading",
        '"]} #let x = 1',
        "\\u{41} <label> @ref `raw`",
        "// comment /* block */",
        "]#[",
        "#sys.inputs",
    ],
)
async def test_what_people_write_stays_text(evil):
    heading = AimHeading(
        evil,
        evil,
        evil,
        evil,
        evil,
        evil,
        evil,
        AimStatus.COMPLETED,
        HEADING.start,
        HEADING.planned_end,
        dt.date(2026, 6, 1),
        MADE,
    )
    data = map_of(MapCriterion(evil, evil, CriterionStatus.SIGNED_OFF, 1, evil, dt.date(2026, 5, 3)), heading=heading)
    text = "".join((await text_of(data)).split())
    plain = "".join(evil.split())
    assert text.count(plain) >= 8


@pytest.mark.parametrize("odd", ["漢字 😀", "\ud800", "a\x00b\u202ec", "x" * 5000, "long words " * 2000])
async def test_no_letter_and_no_length_stops_a_sheet(odd):
    assert "Siân Llewellyn" in await text_of(map_of(MapCriterion("K1", odd, CriterionStatus.NOT_STARTED, 0)))


async def test_a_sheet_is_tagged_titled_and_dated():
    reader = PdfReader(io.BytesIO(await progress_map(map_of(*CRITERIA))))
    assert reader.metadata.title == "Progress map: Siân Llewellyn"
    assert reader.metadata.creation_date.astimezone(dt.UTC) == MADE
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "en-GB"


def unit(number: str, title: str, done: int, *signatures: RecordSignature, completed=None, mapped=0, signed=False):
    return RecordUnit(number, title, number != "9", 6, mapped, done, completed, signed, signatures)


async def test_the_record_says_of_each_unit_when_it_was_completed_and_who_signed():
    ann = RecordSignature(Role.ASSESSOR, True, "Ann", dt.date(2026, 5, 4))
    open_place = RecordSignature(Role.LEARNER, True)
    made = await record_of_achievement(
        RecordOfAchievement(
            HEADING,
            MEASURES,
            [
                unit("1", "Brakes", 6, ann, completed=dt.date(2026, 5, 3), mapped=6, signed=True),
                unit("2", "Tyres", 6, ann, open_place, completed=dt.date(2026, 5, 3), mapped=6),
                unit("3", "Oil", 1, open_place, mapped=2),
                unit("9", "Paint", 0, open_place),
            ],
        )
    )
    [text] = pages_of(made)
    for expected in (
        "Record of achievement",
        "Siân Llewellyn",
        "ST0499 v1.3",
        "Units completed 2 of 4",
        "1 Brakes 6 of 6 Signed off 3 May 2026 Ann Assessor, 4 May 2026",
        "2 Tyres 6 of 6 To be signed 3 May 2026 Ann Assessor, 4 May 2026 Not signed yet Learner",
        "3 Oil 1 of 6 In progress – –",
        "9 Paint Optional unit 0 of 6 Not started – –",
        "recorded on 2 July 2026 at 00:30",
        "Page 1 of 1",
    ):
        assert expected in text


async def test_a_long_record_repeats_its_headings():
    pages = pages_of(
        await record_of_achievement(
            RecordOfAchievement(
                HEADING, MEASURES, [unit(str(n), "Carry out routine maintenance", 0) for n in range(80)]
            )
        )
    )
    assert len(pages) > 1
    assert all("Unit Title Criteria Status Completed Signed by" in page for page in pages)
