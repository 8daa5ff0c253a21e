"""The Record of Achievement of one aim as a PDF: each unit, when it was completed, and who signed."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.enums import Role
from resolvers.core.labels import ROLE
from resolvers.exports import formats, pdf
from resolvers.exports.pdf import AimHeading, Measures


@dataclass(frozen=True, slots=True)
class RecordSignature:
    """The signature of one role on a unit; `name` and `on` are None until it is given."""

    role: Role
    required: bool
    name: str | None = None
    on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class RecordUnit:
    """One unit. `completed_on`: the day on which the last of its criteria was signed off, None before.

    `signed_off`: every required signature was given. `signatures`: the required ones and all others that were given.
    """

    number: str
    title: str
    mandatory: bool
    criteria_total: int
    criteria_mapped: int
    criteria_signed_off: int
    completed_on: dt.date | None
    signed_off: bool
    signatures: Sequence[RecordSignature]

    @property
    def complete(self) -> bool:
        return 0 < self.criteria_total == self.criteria_signed_off


@dataclass(frozen=True, slots=True)
class RecordOfAchievement:
    """The data of the PDF: all units of the aim, in the order of the qualification."""

    heading: AimHeading
    measures: Measures
    units: Sequence[RecordUnit]


async def record_of_achievement(data: RecordOfAchievement) -> bytes:
    """Returns the PDF."""
    return await pdf.render("record_of_achievement.typ", _template_data(data), data.heading.made_at)


def _template_data(data: RecordOfAchievement) -> dict[str, Any]:
    complete = sum(unit.complete for unit in data.units)
    return {
        **data.heading.frame("Record of achievement"),
        "facts": data.heading.facts(("Units completed", f"{complete} of {len(data.units)}")),
        "bars": data.measures.bars(),
        "units": [_unit(unit) for unit in data.units],
        "empty": "This qualification has no units.",
        "closing": (
            "Signatures were given electronically, each by the person named, in the role named, with their own "
            f"password. {data.heading.provider} keeps them with the statement that was signed. This document shows "
            f"what was recorded on {formats.moment(data.heading.made_at)}."
        ),
    }


def _unit(unit: RecordUnit) -> dict[str, Any]:
    # A missing signature is shown only once the unit can be signed.
    shown = [one for one in unit.signatures if one.name or unit.complete and one.required]
    return {
        "number": unit.number,
        "title": unit.title,
        "optional": not unit.mandatory,
        "criteria": f"{unit.criteria_signed_off} of {unit.criteria_total}",
        "mark": _mark(unit),
        "completed": formats.short_day(unit.completed_on) if unit.complete else "",
        "signatures": [
            {
                "name": one.name or "",
                "missing": "Not signed yet",
                "note": ROLE[one.role] + (f", {formats.short_day(one.on)}" if one.on else ""),
            }
            for one in shown
        ],
    }


def _mark(unit: RecordUnit) -> formats.Mark:
    if unit.complete:
        return (
            formats.mark("Signed off", "green", "full")
            if unit.signed_off
            else formats.mark("To be signed", "orange", "half")
        )
    if unit.criteria_mapped:
        return formats.mark("In progress", "orange", "half")
    return formats.mark("Not started", "red", "empty")
