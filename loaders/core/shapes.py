"""Shapes of light rows: the columns that the fields of an operation need, and no others.

The compiled executor says which attributes the selected fields read of each row class (`RowReads`). `shape_of` returns
the columns that these attributes need, `Shape.cut` the statement with these columns only, and `Shape.build` the rows.
An attribute that was not read is missing in them: reading it raises AttributeError, after which the executor runs the
operation again with whole rows.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy import Select

from db.cached_statement import CachedStatement
from db.compiled_select import AnySelect, Readable
from db.compiling import Compilations
from db.sql.used_joins import with_columns
from loaders.core.rows import Columns, LightRow, NestedPart

# The limit of shapes of a class. A further selection gets the smallest shape that contains it, or else whole rows.
MAX_SHAPES = 32

_SHAPES: dict[type[LightRow], dict[tuple[int, ...], "Shape"]] = {}
# The cut forms of a statement, by the number of its leading columns and the positions of the others.
Cuts = dict[tuple[int, tuple[int, ...]], Select | None]
_CUTS: WeakKeyDictionary[Readable, Cuts] = WeakKeyDictionary()
_cutting = Compilations[Select | None]()


class RowReads(Protocol):
    """What an operation reads: attributes by row class. A class without an entry is read whole."""

    @property
    def attributes(self) -> Mapping[type, Collection[str]]: ...
    @property
    def memo(self) -> dict[Any, Any]: ...
    def widen(self, error: BaseException | None) -> bool: ...


@dataclass(frozen=True, slots=True)
class Shape:
    """Some columns of a light row, by their positions among all of them.

    `parts` are the fields with the shape of each nested row, None for a column or a whole row. `derives`: the derived
    fields are needed too.
    """

    row: type[LightRow]
    positions: tuple[int, ...]
    parts: Mapping[str, "Shape | None"]
    derives: bool
    _make: Callable[..., Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_make", _constructor(self.row, list(self.parts)))

    def cut(self, statement: AnySelect, leading: int) -> Select | None:
        """Returns the statement with these columns after the leading ones, and the joins that it needs for them.

        None for one that cannot be cut.
        """
        if not isinstance(statement, Select) or statement._distinct:
            return None
        columns = list(statement.inner_columns)
        if len(columns) != leading + self.row.__width__:
            return None
        return with_columns(statement, columns[:leading] + [columns[leading + position] for position in self.positions])

    def build(self, columns: Columns) -> Iterator[Any]:
        """Builds the rows from these columns."""
        return map(self._make, *self._values(columns))

    def _values(self, columns: Columns) -> list[Iterable[Any]]:
        values, start = [], 0
        for name, shape in self.parts.items():
            part = self.row.__parts__[name]
            width = part.width if shape is None else len(shape.positions)
            own = columns[start : start + width]
            values.append(part.values(own) if shape is None else shape._nested(own, part.optional))
            start += width
        return values

    def _nested(self, columns: Columns, optional: bool) -> Iterable[Any]:
        if not optional or (isinstance(columns[0], tuple) and None not in columns[0]):
            return self.build(columns)
        make = self._make
        return (None if values[0] is None else make(*values) for values in zip(*self._values(columns), strict=True))


def cuts_of(statement: Readable) -> Cuts:
    """Returns the cut forms of a statement that are known: what `Shape.cut` returned."""
    return _CUTS.setdefault(statement, {})


async def cut_in_thread(shape: Shape, statement: Readable, leading: int) -> Select | None:
    """Returns what `Shape.cut` returns, from the thread that compiles, where the statement is built if need be."""

    def cut() -> Select | None:
        return shape.cut(statement.build() if isinstance(statement, CachedStatement) else statement, leading)

    return await _cutting.compile((statement, shape.positions, leading), cut)


def shape_of(row: type[LightRow], own: Iterable[str], reads: RowReads) -> Shape | None:
    """Returns the shape that an operation needs of a row; None for the whole row. `own` are further attributes."""
    key = (row, tuple(own))
    if key not in reads.memo:
        reads.memo[key] = _shape(row, own, reads.attributes)
    return reads.memo[key]


def _shape(row: type[LightRow], own: Iterable[str], attributes: Mapping[type, Collection[str]]) -> Shape | None:
    parts, derives = dict.fromkeys(row.__parts__, False), True
    if row in attributes:
        needed, whole, derives = _needed(row, [*own, *attributes[row]])
        parts = {name: name in whole for name in row.__parts__ if name in needed}
    shapes = {
        name: None if read_whole or not isinstance(part := row.__parts__[name], NestedPart)
        else _shape(part.row, (), attributes)
        for name, read_whole in parts.items()
    }  # fmt: skip
    positions, start = [], 0
    for name, part in row.__parts__.items():
        if name in shapes:
            shape = shapes[name]
            positions += [start + each for each in (range(part.width) if shape is None else shape.positions)]
        start += part.width
    if len(positions) == row.__width__:
        return None
    return _kept(Shape(row, tuple(positions), shapes, derives))


def _kept(shape: Shape) -> Shape | None:
    """Returns the shape itself while there are few of its row, or the smallest kept one that contains it."""
    kept = _SHAPES.setdefault(shape.row, {})
    key = (*shape.positions, shape.derives)
    if key in kept or len(kept) < MAX_SHAPES:
        return kept.setdefault(key, shape)
    wider = [
        each for each in kept.values()
        if set(each.positions) >= set(shape.positions) and each.derives >= shape.derives
    ]  # fmt: skip
    return min(wider, key=lambda each: len(each.positions), default=None)


def _needed(row: type[LightRow], attributes: Iterable[str]) -> tuple[set[str], set[str], bool]:
    """Returns the fields that attributes of a row need, which of them as whole nested rows, and whether it derives."""
    # The first column shows whether an optional row is there; loaders find rows by their key.
    needed, whole, derives = {next(iter(row.__parts__)), *({"key"} & row.__parts__.keys())}, set(), False
    seen: set[str] = set()
    waiting = list(attributes)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        member = row.__dict__.get(name)
        if name in row.__parts__:
            needed.add(name)
        elif paths := getattr(member, "reads", None):
            for first, _, rest in (path.partition(".") for path in paths):
                waiting.append(first)
                if rest:
                    whole.add(first)
        elif isinstance(member, property):
            waiting += row.__parts__
        elif name in row.__slots__:
            derives = True
            waiting += row.__derived_from__
    return needed, whole, derives


def _constructor(row: type[LightRow], names: Sequence[str]) -> Callable[..., Any]:
    """Returns a function that makes a row of these fields only."""
    lines = [f"def make({', '.join(names)}):", " row = new(cls)", *(f" row.{name} = {name}" for name in names)]
    namespace: dict[str, Any] = {"new": object.__new__, "cls": row}
    exec("\n".join([*lines, " return row"]), namespace)
    return namespace["make"]
