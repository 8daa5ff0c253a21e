"""What each column says about personal data: what erasure makes of it, and what subject access shows of it.

    title: Mapped[ShortText] = personal(erased=ERASED)
    kind: Mapped[str] = not_personal(Reason.CODE, String(40))

Every column that can hold text says one of the two, unless erasure deletes the row (`LearnerRows`); a test fails for
one that says neither. `services/privacy/` works from these declarations alone.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, LargeBinary, String, Table
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import mapped_column

# What replaces text in a column that may not be empty.
ERASED = "(erased)"

_DECLARED = "personal_data"
_EXPORTED = "exported"
_OF_INSTALLATION = "of_installation"


class Reason(Enum):
    """Why a column of text holds no personal data."""

    CODE = "a word of the program, such as a status or the name of a field"
    DIGEST = "a hash"
    CONTENT_TYPE = "the type of a file's content"
    STORAGE_KEY = "a key of the file store, where erasure deletes the content"
    ORGANISATION = "text by or about a provider, an employer or an awarding body"
    SEALED = "part of the audit trail, which erasure keeps: docs/security.md says why"
    SHORT_LIVED = "the hash of a username, or an address, for minutes: how often a password was wrong"


@dataclass(frozen=True, slots=True)
class ErasedInCode:
    """Erasure computes the column's new value; `why` says what from."""

    why: str


@dataclass(frozen=True, slots=True)
class Personal:
    """`erased` replaces the value: a constant, a function of the learner's key, or `ErasedInCode`. NULL stays NULL."""

    erased: Any | Callable[[int], Any] | ErasedInCode

    def value_for(self, learner_key: int) -> Any:
        """The value after the erasure of that learner."""
        return self.erased(learner_key) if callable(self.erased) else self.erased


@dataclass(frozen=True, slots=True)
class Ending:
    """How erasure ends rows that nobody can continue without the learner.

    `is_open(entity)` is the condition for such rows, `values(today)` gives the columns that end them.
    """

    is_open: Callable[[Any], ColumnElement[bool]]
    values: Callable[[dt.date], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class LearnerRows:
    """What happens to the rows of a table that are about a learner.

    `deleted`: erasure deletes them. `ended`: erasure ends those that are open. `exported`: subject access shows them,
    unless they only secure an account.
    """

    deleted: bool = False
    ended: Ending | None = None
    exported: bool = True


@dataclass(frozen=True, slots=True)
class DataSubject:
    """A learner whose personal data is exported or erased; `email` is "" once they are erased."""

    learner_key: int
    user_key: int
    provider_key: int
    email: str
    username: str = ""


def erased_name(learner_key: int) -> str:
    """What an erased learner is called."""
    return f"Erased learner {learner_key}"


def personal(*args: Any, erased: Any, exported: bool = True, of_installation: bool = False, **kwargs: Any) -> Any:
    """A column with personal data. `erased`: as in `Personal`. `exported`: whether subject access shows it.

    `of_installation`: a secret that only this installation can use; it is NULL where the provider moves to.
    """
    return mapped_column(*args, info=column_info(Personal(erased), exported, of_installation), **kwargs)


def not_personal(
    reason: Reason, *args: Any, exported: bool = True, of_installation: bool = False, **kwargs: Any
) -> Any:
    """A column of text without personal data. `of_installation`: as for `personal`."""
    return mapped_column(*args, info=column_info(reason, exported, of_installation), **kwargs)


def column_info(
    declared: Personal | Reason | None, exported: bool = True, of_installation: bool = False
) -> dict[str, Any]:
    """The declaration as a column's `info`."""
    return {_DECLARED: declared, _EXPORTED: exported, _OF_INSTALLATION: of_installation}


def declaration(column: Column[Any]) -> Personal | Reason | None:
    """What a column declares; None where it declares nothing."""
    declared: Personal | Reason | None = column.info.get(_DECLARED)
    return declared


def is_exported(column: Column[Any]) -> bool:
    """Whether subject access shows the column."""
    exported: bool = column.info.get(_EXPORTED, True)
    return exported


def is_of_installation(column: Column[Any]) -> bool:
    """Whether a column holds a secret that does not move with the provider."""
    found: bool = column.info.get(_OF_INSTALLATION, False)
    return found


def holds_text(column: Column[Any]) -> bool:
    """Whether a person's words fit into the column."""
    return isinstance(column.type, String | JSON | LargeBinary) and not isinstance(column.type, EnumType)


def personal_columns(table: Table) -> Iterator[tuple[Column[Any], Personal]]:
    """The columns with personal data, each with its declaration."""
    for column in table.columns:
        declared = declaration(column)
        if isinstance(declared, Personal):
            yield column, declared


def undeclared_columns(table: Table) -> list[Column[Any]]:
    """The columns of text that declare neither `personal` nor `not_personal`."""
    return [column for column in table.columns if holds_text(column) and declaration(column) is None]
