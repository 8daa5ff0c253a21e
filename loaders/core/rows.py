"""Light rows: one declaration gives the columns of a select and the constructor of its rows.

    @row(Action, joins=lambda statement: statement.join(User, User.id == Action.set_by_id))
    class ActionRow(LightRow):
        key: int = column(Action.id)
        title: str = column(Action.title)
        set_by: UserRow = nested(UserRow, key=Action.set_by_id)
        days_overdue: int = derived("target_date")

`ActionRow.statement(role)` selects all rows that a viewer in the role sees; `ReadSession.read` runs it. When the module
is imported, the fields are compared with the constructor, and each annotation with the type of its column.

Columns that come from a statement's subqueries are declared with `column()`; `select` and `columns` take their
expressions by name.
"""

import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    Self,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from sqlalchemy import ColumnElement, Select, case, false, select
from sqlalchemy.orm import InstrumentedAttribute

from auth import scope
from db.models.base import Base
from domain.enums import Role

if TYPE_CHECKING:
    from loaders.core.read_session import ReadSession

T = TypeVar("T", bound="LightRow")
Expression = ColumnElement[Any] | InstrumentedAttribute[Any]
# Attributes of rows, by the class of the row.
Attributes = Mapping[type, Collection[str]]
_READS = "reads"
# What the driver read, column by column: each has one value for each row.
Columns = Sequence[Iterable[Any]]


@dataclass(frozen=True, slots=True)
class _Column:
    """One column. `expression` may depend on the role, or come with the statement (None).

    `convert` makes the field's value from that of the database.
    """

    expression: Expression | Callable[[Role], Expression] | None
    convert: Callable[[Any], Any] | None = None

    width: ClassVar[int] = 1
    optional: ClassVar[bool] = False

    def expressions(self, role: Role, name: str) -> list[ColumnElement[Any]]:
        if self.expression is None:
            raise TypeError(f"{name}: the statement must give the expression of this column")
        if isinstance(self.expression, ColumnElement | InstrumentedAttribute):
            return [self.expression.label(name)]
        return [self.expression(role).label(name)]

    def values(self, columns: Columns) -> Iterable[Any]:
        return columns[0] if self.convert is None else map(self.convert, columns[0])


@dataclass(frozen=True, slots=True)
class NestedPart:
    """A row within a row. `optional`: None if its first column is NULL, as after an outer join without a match."""

    row: type["LightRow"]
    replaced: Mapping[str, Expression]
    optional: bool = False

    @property
    def width(self) -> int:
        return self.row.__width__

    def expressions(self, role: Role, name: str) -> list[ColumnElement[Any]]:
        return self.row.columns(role, f"{name}__", **self.replaced)

    def values(self, columns: Columns) -> Iterable[Any]:
        # Usually no row is missing, and then building costs no call in Python.
        if not self.optional or (isinstance(columns[0], tuple) and None not in columns[0]):
            return self.row.build(columns)
        row: Any = self.row
        return (None if values[0] is None else row(*values) for values in zip(*row.__values__(columns), strict=True))


def column(
    expression: Expression | Callable[[Role], Expression] | None = None,
    convert: Callable[[Any], Any] | None = None,
) -> Any:
    """Declares a field that is a column: an expression, or a function of the role that returns one.

    Without either, the statement gives the expression by name (`select`, `columns`).
    """
    return _Column(expression, convert)


def shown_if(shown: bool, column: Expression) -> Expression:
    """Returns the column where the role may see it, else NULL of its type."""
    return column if shown else case((false(), column))


def nested(row: type["LightRow"], **columns: Expression) -> Any:
    """Declares a field that is another row of the same statement. `columns` replace columns that the row declares."""
    return NestedPart(row, columns)


def optional(row: type["LightRow"], **columns: Expression) -> Any:
    """As `nested`, but None if the first column is NULL."""
    return NestedPart(row, columns, optional=True)


def derived(*reads: str, init: Literal[False] = False) -> Any:
    """Declares a field that the row's `derive` sets after the read, from the attributes of the row that it `reads`.

    `init` says to type checkers: no parameter. Raises TypeError where nothing is named.
    """
    if not reads:
        raise TypeError("derived(...) names the attributes that the field is derived from")
    return field(init=init, metadata={_READS: reads})


class LightRow:
    """The base of every light row."""

    __slots__ = ()

    __entity_class__: ClassVar[type[Base] | None]
    __parts__: ClassVar[dict[str, _Column | NestedPart]]
    __width__: ClassVar[int]
    # What `derive` reads of a row.
    __derived_from__: ClassVar[frozenset[str]]
    __joins__: ClassVar[Callable[[Select], Select] | None]

    @classmethod
    def columns(cls, role: Role, prefix: str = "", /, **expressions: Expression) -> list[ColumnElement[Any]]:
        """Returns the columns in the order of the fields, labelled with the names of the fields after `prefix`.

        `expressions` are those of fields declared without one, or replace the declared ones. Raises TypeError if one is
        missing or belongs to no field.
        """
        if unknown := expressions.keys() - cls.__parts__.keys():
            raise TypeError(f"{cls.__name__} has no field {sorted(unknown)}")
        found: list[ColumnElement[Any]] = []
        for name, part in cls.__parts__.items():
            if name in expressions:
                part = _Column(expressions[name])
            found += part.expressions(role, prefix + name)
        return found

    @classmethod
    def select(cls, role: Role, /, *leading: Any, **expressions: Expression) -> Select:
        """Selects the columns with their joins, without scope. `leading` columns come first; `expressions` as above."""
        # unscoped: `statement` adds the scope; other callers add their own
        statement = select(*leading, *cls.columns(role, **expressions)).select_from(cls.entity())
        return cls.__joins__(statement) if cls.__joins__ else statement

    @classmethod
    def statement(cls, role: Role, *leading: Any, one: bool = False) -> Select:
        """Selects all rows that a viewer in the role sees. `leading` columns come first; `one` as in `scope.sees`."""
        return cls.select(role, *leading).where(scope.sees(role, cls.entity(), one))

    @classmethod
    def statement_of(cls, role: Role, *columns: Any) -> Select:
        """Selects these columns of all rows that a viewer in the role sees, without the row's joins."""
        return select(*columns).select_from(cls.entity()).where(scope.sees(role, cls.entity()))

    @classmethod
    def build(cls, columns: Columns) -> Iterator[Self]:
        """Builds the rows from their columns, in the order of the declaration."""
        return map(cls, *cls.__values__(columns))

    @classmethod
    def __values__(cls, columns: Columns) -> list[Iterable[Any]]:
        values, start = [], 0
        for part in cls.__parts__.values():
            values.append(part.values(columns[start : start + part.width]))
            start += part.width
        return values

    @classmethod
    def derive(cls, rows: Sequence[Any], reading: "ReadSession") -> None:
        """Sets the derived fields of rows that were just read. The default does nothing."""

    @classmethod
    def entity(cls) -> type[Base]:
        """Returns the mapped class of the row's table. Raises TypeError for a row without a table."""
        if cls.__entity_class__ is None:
            raise TypeError(f"{cls.__name__} has no table of its own")
        return cls.__entity_class__


@dataclass_transform(field_specifiers=(column, nested, optional, derived))
def row(
    entity: type[Base] | None = None, *, joins: Callable[[Select], Select] | None = None, eq: bool = True
) -> Callable[[type[T]], type[T]]:
    """Makes a class a light row of an entity; without one, its statements name their tables themselves.

    `joins` adds the other tables whose columns the row has. Raises TypeError if an annotation does not fit its column.
    """

    def decorate(cls: type[T]) -> type[T]:
        parts: dict[str, _Column | NestedPart] = {}
        for name in cls.__annotations__:
            declared = cls.__dict__.get(name, MISSING)
            if isinstance(declared, _Column | NestedPart):
                parts[name] = declared
                delattr(cls, name)
        row_class: Any = dataclass(slots=True, eq=eq)(cls)
        row_class.__parts__, row_class.__entity_class__ = parts, entity
        row_class.__derived_from__ = frozenset(
            name for each in fields(row_class) for name in each.metadata.get(_READS, ())
        )
        row_class.__joins__ = joins and staticmethod(joins)
        row_class.__width__ = sum(part.width for part in parts.values())
        _check(row_class)
        return row_class

    return decorate


def _check(cls: Any) -> None:
    """Compares the constructor's parameters with the columns, and each annotation with the type of its column."""
    parameters = [each.name for each in fields(cls) if each.init]
    if parameters != list(cls.__parts__):
        raise TypeError(f"{cls.__name__}: the parameters {parameters} are not the columns {list(cls.__parts__)}")
    hints = get_type_hints(cls)
    for name, part in cls.__parts__.items():
        annotated = hints[name]
        allows_none = type(None) in get_args(annotated)
        if isinstance(part, NestedPart):
            if part.optional != allows_none:
                raise TypeError(f"{cls.__name__}.{name}: optional() needs `| None`, nested() does not allow it")
            if part.row.derive.__func__ is not LightRow.derive.__func__:  # type: ignore[attr-defined]  # class methods
                raise TypeError(f"{cls.__name__}.{name}: derived fields of a nested row would not be set")
        elif part.convert is None and isinstance(part.expression, InstrumentedAttribute):
            _check_column(f"{cls.__name__}.{name}", annotated, part.expression, allows_none)


def _check_column(name: str, annotated: Any, attribute: InstrumentedAttribute[Any], allows_none: bool) -> None:
    alternatives = get_args(annotated) if get_origin(annotated) is types.UnionType else (annotated,)
    field_type = next(each for each in alternatives if each is not type(None))
    column_type = getattr(attribute.type, "enum_class", None) or attribute.type.python_type
    if field_type is not column_type:
        raise TypeError(f"{name} is annotated as {field_type}, but its column has {column_type}")
    if attribute.property.columns[0].nullable and not allows_none:
        raise TypeError(f"{name}: the column may be NULL, so the field must allow None")
