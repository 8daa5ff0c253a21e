"""PDFs through Typst: a template of ours and data as JSON, so that what people write stays text and is never markup."""

import asyncio
import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import typst

from domain.enums import AimStatus
from resolvers.exports import labels as words

TEMPLATES = Path(__file__).parent / "templates"
# A page takes tens of milliseconds of a core: more at once would only make everybody else wait.
AT_ONCE = 2
_threads = ThreadPoolExecutor(AT_ONCE, "pdf")
# Longer than any column is wide: such a word may break anywhere.
LONG_WORD = re.compile(r"\S{26,}")
# What turns the direction of the text around it, and the byte order mark.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


@dataclass(frozen=True, slots=True)
class AimHeading:
    """Whose sheet this is and what it is about. `reference` as printed ("ST0499 v1.3"), empty where there is none."""

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

    def facts(self, *more: tuple[str, str | words.Mark]) -> list[tuple[str, str | words.Mark]]:
        """What stands under the name, in the order it is printed; `more` comes after the aim's status."""
        end = ("Planned end", words.day(self.planned_end))
        if self.actual_end:
            end = ("Completed", words.day(self.actual_end))
        return [
            ("Status", words.AIM_STATUS[self.status]),
            *more,
            ("Started", words.day(self.start)),
            end,
            ("Assessor", self.assessor or "Not assigned"),
            ("IQA", self.iqa or "Not assigned"),
            ("Employer", self.employer or "None"),
        ]

    def shown(self, title: str) -> dict[str, Any]:
        """What the sheet's frame prints."""
        return {
            "title": title,
            "provider": self.provider,
            "learner": self.learner,
            "qualification": self.qualification,
            "reference": self.reference,
            "made": words.moment(self.made_at),
        }


@dataclass(frozen=True, slots=True)
class Measures:
    """An aim's three bars, 0 to 100, and the counts behind two of them."""

    duration_percent: float
    mapped_percent: float
    signed_off_percent: float
    criteria_total: int
    criteria_mapped: int
    criteria_signed_off: int
    past_planned_end: bool

    def bars(self) -> list[dict[str, Any]]:
        """Blue (red past the planned end), orange, green: never mixed."""
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


async def made(template: str, data: Mapping[str, Any], made_at: dt.datetime) -> bytes:
    """The PDF (tagged, PDF/UA-1) of a template in `templates/`, compiled in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_threads, compiled, template, data, made_at)


def compiled(template: str, data: Mapping[str, Any], made_at: dt.datetime) -> bytes:
    """The same, here and now. `made_at` becomes the document's date."""
    inputs = {"data": orjson.dumps(_printable(data)).decode()}
    moment = made_at.replace(microsecond=0)  # Typst takes whole seconds
    try:
        return _compiler(template, inputs, system_fonts=False).compile(
            format="pdf", pdf_standards=["ua-1"], timestamp=moment
        )
    except typst.TypstError:
        # PDF/UA refuses a letter that no font has (a name in Chinese, an emoji). Better a sheet that may show a box
        # there than none; the machine's own fonts may have the letter.
        return _compiler(template, inputs, system_fonts=True).compile(format="pdf", timestamp=moment)


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
    # At first only those that come with the library: a sheet looks the same on every machine.
    return typst.Fonts(include_system_fonts=system_fonts)


def _bar(label: str, percent: float, tone: str, note: str) -> dict[str, Any]:
    return {"label": label, "percent": percent, "value": words.percent(percent), "tone": tone, "note": note}


def _printable(value: Any) -> Any:
    """The same data; its texts without what no page can show, and breakable where a word is longer than a column."""
    if isinstance(value, str):
        text = "".join(
            " " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c
            for c in value
            if c not in TURNING and unicodedata.category(c) not in {"Cs", "Co", "Cn"}
        )
        return LONG_WORD.sub(lambda found: "\u200b".join(found[0]), text)
    if isinstance(value, Mapping):
        return {key: _printable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner) for inner in value]
    return value
