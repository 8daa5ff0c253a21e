"""What a person typed, checked before anything is written: each fault noted at its field, all told together."""

from typing import TypeVar

from db.models.base import Base
from domain import global_id as ids
from domain.enums import UserErrorCode
from domain.errors import not_found
from resolvers.core.unit_of_work import UnitOfWork

E = TypeVar("E", bound=Base)

# Characters. A line is a title or a subject, and has a column of 300; prose is for a person to read in one go.
MAX_SINGLE_LINE = 200
MAX_MULTI_LINE = 20_000


async def require_entity(uow: UnitOfWork, entity: type[E], id: str, *field: str, locked: bool = True) -> E | None:
    """The entity with that id, if the viewer sees it; else None, and NOT_FOUND is noted at the field."""
    found = await uow.get_or_none(entity, ids.decode(entity.type_name(), id), locked=locked)
    if found is None:
        (fault,) = not_found(*field).errors
        uow.add_error(fault.code, fault.message, *field)
    return found


def single_line(uow: UnitOfWork, text: str, *field: str) -> str:
    """One line that must be there, its white space folded; notes REQUIRED or INVALID."""
    return _checked(uow, " ".join(text.split()), MAX_SINGLE_LINE, True, *field)


def multi_line(uow: UnitOfWork, text: str, *field: str, required: bool = True) -> str:
    """Any number of lines, without the white space around them; notes REQUIRED or INVALID."""
    return _checked(uow, text.strip(), MAX_MULTI_LINE, required, *field)


def _checked(uow: UnitOfWork, text: str, most: int, required: bool, *field: str) -> str:
    if required and not text:
        uow.add_error(UserErrorCode.REQUIRED, "Write something here: it cannot be empty.", *field)
    elif len(text) > most:
        uow.add_error(
            UserErrorCode.INVALID, f"Shorten it to {most:,} characters at most; it has {len(text):,}.", *field
        )
    elif any(letter < " " and letter not in "\t\n\r" or "\ud800" <= letter <= "\udfff" for letter in text):
        uow.add_error(UserErrorCode.INVALID, "It holds characters that cannot be kept. Type it again.", *field)
    return text
