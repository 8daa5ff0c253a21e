"""A select compiled once: its SQL with every constant spelled out, how its parameters are bound, and what its rows become."""

import json
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import JSON, BindParameter, Boolean, Enum, Float, Integer, Numeric, Select, String
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql.selectable import CompoundSelect

from db.models.base import UtcDateTime
from db.sql.any_of import KeyList

_Convert = Callable[[Any], Any]
_CONSTANTS = (Integer, String, Enum, Boolean)
_NOT_GIVEN = object()
# PostgreSQL plans for ten where it does not know how many there will be.
_EXPECTED_KEYS = 12


class CompiledSelect:
    """How one select runs on one kind of database.

    `sql` is what the driver takes. Rows are tuples whose columns have names, as SQLAlchemy's rows have.
    """

    def __init__(self, statement: Select[Any] | CompoundSelect[Any], dialect: Dialect) -> None:
        compiler = _compiler(dialect)
        compiled = compiler(dialect, statement, compile_kwargs={"render_postcompile": True})
        self.sql: str = compiled.string
        self._binds = [_bind(compiled.binds[name], dialect) for name in compiled.positiontup or ()]
        columns = [(column.keyname, column.type) for column in compiled._result_columns]
        self._make = partial(tuple.__new__, _row_class([name for name, _ in columns]))
        self._convert = [
            (place, convert) for place, (_, type_) in enumerate(columns) if (convert := _result(type_, dialect))
        ]

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """What is bound, in the order of the SQL. InvalidRequestError where a parameter is missing."""
        bound = []
        for name, default, convert in self._binds:
            value = parameters.get(name, default)
            if value is _NOT_GIVEN:
                raise InvalidRequestError(f"A value is required for bind parameter {name!r}")
            bound.append(value if convert is None else convert(value))
        return bound

    def rows(self, records: Sequence[Iterable[Any]]) -> list[Any]:
        """The driver's records as named tuples, with Python's types in them."""
        if not self._convert or not records:
            return list(map(self._make, records))
        return list(map(self._make, zip(*self.columns(records), strict=True)))

    def columns(self, records: Sequence[Iterable[Any]]) -> list[Iterable[Any]]:
        """The driver's records as whole columns, with Python's types in them; no column where there is no record.

        A value that has to be converted costs one call, any other nothing in Python.
        """
        columns: list[Iterable[Any]] = list(zip(*records, strict=True))
        if columns:
            for place, convert in self._convert:
                columns[place] = map(convert, columns[place])
        return columns


class CompiledSelectCache:
    """Plans of statements, each kept for as long as its statement: what is built once is compiled once."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: WeakKeyDictionary[Any, CompiledSelect] = WeakKeyDictionary()
        self.hits = 0
        self.misses = 0

    def plan(self, statement: Select[Any] | CompoundSelect[Any]) -> CompiledSelect:
        """The plan of a statement, made if need be."""
        plan = self._known.get(statement)
        if plan is None:
            self.misses += 1
            plan = self._known[statement] = CompiledSelect(statement, self._dialect)
        else:
            self.hits += 1
        return plan


def _compiler(dialect: Dialect) -> Any:
    """The dialect's compiler, which writes constants into the SQL.

    A constant then costs nothing when the statement runs, and PostgreSQL, which keeps one plan for all values of the
    parameters, still knows that it is `PLANNED` sessions that are looked for.
    """
    base: Any = dialect.statement_compiler
    casts = dialect.name == "postgresql"

    class Compiler(base):
        def visit_bindparam(self, bindparam: BindParameter[Any], literal_binds: bool = False, **options: Any) -> str:
            if literal_binds or not _is_constant(bindparam):
                return super().visit_bindparam(bindparam, literal_binds=literal_binds, **options)
            written = super().visit_bindparam(bindparam, literal_binds=True, **options)
            if casts and isinstance(bindparam.type, Integer) and not bindparam.expanding:
                # As wide as it was meant: 2000 times an integer overflows where 2000::bigint does not.
                return f"({written})::{dialect.type_compiler_instance.process(bindparam.type)}"
            return written

    return Compiler


def _is_constant(bind: BindParameter[Any]) -> bool:
    """Whether its value stands in the statement, under a name that nobody knows to give another."""
    return bind.unique and not bind.required and bind.value is not None and isinstance(bind.type, _CONSTANTS)


def _bind(bind: BindParameter[Any], dialect: Dialect) -> tuple[str, Any, _Convert | None]:
    """A parameter's name, its value where none is given, and what it goes through on its way."""
    default = _NOT_GIVEN if bind.required else bind.effective_value
    if isinstance(bind.type, KeyList) and dialect.name == "postgresql":
        return bind.key, default, _keys
    return bind.key, default, bind.type.dialect_impl(dialect).bind_processor(dialect)


def _keys(keys: Sequence[int] | None) -> Sequence[int] | None:
    """Keys for PostgreSQL, which takes integers as they are; SQLAlchemy would go through them one by one.

    A few are repeated until they are many: for a list that is shorter than it expects PostgreSQL plans anew each time,
    which takes longer than the read. Which keys are named twice makes no difference to what is found.
    """
    if keys is None or not 0 < len(keys) < _EXPECTED_KEYS:
        return keys
    return [*keys, *[keys[-1]] * (_EXPECTED_KEYS - len(keys))]


def _result(type_: Any, dialect: Dialect) -> _Convert | None:
    """What a column's values go through, None where the driver gives them as they are wanted."""
    if isinstance(type_, Enum) and type_.enum_class is not None:
        members: dict[str | None, Any] = {None: None} | {member.name: member for member in type_.enum_class}
        return members.__getitem__
    if dialect.name == "postgresql":
        if isinstance(type_, UtcDateTime):
            return None
        if isinstance(type_, JSON):
            return _json
        if isinstance(type_, Float | Numeric):
            # The driver says Decimal or float by the column, and most say so already.
            return None if type_.asdecimal else _float
    return type_.dialect_impl(dialect).result_processor(dialect, None)


def _json(text: str | None) -> Any:
    # As the driver gives it: the codec that would read it belongs to SQLAlchemy's own connections.
    return None if text is None else json.loads(text)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _row_class(names: list[str]) -> type[tuple[Any, ...]]:
    named: Any = namedtuple("Row", names, rename=True)
    return type("Row", (named,), {"__slots__": (), "_mapping": property(lambda row: row._asdict())})
