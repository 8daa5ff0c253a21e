"""The record of achievement of one aim as a PDF: each unit, when it was completed, and who signed ([001], 64)."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.enums import Role
from resolvers.exports import labels as words
from resolvers.exports import pdf
from resolvers.exports.pdf import AimHeading, Measures


@dataclass(frozen=True, slots=True)
class RecordSignature:
    """One role's place under a unit's confirmation statement; `name` and `on` are None until it is signed."""

    role: Role
    required: bool
    name: str | None = None
    on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class RecordUnit:
    """One unit. `completed_on`: the day on which the last of its criteria was signed off, None before.

    `signed_off`: every required signature is given; `signatures`: the required ones and those that were given besides.
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
    """What the sheet is made of: all units of the aim, in the qualification's order."""

    heading: AimHeading
    measures: Measures
    units: Sequence[RecordUnit]


async def record_of_achievement(data: RecordOfAchievement) -> bytes:
    """The PDF. Its file name is for the caller: `record-of-achievement.pdf`."""
    return await pdf.made("record_of_achievement.typ", _printed(data), data.heading.made_at)


def _printed(data: RecordOfAchievement) -> dict[str, Any]:
    complete = sum(unit.complete for unit in data.units)
    return {
        **data.heading.shown("Record of achievement"),
        "facts": data.heading.facts(("Units completed", f"{complete} of {len(data.units)}")),
        "bars": data.measures.bars(),
        "units": [_unit(unit) for unit in data.units],
        "empty": "This qualification has no units.",
        "closing": (
            "Signatures were given electronically, each by the person named, in the role named, with their own "
            f"password. {data.heading.provider} keeps them with the words that were confirmed. This sheet shows what "
            f"was recorded on {words.moment(data.heading.made_at)}."
        ),
    }


def _unit(unit: RecordUnit) -> dict[str, Any]:
    # An open place is worth a line only once there is something to sign.
    places = [one for one in unit.signatures if one.name or unit.complete and one.required]
    return {
        "number": unit.number,
        "title": unit.title,
        "optional": not unit.mandatory,
        "criteria": f"{unit.criteria_signed_off} of {unit.criteria_total}",
        "mark": _mark(unit),
        "completed": words.short_day(unit.completed_on) if unit.complete else "",
        "signatures": [
            {
                "name": one.name or "",
                "missing": "Not signed yet",
                "note": words.ROLE[one.role] + (f", {words.short_day(one.on)}" if one.on else ""),
            }
            for one in places
        ],
    }


def _mark(unit: RecordUnit) -> words.Mark:
    if unit.complete:
        return (
            words.mark("Signed off", "green", "full")
            if unit.signed_off
            else words.mark("To be signed", "orange", "half")
        )
    if unit.criteria_mapped:
        return words.mark("In progress", "orange", "half")
    return words.mark("Not started", "red", "empty")
