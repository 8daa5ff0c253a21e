"""The PDFs of the progress map and the Record of Achievement, read with pypdf."""

import datetime as dt
import io
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from domain.enums import AimStatus, CriterionFilter, CriterionStatus, Role, TrafficLight
from resolvers.exports import formats
from resolvers.exports import pdf as exported
from resolvers.exports.pdf import AimHeading, Measures
from resolvers.exports.progress_map import MapCriterion, MapUnit, ProgressMap, progress_map
from resolvers.exports.record_of_achievement import (
    RecordOfAchievement,
    RecordSignature,
    RecordUnit,
    record_of_achievement,
)
from services.storage.preview_picture import make_preview

MADE_AT = dt.datetime(2026, 7, 1, 23, 30, tzinfo=dt.UTC)  # half past midnight on the 2nd, in London
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
    made_at=MADE_AT,
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


def pages_of(pdf: bytes) -> list[str]:
    assert pdf.startswith(b"%PDF-")
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


async def text_of(data: ProgressMap) -> str:
    return " ".join(pages_of(await progress_map(data)))


async def test_the_map_names_its_learner_and_has_a_word_beside_each_colour():
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


async def test_the_filtered_map_names_its_filter_and_shows_red_and_orange():
    text = await text_of(map_of(*CRITERIA[1:], shown=CriterionFilter.NON_COMPLETED))
    assert "What is left to do: criteria not started or in progress (2 of 3)" in text
    assert "K2" in text and "K3" in text and "K1" not in text


@pytest.mark.parametrize("light", TrafficLight)
async def test_every_traffic_light_has_a_word(light):
    data = ProgressMap(HEADING, MEASURES, light, CriterionFilter.ALL, [])
    assert formats.TRAFFIC_LIGHT[light]["word"] in await text_of(data)


async def test_a_map_without_anything_left_to_do():
    assert "Nothing is left to do." in await text_of(map_of(shown=CriterionFilter.NON_COMPLETED))


async def test_a_map_after_the_planned_end():
    late = Measures(100.0, 0.0, 0.0, 0, 0, 0, past_planned_end=True)
    text = await text_of(ProgressMap(HEADING, late, TrafficLight.OFF_TRACK, CriterionFilter.ALL, []))
    assert "Past the planned end date" in text and "100%" in text


async def test_a_long_map_repeats_its_headings_on_each_page():
    padding = "with a long description " * 8
    many = [
        MapCriterion(f"{n}.1", f"Criterion number {n} {padding}", CriterionStatus.NOT_STARTED, 0) for n in range(60)
    ]
    pages = pages_of(await progress_map(map_of(*many)))
    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Unit 1 Knowledge" in page and "Criterion Description Evidence Status Signed off" in page
        assert "Siân Llewellyn" in page
    whole = " ".join(pages)
    assert all(f"Criterion number {n} " in whole for n in range(60))


@pytest.mark.parametrize(
    "markup",
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
async def test_markup_in_texts_is_printed_as_text(markup):
    heading = AimHeading(
        markup,
        markup,
        markup,
        markup,
        markup,
        markup,
        markup,
        AimStatus.COMPLETED,
        HEADING.start,
        HEADING.planned_end,
        dt.date(2026, 6, 1),
        MADE_AT,
    )
    data = map_of(
        MapCriterion(markup, markup, CriterionStatus.SIGNED_OFF, 1, markup, dt.date(2026, 5, 3)), heading=heading
    )
    text = "".join((await text_of(data)).split())
    plain = "".join(markup.split())
    assert text.count(plain) >= 8


@pytest.mark.parametrize("odd", ["漢字 😀", "\ud800", "a\x00b\u202ec", "x" * 5000, "long words " * 2000])
async def test_any_character_and_any_length_can_be_printed(odd):
    assert "Siân Llewellyn" in await text_of(map_of(MapCriterion("K1", odd, CriterionStatus.NOT_STARTED, 0)))


async def test_a_pdf_is_tagged_titled_and_dated():
    reader = PdfReader(io.BytesIO(await progress_map(map_of(*CRITERIA))))
    assert reader.metadata.title == "Progress map: Siân Llewellyn"
    assert reader.metadata.creation_date.astimezone(dt.UTC) == MADE_AT
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "en-GB"


def unit(number: str, title: str, done: int, *signatures: RecordSignature, completed=None, mapped=0, signed=False):
    return RecordUnit(number, title, number != "9", 6, mapped, done, completed, signed, signatures)


async def test_the_record_shows_completion_and_signatures_of_each_unit():
    ann = RecordSignature(Role.ASSESSOR, True, "Ann", dt.date(2026, 5, 4))
    unsigned = RecordSignature(Role.LEARNER, True)
    pdf = await record_of_achievement(
        RecordOfAchievement(
            HEADING,
            MEASURES,
            [
                unit("1", "Brakes", 6, ann, completed=dt.date(2026, 5, 3), mapped=6, signed=True),
                unit("2", "Tyres", 6, ann, unsigned, completed=dt.date(2026, 5, 3), mapped=6),
                unit("3", "Oil", 1, unsigned, mapped=2),
                unit("9", "Paint", 0, unsigned),
            ],
        )
    )
    [text] = pages_of(pdf)
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


async def test_a_long_record_repeats_its_headings_on_each_page():
    pages = pages_of(
        await record_of_achievement(
            RecordOfAchievement(
                HEADING, MEASURES, [unit(str(n), "Carry out routine maintenance", 0) for n in range(80)]
            )
        )
    )
    assert len(pages) > 1
    assert all("Unit Title Criteria Status Completed Signed by" in page for page in pages)


SCRIPTS = [
    "محمد علي", "王小明", "山田たろう", "김민수", "राम कुमार", "ស៊ន ប៊ុនធឿន", "தமிழ் செல்வன்", "తెలుగు", "สมชาย ใจดี",
    "አበበ ተስፋዬ", "ສົມຊາຍ", "အောင်ဆန်း", "রহিম উদ্দিন", "שרה כהן", "Նարե Սարգսյան", "ნინო ბერიძე",
    "Ελένη Παπαδάκη", "Юлия Щербакова", "Nguyễn Thị Hồng", "Łukasz Ğüneş",
    "ગુજરાતી પટેલ", "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ", "ಕನ್ನಡ ಗೌಡ", "മലയാളം നായർ", "ଓଡ଼ିଆ ଦାସ", "සිංහල පෙරේරා", "Ada 😀",
]  # fmt: skip
# Scripts that only fonts of the machine have, with the file of the font in Debian's fonts-noto-core.
SYSTEM_SCRIPTS = {"ދިވެހި": "NotoSansThaana-Regular.ttf", "བོད་སྐད་": "NotoSerifTibetan-Regular.ttf"}
SYSTEM_FONTS = Path("/usr/share/fonts/truetype/noto")
SYSTEM_NAMES = [
    pytest.param(
        name, marks=pytest.mark.skipif(not (SYSTEM_FONTS / font).exists(), reason="fonts-noto-core is missing")
    )
    for name, font in SYSTEM_SCRIPTS.items()
]


async def map_of_learner(name: str) -> bytes:
    return await progress_map(map_of(*CRITERIA, heading=replace(HEADING, learner=name)))


def is_accessible(pdf: bytes) -> bool:
    metadata = PdfReader(io.BytesIO(pdf)).xmp_metadata
    return metadata is not None and "pdfuaid:part" in metadata.stream.get_data().decode()


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_name_in_any_script_is_printed_with_the_fonts_of_the_libraries(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    """Without a font for a character a PDF cannot be PDF/UA, and the fonts of the machine are used instead."""
    monkeypatch.setattr(exported, "ATTEMPTS", exported.ATTEMPTS[:1])
    assert is_accessible(await map_of_learner(name))


@pytest.mark.parametrize("name", SYSTEM_NAMES)
async def test_a_name_in_a_rare_script_is_printed_with_a_font_of_the_machine(name: str):
    assert is_accessible(await map_of_learner(name))


@pytest.mark.parametrize("name", [*SCRIPTS[-7:-1], *SYSTEM_NAMES])
async def test_a_preview_shows_letters_and_not_a_box_for_each(name: str):
    pictures = {make_preview(await map_of_learner(each), "application/pdf", 640) for each in (name, name, name[::-1])}
    assert len(pictures) == 2


async def test_a_letter_without_any_font_does_not_prevent_the_pdf():
    # Of Noto's Khitan Small Script, which neither libraries nor fonts-noto-core have.
    assert not is_accessible(await map_of_learner("Ada \U00018b00"))
