"""The declarative base of all tables, and column types that behave the same on SQLite and PostgreSQL."""

import datetime as dt
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import DeclarativeBase, mapped_column

from db.models.entity import Entity
from db.models.growth import Growth, Sweep
from db.models.personal_data import DataSubject, LearnerRows, Personal, Reason, column_info, not_personal
from db.models.provider_keys import SAME_PROVIDER, add_provider
from domain.enums import PortfolioPart
from domain.text import fold_name

_REFERS_TO = "refers_to"
_EACH_REFERS_TO = "each_refers_to"
# The `info` of a column that only counts: a write of nothing else changes no part of a portfolio.
COUNTER = {"counter": True}


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A moment in UTC with microseconds, an aware datetime on both databases. Raises ValueError for a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[dt.datetime]:
        """The type that a cursor's text is parsed into."""
        return dt.datetime

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone cannot be stored")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        return value.replace(tzinfo=dt.UTC) if value is not None and value.tzinfo is None else value


# SQLite numbers rows automatically only if the type of the primary key is INTEGER.
Key = BigInteger().with_variant(Integer(), "sqlite")

PrimaryKey = Annotated[int, mapped_column(Key, primary_key=True, autoincrement=True)]
Timestamp = Annotated[dt.datetime, mapped_column(UtcDateTime())]
Date = Annotated[dt.date, mapped_column()]
# Characters. Longer than any text of one line may be, so that its limit can be raised without a migration.
SHORT_TEXT_LENGTH = 300
ShortText = Annotated[str, mapped_column(String(SHORT_TEXT_LENGTH))]
LongText = Annotated[str, mapped_column(Text())]
# A SHA-256 in hexadecimal.
Digest = Annotated[str, not_personal(Reason.DIGEST, String(64))]


def folded_name_column(source: str, declared: Personal | Reason) -> Any:
    """A column with the folded form of another column, set when a row is added, sorted by code point on both databases.

    An entity whose name changes sets it again (`validates`). `declared`: as for the other column.
    """
    type_ = String(300).with_variant(String(300, collation="C"), "postgresql")
    return mapped_column(
        type_,
        default=lambda context: fold_name(context.get_current_parameters()[source]),
        info=column_info(declared, exported=False),
    )


def reference(target: str, *, index: bool = True, nullable: bool = False, erased: bool = False, **kwargs: Any) -> Any:
    """A foreign key column; indexed unless another index of the table begins with it.

    The row that it refers to must be of the same provider (`db/models/provider_keys.py`). `erased`: the erasure of a
    learner sets it to NULL.
    """
    table = target.partition(".")[0]
    info: dict[Any, Any] = {**column_info(Personal(None) if erased else None), _REFERS_TO: table}
    if table == "provider":
        return mapped_column(Key, ForeignKey(target), index=index, nullable=nullable, info=info, **kwargs)
    info[SAME_PROVIDER] = target
    return mapped_column(Key, index=index, nullable=nullable, info=info, **kwargs)


def reference_without_constraint(table: str, *, erased: bool = False, **kwargs: Any) -> Any:
    """A column with the key of a row of another table that no foreign key protects. `erased`: as for `reference`."""
    info = {**column_info(Personal(None) if erased else None), _REFERS_TO: table}
    return mapped_column(Key, info=info, **kwargs)


def referred_table(column: Column[Any]) -> str | None:
    """The name of the table whose keys a column holds; None for a column that refers to no table."""
    name: str | None = column.info.get(_REFERS_TO)
    return name


def references_in_text(table: str) -> Any:
    """A column of text with the keys of rows of another table, separated by spaces."""
    return mapped_column(Text(), info={**column_info(Reason.CODE), _EACH_REFERS_TO: table})


def table_of_each(column: Column[Any]) -> str | None:
    """The name of the table whose keys the text of a column holds; None for any other column."""
    name: str | None = column.info.get(_EACH_REFERS_TO)
    return name


def enum_column(members: type[Enum], **kwargs: Any) -> Any:
    """A column that stores an enum member's name."""
    return mapped_column(EnumType(members, native_enum=False, length=40, create_constraint=False), **kwargs)


class Base(DeclarativeBase):
    """The base of all mapped classes. What a class declares about itself is used by every part that needs to know.

    `__entity__`: its GraphQL type and visibility. `__label__`: the columns by which a person recognises a row.
    `__learner_rows__`: what erasure and subject access do with the rows about a learner.
    `__growth__`: why its table stays bounded, or which rows the server deletes; an entity's rows are kept without it.
    `__row_limits__`: the most rows of one parent, by the name of the column that refers to it, where the graph has them
    in one list without pages. The mutations that add rows check it (`resolvers/core/row_limit.py`).
    `__internal__`: no viewer sees its rows and no loader reads them.
    `__part__`: the part of a learner's portfolio that changes with its rows.
    `__seen_by__`: its rows decide who sees learners (`auth/scope.py`): when one is added or deleted, or one of these
    attributes changes.
    `__unread__`: columns that no client reads of a record, whose change does not move its `updated_at`.
    `__without_provider__`: why its rows have no `provider_id`, and so its keys no provider.
    `__stays__`: why its rows do not move to another installation with their provider; nor do those that are swept and
    are no entity.
    """

    __entity__: ClassVar[Entity | None] = None
    __label__: ClassVar[tuple[str, ...]] = ()
    __learner_rows__: ClassVar[LearnerRows] = LearnerRows()
    __growth__: ClassVar[Growth | Sweep | None] = None
    __row_limits__: ClassVar[Mapping[str, int]] = MappingProxyType({})
    __internal__: ClassVar[bool] = False
    __part__: ClassVar[PortfolioPart | None] = None
    __seen_by__: ClassVar[frozenset[str] | None] = None
    __unread__: ClassVar[frozenset[str]] = frozenset()
    __without_provider__: ClassVar[str | None] = None
    __stays__: ClassVar[str | None] = None
    __table__: ClassVar[Table]

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__tablename__" in cls.__dict__:
            add_provider(cls.__table__)

    @classmethod
    def type_name(cls) -> str:
        """The GraphQL type of the entity, which its ids begin with. Raises TypeError for a table that is no entity."""
        if cls.__entity__ is None:
            raise TypeError(f"{cls.__name__} declares no `__entity__`, so it has no ids")
        return cls.__entity__.type_name

    @classmethod
    def rows_about(cls, subject: DataSubject) -> ColumnElement[bool] | None:
        """The condition for the rows about a learner: their `learner_id`, else their `user_id`; None without either.

        A class whose rows are found in another way overrides this.
        """
        columns = cls.__table__.columns
        if "learner_id" in columns:
            return columns["learner_id"] == subject.learner_key
        return columns["user_id"] == subject.user_key if "user_id" in columns else None
