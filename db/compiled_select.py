"""Statements that are compiled once: SQL with constants, and the converters of its parameters and rows."""

import datetime as dt
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum as EnumBase
from functools import cache, partial
from operator import itemgetter
from typing import Any, ClassVar, cast
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import JSON, BindParameter, Boolean, Delete, Enum, Float, Insert, Integer, Numeric, Select, Update
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.selectable import CompoundSelect

from db.cached_statement import CachedStatement
from db.compiling import Compilations
from db.models.base import UtcDateTime
from db.sql.any_of import KeyList

AnySelect = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]
# What `Database.rows` and `Database.columns` read.
Readable = AnySelect | CachedStatement[Any]
AnyStatement = Readable | Delete | Insert | Update | ReturningInsert[*tuple[Any, ...]]

_Converter = Callable[[Any], Any]
# No text: it may be a person's words, and the SQL of a statement is part of traces.
_CONSTANT_TYPES = (Integer, Enum, Boolean)
# More than the ten elements for which PostgreSQL plans if it does not know the length of an array.
_MIN_KEYS = 12


class CompiledSelect:
    """One statement, compiled for one kind of database.

    `sql` is in the driver's form. Rows are named tuples, as SQLAlchemy's are. `decoded`: the driver's connection is
    SQLAlchemy's, which decodes JSON itself. An insert names the values of all columns, also of those with a default.
    """

    def __init__(self, statement: AnyStatement, dialect: Dialect, decoded: bool = False) -> None:
        compiler = _compiler(dialect)
        if isinstance(statement, CachedStatement):
            statement = statement.build()
        compiled = compiler(dialect, statement, compile_kwargs={"render_postcompile": True})
        self.sql: str = compiled.string
        names = compiled.positiontup or ()
        if not compiled.binds.keys() >= set(names):
            raise InvalidRequestError("A statement with `in_` of texts has another form for each list of them.")
        self._names, defaults, converters = _parameters([compiled.binds[name] for name in names], dialect)
        self._defaults = defaults
        self._values = _values_getter(self._names)
        self._argument_converters = converters
        columns = [(column.keyname, column.type) for column in compiled._result_columns]
        self._make_row = partial(tuple.__new__, _row_class([name for name, _ in columns]))
        self._converters = [
            (index, convert)
            for index, (_, type_) in enumerate(columns)
            if not (decoded and isinstance(type_, JSON)) and (convert := _result_converter(type_, dialect))
        ]

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Returns the values for the driver, in the order of the SQL. Raises InvalidRequestError if one is missing."""
        try:
            values = list(self._values({**self._defaults, **parameters} if self._defaults else parameters))
        except KeyError:
            missing = next(name for name in self._names if name not in {**self._defaults, **parameters})
            raise InvalidRequestError(f"A value is required for bind parameter {missing!r}") from None
        for index, convert in self._argument_converters:
            values[index] = convert(values[index])
        return values

    def rows(self, records: Sequence[Iterable[Any]]) -> list[Any]:
        """Returns the driver's records as named tuples with Python's types."""
        if not self._converters or not records:
            return list(map(self._make_row, records))
        return list(map(self._make_row, zip(*self.columns(records), strict=True)))

    def columns(self, records: Sequence[Iterable[Any]]) -> list[Iterable[Any]]:
        """Returns the driver's records as columns with Python's types; an empty list if there is no record.

        Only values that need a conversion cost a call in Python.
        """
        columns: list[Iterable[Any]] = list(zip(*records, strict=True))
        if columns:
            for index, convert in self._converters:
                columns[index] = map(convert, columns[index])
        return columns


class CompiledSelectCache:
    """The compiled form of each statement, kept as long as the statement itself exists."""

    # By the names of a dialect and its driver, and whether JSON is decoded: what is compiled holds nothing of a server
    # or a connection.
    _of_process: ClassVar[dict[tuple[str, str, bool], "CompiledSelectCache"]] = {}

    @classmethod
    def of_process(cls, dialect: Dialect, decoded: bool = False) -> "CompiledSelectCache":
        """Returns the one cache of this process for a kind of database. `decoded`: for SQLAlchemy's connections."""
        return cls._of_process.setdefault((dialect.name, dialect.driver, decoded), cls(dialect, decoded))

    def __init__(self, dialect: Dialect, decoded: bool = False) -> None:
        self._dialect = dialect
        self._decoded = decoded
        # Those of statements that are not cached, which have theirs themselves.
        self._compiled: WeakKeyDictionary[Any, CompiledSelect] = WeakKeyDictionary()
        self._compilations = Compilations[CompiledSelect]()
        self.hits = 0
        self.misses = 0

    def find(self, statement: AnyStatement) -> CompiledSelect | None:
        """Returns the compiled form of a statement; None the first time, when `compile` makes it."""
        compiled: CompiledSelect | None
        if isinstance(statement, CachedStatement):
            # A dictionary of weak references calls four functions more.
            compiled = statement.compiled.get(self)
        else:
            compiled = self._compiled.get(statement)
        if compiled is not None:
            self.hits += 1
        return compiled

    async def compile(self, statement: AnyStatement) -> CompiledSelect:
        """Returns the compiled form of a statement that was not found; compiles it outside the event loop's thread."""
        return await self._compilations.compile(statement, partial(self._compile, statement))

    def _compile(self, statement: AnyStatement) -> CompiledSelect:
        self.misses += 1
        compiled = CompiledSelect(statement, self._dialect, self._decoded)
        if isinstance(statement, CachedStatement):
            statement.compiled[self] = compiled
        else:
            self._compiled[statement] = compiled
        return compiled


@cache
def _compiler(dialect: Dialect) -> Any:
    """Returns the dialect's compiler, changed to write constants into the SQL.

    A constant then costs nothing when the statement runs, and the generic plan of a prepared statement in PostgreSQL
    can use its value (that the sessions are `PLANNED`, say).
    """
    # Of the class: that of an engine's dialect compiles in a thread, where this one is called already.
    base: Any = type(dialect).statement_compiler
    is_postgresql = dialect.name == "postgresql"

    class Compiler(base):
        def visit_bindparam(self, bindparam: BindParameter[Any], literal_binds: bool = False, **options: Any) -> str:
            if literal_binds or not _is_constant(bindparam):
                return super().visit_bindparam(bindparam, literal_binds=literal_binds, **options)
            literal = super().visit_bindparam(bindparam, literal_binds=True, **options)
            if is_postgresql and isinstance(bindparam.type, Integer) and not bindparam.expanding:
                # Keeps the type of the constant: 2000 times an integer can overflow, 2000::bigint cannot.
                return f"({literal})::{dialect.type_compiler_instance.process(bindparam.type)}"
            return literal

    return Compiler


def _is_constant(bind: BindParameter[Any]) -> bool:
    """Returns whether the value is fixed: it has an anonymous name, so no caller can pass another value."""
    return bind.unique and not bind.required and bind.value is not None and isinstance(bind.type, _CONSTANT_TYPES)


def _parameters(
    binds: Sequence[BindParameter[Any]], dialect: Dialect
) -> tuple[tuple[str, ...], dict[str, Any], list[tuple[int, _Converter]]]:
    """Returns the names of the parameters, the values of those that have one, and the converters by place."""
    defaults = {bind.key: bind.effective_value for bind in binds if not bind.required}
    converters = [(index, convert) for index, bind in enumerate(binds) if (convert := _to_driver(bind.type, dialect))]
    return tuple(bind.key for bind in binds), defaults, converters


def _values_getter(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Iterable[Any]]:
    """Returns the function that takes the values of these names out of a mapping. It raises KeyError."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda parameters: [parameters[name] for name in names]


def _to_driver(type_: Any, dialect: Dialect) -> _Converter | None:
    """Returns the converter of a parameter's values; None if the driver takes them as they are."""
    if isinstance(type_, KeyList) and dialect.name == "postgresql":
        return _pad_keys
    convert = type_.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return None
    if isinstance(type_, Enum) and type_.enum_class is not None and type_.values_callable is None:
        return partial(_enum_name, type_.enum_class, convert)
    if isinstance(type_, UtcDateTime) and dialect.name == "postgresql":
        return partial(_utc, convert)
    return cast("_Converter", convert)


# The values that are sent most need none of SQLAlchemy's own converter.
def _enum_name(members: type[EnumBase], convert: _Converter, value: Any) -> Any:
    return value._name_ if isinstance(value, members) else convert(value)


def _utc(convert: _Converter, value: Any) -> Any:
    return value if value is None or (value.__class__ is dt.datetime and value.tzinfo is dt.UTC) else convert(value)


def _pad_keys(keys: Sequence[int] | None) -> Sequence[int] | None:
    """Returns the keys for PostgreSQL, the last one repeated if there are few; the result of `= ANY` is the same.

    For an array that is shorter than it expects, PostgreSQL prefers a new plan each time, which takes longer than the
    read itself. Integers need no conversion: SQLAlchemy's own converter would visit each of them.
    """
    if keys is None or not 0 < len(keys) < _MIN_KEYS:
        return keys
    return [*keys, *[keys[-1]] * (_MIN_KEYS - len(keys))]


def _result_converter(type_: Any, dialect: Dialect) -> _Converter | None:
    """Returns the converter of a column's values; None if the driver's values need no conversion."""
    if isinstance(type_, Enum) and type_.enum_class is not None:
        members: dict[str | None, Any] = {None: None} | {member.name: member for member in type_.enum_class}
        return members.__getitem__
    if dialect.name == "postgresql":
        if isinstance(type_, UtcDateTime):
            return None
        if isinstance(type_, JSON):
            return _from_json
        if isinstance(type_, Float | Numeric):
            # The driver returns Decimal for numeric columns.
            return None if type_.asdecimal else _to_float
    return type_.dialect_impl(dialect).result_processor(dialect, None)


def _from_json(text: str | None) -> Any:
    # Text, because the JSON codec is set on SQLAlchemy's own connections only.
    return None if text is None else orjson.loads(text)


def _to_float(value: Any) -> float | None:
    return None if value is None else float(value)


def _row_class(names: list[str]) -> type[tuple[Any, ...]]:
    named: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # the names are known at run time only
    return type("Row", (named,), {"__slots__": (), "_mapping": property(lambda row: row._asdict())})
