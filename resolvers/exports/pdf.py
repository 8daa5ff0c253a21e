"""PDFs with Typst. Templates get their data as JSON, so that texts of users are never read as markup."""

import asyncio
import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import typst

from db.priority import lower_priority
from domain.enums import AimStatus
from loaders.progress import ProgressRow
from resolvers.core.labels import AIM_STATUS
from resolvers.exports import formats

# Noto Sans of Latin, Greek, Cyrillic, and the scripts of India, South-East Asia, the Middle East and Ethiopia; of
# Chinese, Japanese and Korean. Thaana, Tibetan and rarer scripts need fonts of the machine.
FONT_PACKAGES = ("manimgx_fonts", "cvttf_NotoSansCJK_Regular")
TEMPLATES = Path(__file__).parent / "templates"
# A page takes tens of milliseconds of one core, so more threads would delay other requests.
MAX_THREADS = 2
# PDF/UA rejects a character that no font has (a Tibetan name). The fonts of the machine may have it; otherwise the PDF
# shows a box and does not claim to be accessible, which is better than no PDF. By default only the fonts of libraries,
# so that a PDF looks the same on every machine.
ATTEMPTS: tuple[tuple[bool, Any], ...] = ((False, ["ua-1"]), (True, ["ua-1"]), (True, []))
# Typst works without the GIL.
_threads = ThreadPoolExecutor(MAX_THREADS, "pdf", initializer=lower_priority)
# A word that is longer than a column is wide, so that it may break anywhere.
LONG_WORD = re.compile(r"\S{26,}")
# Characters that change the direction of the text around them, and the byte order mark.
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


@dataclass(frozen=True, slots=True)
class AimHeading:
    """The head of a PDF about one aim. `reference` as printed ("ST0499 v1.3"), empty where there is none."""

    provider: str
    learner: str
    qualification: str
    reference: str
    employer: str | None
    assessor: str | None
    iqa: str | None
    status: AimStatus
    start: dt.date
    planned_end: dt.date
    actual_end: dt.date | None
    made_at: dt.datetime

    def facts(self, *more: tuple[str, str | formats.Mark]) -> list[tuple[str, str | formats.Mark]]:
        """Returns the labels and values under the name, in print order; `more` comes after the aim's status."""
        end = ("Planned end", formats.day(self.planned_end))
        if self.actual_end:
            end = ("Completed", formats.day(self.actual_end))
        return [
            ("Status", AIM_STATUS[self.status]),
            *more,
            ("Started", formats.day(self.start)),
            end,
            ("Assessor", self.assessor or "Not assigned"),
            ("IQA", self.iqa or "Not assigned"),
            ("Employer", self.employer or "None"),
        ]

    def frame(self, title: str) -> dict[str, Any]:
        """Returns the data of the page's title, header and footer."""
        return {
            "title": title,
            "provider": self.provider,
            "learner": self.learner,
            "qualification": self.qualification,
            "reference": self.reference,
            "made": formats.moment(self.made_at),
        }


@dataclass(frozen=True, slots=True)
class Measures:
    """An aim's three progress bars, from 0 to 100, and the counts of two of them."""

    duration_percent: float
    mapped_percent: float
    signed_off_percent: float
    criteria_total: int
    criteria_mapped: int
    criteria_signed_off: int
    past_planned_end: bool

    @classmethod
    def of(cls, progress: ProgressRow) -> "Measures":
        """Returns the measures of an aim's or a programme's progress."""
        return cls(
            progress.duration_percent,
            progress.mapped_percent,
            progress.signed_off_percent,
            progress.criteria_total,
            progress.criteria_mapped,
            progress.criteria_signed_off,
            progress.past_planned_end,
        )

    def bars(self) -> list[dict[str, Any]]:
        """Returns the bars: time in blue (red after the planned end), mapped in orange, signed off in green."""
        total = self.criteria_total
        late = self.past_planned_end
        return [
            _bar(
                "Time elapsed",
                self.duration_percent,
                "red" if late else "blue",
                "Past the planned end date" if late else "of the planned time",
            ),
            _bar("Evidence mapped", self.mapped_percent, "orange", f"{self.criteria_mapped} of {total} criteria"),
            _bar("Signed off", self.signed_off_percent, "green", f"{self.criteria_signed_off} of {total} criteria"),
        ]


async def render(template: str, data: Mapping[str, Any], made_at: dt.datetime) -> bytes:
    """Returns the PDF (tagged, PDF/UA-1) of a template in `templates/`, compiled in a thread.

    `made_at` becomes the document's date.
    """
    return await asyncio.get_running_loop().run_in_executor(_threads, _compile, template, data, made_at)


def _compile(template: str, data: Mapping[str, Any], made_at: dt.datetime) -> bytes:
    inputs = {"data": orjson.dumps(_printable(data)).decode()}
    moment = made_at.replace(microsecond=0)  # Typst accepts whole seconds only.
    for system_fonts, standards in ATTEMPTS:
        compiler = _compiler(template, inputs, system_fonts=system_fonts)
        try:
            pdf = compiler.compile(format="pdf", pdf_standards=standards, timestamp=moment)
            break
        except typst.TypstError:
            if (system_fonts, standards) == ATTEMPTS[-1]:
                raise
    # Without an output path a PDF is always one bytes object; lists are for images of pages.
    assert isinstance(pdf, bytes)
    return pdf


def _compiler(template: str, inputs: dict[str, str], *, system_fonts: bool) -> typst.Compiler:
    return typst.Compiler(
        TEMPLATES / template,
        root=TEMPLATES,
        font_paths=_fonts(system_fonts),
        sys_inputs=inputs,
        ignore_system_fonts=not system_fonts,
    )


@cache
def _fonts(system_fonts: bool) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=system_fonts, font_paths=[str(folder) for folder in _font_folders()])


def _font_folders() -> list[Path]:
    """Returns the folders of the fonts that are installed as libraries."""
    return [Path(str(files(package))) for package in FONT_PACKAGES]


def _bar(label: str, percent: float, tone: str, note: str) -> dict[str, Any]:
    return {"label": label, "percent": percent, "value": formats.percent(percent), "tone": tone, "note": note}


def _printable(value: Any) -> Any:
    """Returns the data with texts that can be printed: no control characters, and long words that may break."""
    if isinstance(value, str):
        text = "".join(
            " " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c
            for c in value
            if c not in DIRECTION_MARKS and unicodedata.category(c) not in {"Cs", "Co", "Cn"}
        )
        return LONG_WORD.sub(lambda found: "\u200b".join(found[0]), text)
    if isinstance(value, Mapping):
        return {key: _printable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner) for inner in value]
    return value
