"""The progress map (gap analysis) of one aim as a PDF, to be printed for a visit."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.enums import CriterionFilter, CriterionStatus, TrafficLight
from domain.progress import percent
from resolvers.exports import formats, pdf
from resolvers.exports.pdf import AimHeading, Measures

# Characters from which a description may break across pages, because it may need a page of its own.
LONG_DESCRIPTION = 2000


@dataclass(frozen=True, slots=True)
class MapCriterion:
    """One row: a criterion, how much evidence is mapped to it, and who signed it off when."""

    code: str
    description: str
    status: CriterionStatus
    evidence_count: int
    signed_off_by: str | None = None
    signed_off_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class MapUnit:
    """A unit with the criteria that pass the filter; the counts include all its criteria."""

    number: str
    title: str
    criteria_total: int
    criteria_signed_off: int
    criteria: Sequence[MapCriterion]


@dataclass(frozen=True, slots=True)
class ProgressMap:
    """The data of the PDF. It has no units without criteria that pass the filter."""

    heading: AimHeading
    measures: Measures
    traffic_light: TrafficLight
    filter: CriterionFilter
    units: Sequence[MapUnit]


async def progress_map(data: ProgressMap) -> bytes:
    """Returns the PDF."""
    return await pdf.render("progress_map.typ", _template_data(data), data.heading.made_at)


def _template_data(data: ProgressMap) -> dict[str, Any]:
    counts = Counter(criterion.status for unit in data.units for criterion in unit.criteria)
    shown = sum(counts.values())
    total = data.measures.criteria_total
    return {
        **data.heading.frame("Progress map"),
        "facts": data.heading.facts(("Progress", formats.TRAFFIC_LIGHT[data.traffic_light])),
        "bars": data.measures.bars(),
        "shown": f"{formats.FILTER[data.filter]} ({shown} of {total})",
        "legend": [
            {**mark, "count": str(counts[status])}
            for status, mark in formats.CRITERION.items()
            if data.filter is CriterionFilter.ALL or status is not CriterionStatus.SIGNED_OFF
        ],
        "signed": data.filter is CriterionFilter.ALL,
        "units": [_unit(unit) for unit in data.units],
        "empty": "Nothing is left to do." if total else "This qualification has no criteria.",
    }


def _unit(unit: MapUnit) -> dict[str, Any]:
    return {
        "title": f"Unit {unit.number}  {unit.title}",
        "breaks_across_pages": any(len(one.description) > LONG_DESCRIPTION for one in unit.criteria),
        "done": f"{unit.criteria_signed_off} of {unit.criteria_total} signed off",
        "percent": percent(unit.criteria_signed_off, unit.criteria_total),
        "criteria": [
            {
                "code": one.code,
                "description": one.description,
                "evidence": one.evidence_count,
                "mark": formats.CRITERION[one.status],
                "signed": formats.short_day(one.signed_off_on),
                "by": one.signed_off_by or "",
            }
            for one in unit.criteria
        ],
    }
