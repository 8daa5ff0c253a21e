"""Light rows: one declaration gives the columns of a select and the constructor of what is read.

    @row(Action, joins=lambda statement: statement.join(User, User.id == Action.set_by_id))
    class ActionRow(LightRow):
        key: int = column(Action.id)
        title: str = column(Action.title)
        set_by: UserRow = nested(UserRow, key=Action.set_by_id)
        days_overdue: int = derived()

`ActionRow.statement(role)` selects every row that a viewer in the role sees; `ReadSession.read` runs it. Columns and
constructor cannot drift apart, and each annotation is compared with the type of its column when the module is imported.
"""

import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Self,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute

from auth import scope
from db.models.base import Base
from domain.enums import Role

if TYPE_CHECKING:
    from loaders.core.read_session import ReadSession

T = TypeVar("T", bound="LightRow")
Expression = ColumnElement[Any] | InstrumentedAttribute[Any]
Columns = Sequence[Iterable[Any]]


@dataclass(frozen=True, slots=True)
class _Column:
    """One column. `expression` may depend on the role; `convert` makes the row's value of the database's."""

    expression: Expression | Callable[[Role], Expression]
    convert: Callable[[Any], Any] | None

    width: ClassVar[int] = 1

    def expressions(self, role: Role, name: str) -> list[ColumnElement[Any]]:
        plain = isinstance(self.expression, ColumnElement | InstrumentedAttribute)
        expression: Any = self.expression if plain else self.expression(role)  # type: ignore[operator]
        return [expression.label(name)]

    def values(self, columns: Columns) -> Iterable[Any]:
        return columns[0] if self.convert is None else map(self.convert, columns[0])


@dataclass(frozen=True, slots=True)
class _Nested:
    """A row within a row. `optional`: None where its first column is NULL, as an outer join leaves it."""

    row: type["LightRow"]
    replaced: dict[str, Expression]
    optional: bool = False

    @property
    def width(self) -> int:
        return self.row.__width__

    def expressions(self, role: Role, name: str) -> list[ColumnElement[Any]]:
        return self.row.columns(role, f"{name}__", self.replaced)

    def values(self, columns: Columns) -> Iterable[Any]:
        # Mostly nothing is missing, and then no value costs a call.
        if not self.optional or (isinstance(columns[0], tuple) and None not in columns[0]):
            return self.row.build(columns)
        make: Any = self.row
        values = self.row.__values__(columns)
        return map(lambda first, *rest: None if first is None else make(first, *rest), *values)


def column(expression: Expression | Callable[[Role], Expression], convert: Callable[[Any], Any] | None = None) -> Any:
    """Declares a field that is a column: an expression, or a function of the role that gives one."""
    return _Column(expression, convert)


def nested(row: type["LightRow"], **columns: Expression) -> Any:
    """Declares a field that is another row, read by the same statement. `columns` replace those of its declaration."""
    return _Nested(row, columns)


def optional(row: type["LightRow"], **columns: Expression) -> Any:
    """As `nested`, and None where the first column is NULL."""
    return _Nested(row, columns, optional=True)


def derived() -> Any:
    """Declares a field that the row's `derive` sets, from the columns and what the operation knows."""
    return field(init=False)


class LightRow:
    """The base of every light row."""

    __slots__ = ()

    __entity_class__: ClassVar[type[Base] | None]
    __parts__: ClassVar[dict[str, _Column | _Nested]]
    __width__: ClassVar[int]
    __joins__: ClassVar[Callable[[Select[Any]], Select[Any]] | None]

    @classmethod
    def columns(
        cls, role: Role, prefix: str = "", replaced: dict[str, Expression] | None = None
    ) -> list[ColumnElement[Any]]:
        """The columns in the order of the fields, each labelled with its field's name after `prefix`."""
        found: list[ColumnElement[Any]] = []
        for name, part in cls.__parts__.items():
            if replaced and name in replaced:
                part = _Column(replaced[name], None)
            found += part.expressions(role, prefix + name)
        return found

    @classmethod
    def select(cls, role: Role, *leading: Any) -> Select[Any]:
        """The columns with their joins, without scope; `leading` columns come first."""
        # unscoped: `statement` adds the scope; others join it to what is scoped
        statement = select(*leading, *cls.columns(role)).select_from(cls.entity())
        return cls.__joins__(statement) if cls.__joins__ else statement

    @classmethod
    def statement(cls, role: Role, *leading: Any) -> Select[Any]:
        """Every row that a viewer in the role sees; `leading` columns come first."""
        return cls.select(role, *leading).where(scope.sees(role, cls.entity()))

    @classmethod
    def statement_of(cls, role: Role, *columns: Any) -> Select[Any]:
        """These columns, over every row that a viewer in the role sees, without the row's joins."""
        return select(*columns).select_from(cls.entity()).where(scope.sees(role, cls.entity()))

    @classmethod
    def build(cls, columns: Columns) -> Iterator[Self]:
        """The rows of as many columns as the declaration has, whole columns at a time."""
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
        """Sets the derived fields of rows that were just read; a row without such fields has nothing to do."""

    @classmethod
    def entity(cls) -> type[Base]:
        """The mapped class of the row's own table. Raises TypeError for a row without one."""
        if cls.__entity_class__ is None:
            raise TypeError(f"{cls.__name__} has no table of its own")
        return cls.__entity_class__


@dataclass_transform(field_specifiers=(column, nested, optional, derived))
def row(
    entity: type[Base] | None = None, *, joins: Callable[[Select[Any]], Select[Any]] | None = None, eq: bool = True
) -> Callable[[type[T]], type[T]]:
    """Makes a class a light row of an entity (None: only ever nested, or read by a statement of its own).

    `joins` adds the other tables that the columns name. Raises TypeError where an annotation does not fit its column.
    """

    def make(cls: type[T]) -> type[T]:
        parts: dict[str, _Column | _Nested] = {}
        for name in cls.__annotations__:
            declared = cls.__dict__.get(name, MISSING)
            if isinstance(declared, _Column | _Nested):
                parts[name] = declared
                delattr(cls, name)
        made: Any = dataclass(slots=True, eq=eq)(cls)
        made.__parts__, made.__entity_class__, made.__joins__ = parts, entity, joins and staticmethod(joins)
        made.__width__ = sum(part.width for part in parts.values())
        _check(made)
        return made

    return make


def _check(cls: Any) -> None:
    """Compares the constructor's parameters with the columns, and each annotation with the type of its column."""
    wanted = [each.name for each in fields(cls) if each.init]
    if wanted != list(cls.__parts__):
        raise TypeError(f"{cls.__name__}: the fields {wanted} are not the columns {list(cls.__parts__)}")
    hints = get_type_hints(cls)
    for name, part in cls.__parts__.items():
        annotated = hints[name]
        allows_none = type(None) in get_args(annotated)
        if isinstance(part, _Nested):
            if part.optional != allows_none:
                raise TypeError(f"{cls.__name__}.{name}: optional() and `| None` go together")
        elif part.convert is None and isinstance(part.expression, InstrumentedAttribute):
            _check_column(f"{cls.__name__}.{name}", annotated, part.expression, allows_none)


def _check_column(name: str, annotated: Any, attribute: InstrumentedAttribute[Any], allows_none: bool) -> None:
    kinds = get_args(annotated) if get_origin(annotated) in (types.UnionType,) else (annotated,)
    kind = next(each for each in kinds if each is not type(None))
    stored = attribute.type.enum_class if getattr(attribute.type, "enum_class", None) else attribute.type.python_type
    if kind is not stored and not (isinstance(kind, type) and issubclass(kind, Enum) and kind is stored):
        raise TypeError(f"{name} is a {kind}, but its column holds a {stored}")
    if attribute.property.columns[0].nullable and not allows_none:
        raise TypeError(f"{name}: the column may be NULL, so the field must allow None")
