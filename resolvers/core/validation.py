"""Validation of input: each error is recorded at its field, so that all of them are reported together."""

from typing import TypeVar

from db.models.base import Base
from domain import global_id
from domain.enums import UserErrorCode
from domain.sentences import say
from domain.text import clean_line, clean_lines
from resolvers.core.unit_of_work import UnitOfWork

E = TypeVar("E", bound=Base)

# Characters.
MAX_SINGLE_LINE = 200
MAX_MULTI_LINE = 20_000


async def require_entity(uow: UnitOfWork, entity: type[E], id: str, *field: str, locked: bool = True) -> E | None:
    """Returns the entity with that id, if the viewer sees it; else records NOT_FOUND at the field and returns None."""
    found = await uow.get_or_none(entity, global_id.decode(entity.type_name(), id), locked=locked)
    if found is None:
        uow.add_not_found(*field)
    return found


def single_line(uow: UnitOfWork, text: str, *field: str) -> str:
    """Returns a required text as one line, cleaned as `domain.text` says; records REQUIRED or INVALID at the field."""
    return _checked(uow, clean_line(text), MAX_SINGLE_LINE, True, *field)


def optional_line(uow: UnitOfWork, text: str | None, *field: str) -> str | None:
    """As `single_line`, but None for no text."""
    return _checked(uow, clean_line(text or ""), MAX_SINGLE_LINE, False, *field) or None


def multi_line(uow: UnitOfWork, text: str, *field: str, required: bool = True) -> str:
    """Returns a text of any number of lines, cleaned and trimmed; records REQUIRED or INVALID at the field."""
    return _checked(uow, clean_lines(text), MAX_MULTI_LINE, required, *field)


def _checked(uow: UnitOfWork, text: str, limit: int, required: bool, *field: str) -> str:
    if required and not text:
        uow.add_error(UserErrorCode.REQUIRED, say("TEXT_MISSING"), *field)
    elif len(text) > limit:
        message = say("TEXT_TOO_LONG", length=len(text), most=limit)
        uow.add_error(UserErrorCode.INVALID, message, *field)
    return text
