"""What a person typed, checked before anything is written: each fault noted at its field, all told together."""

from typing import TypeVar

from db.models.base import Base
from domain import global_id as ids
from domain.enums import UserErrorCode
from domain.errors import not_found
from repositories.scoped import TYPE_NAMES
from resolvers.core.unit_of_work import Change

E = TypeVar("E", bound=Base)

# Characters. A line is a title or a subject, and has a column of 300; prose is for a person to read in one go.
LINE = 200
PROSE = 20_000


async def named(change: Change, entity: type[E], id: str, *field: str, locked: bool = True) -> E | None:
    """The entity with that id, if the viewer sees it; else None, and NOT_FOUND is noted at the field."""
    found = await change.find(entity, ids.decode(TYPE_NAMES[entity], id), locked=locked)
    if found is None:
        (fault,) = not_found(*field).faults
        change.fault(fault.code, fault.message, *field)
    return found


def line(change: Change, text: str, *field: str) -> str:
    """One line that must be there, its white space folded; notes REQUIRED or INVALID."""
    return _checked(change, " ".join(text.split()), LINE, True, *field)


def prose(change: Change, text: str, *field: str, required: bool = True) -> str:
    """Any number of lines, without the white space around them; notes REQUIRED or INVALID."""
    return _checked(change, text.strip(), PROSE, required, *field)


def _checked(change: Change, text: str, most: int, required: bool, *field: str) -> str:
    if required and not text:
        change.fault(UserErrorCode.REQUIRED, "Write something here: it cannot be empty.", *field)
    elif len(text) > most:
        change.fault(UserErrorCode.INVALID, f"Shorten it to {most:,} characters at most; it has {len(text):,}.", *field)
    elif any(letter < " " and letter not in "\t\n\r" or "\ud800" <= letter <= "\udfff" for letter in text):
        change.fault(UserErrorCode.INVALID, "It holds characters that cannot be kept. Type it again.", *field)
    return text
