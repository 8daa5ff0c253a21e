"""What every table is made of: the declarative base, constraint names, and column types that act alike on both databases."""

import datetime as dt
import unicodedata
from enum import Enum
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, MetaData, String, Text, TypeDecorator
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import DeclarativeBase, mapped_column

from db.models.entity import Entity


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A moment in UTC with microseconds; refuses a naive one, gives an aware one back on SQLite too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[dt.datetime]:
        """What a cursor reads its place back as."""
        return dt.datetime

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        return value.replace(tzinfo=dt.UTC) if value is not None and value.tzinfo is None else value


# SQLite numbers rows by itself only where the primary key is spelled INTEGER.
Key = BigInteger().with_variant(Integer(), "sqlite")

PrimaryKey = Annotated[int, mapped_column(Key, primary_key=True, autoincrement=True)]
Timestamp = Annotated[dt.datetime, mapped_column(UtcDateTime())]
Date = Annotated[dt.date, mapped_column()]
ShortText = Annotated[str, mapped_column(String(300))]
LongText = Annotated[str, mapped_column(Text())]
Digest = Annotated[str, mapped_column(String(64))]


def fold_name(text: str) -> str:
    """A name as it is sorted and searched: without accents and capitals, so that both databases do it alike."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))[:300]


def folded_name_column(source: str) -> Any:
    """A column that keeps the folded form of another, filled by itself when a row is added.

    Sorted by code point on both databases; an entity whose name changes sets it again (`validates`).
    """
    type_ = String(300).with_variant(String(300, collation="C"), "postgresql")
    return mapped_column(type_, default=lambda context: fold_name(context.get_current_parameters()[source]))


def reference(target: str, *, index: bool = True, nullable: bool = False, **kwargs: Any) -> Any:
    """A foreign key column; indexed unless another index of the table begins with it."""
    return mapped_column(Key, ForeignKey(target), index=index, nullable=nullable, **kwargs)


def enum_column(members: type[Enum], **kwargs: Any) -> Any:
    """A column that stores an enum member's name."""
    return mapped_column(EnumType(members, native_enum=False, length=40, create_constraint=False), **kwargs)


class Base(DeclarativeBase):
    # Set by mapped classes that are an entity of the graph.
    __entity__: ClassVar[Entity | None] = None

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )

    @classmethod
    def type_name(cls) -> str:
        """The GraphQL type of the entity, which its ids begin with. Raises TypeError for a table that is no entity."""
        if cls.__entity__ is None:
            raise TypeError(f"{cls.__name__} declares no `__entity__`, so it has no ids")
        return cls.__entity__.type_name
