"""The kinds of loader that the modules of `loaders/` derive from.

| class | key | value |
|---|---|---|
| `OneLoader` | any | one object, or None |
| `ManyLoader` | any | a list |
| `CountLoader` | the key of a parent | a number |
| `EntityLoader` | the key of an entity | its light row, or None |
| `RelatedLoader` | the key of a parent | the light rows that belong to it |
"""

from abc import abstractmethod
from collections.abc import Hashable
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Select, bindparam
from sqlalchemy.orm import InstrumentedAttribute

from auth import scope
from db.cached_statement import cached_statement
from db.models.base import Base, Key
from db.sql.any_of import any_of
from domain.enums import Role
from loaders.core.dataloader import BaseLoader
from loaders.core.registry import Loaders, register_node
from loaders.core.rows import LightRow

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
R = TypeVar("R", bound=LightRow)


class OneLoader(BaseLoader[K, V | None], Generic[K, V]):
    """Loads one value for each key; None if there is none that the viewer sees.

    `keys_of` names what the keys belong to: a table, or a GraphQL type in lower case that has no table of its own. Such
    a type belongs to a learner's aim and has pairs of keys; `class UnitLoader(..., node="Unit")` makes a loader the one
    that `node` uses for it.
    """

    keys_of: ClassVar[str]
    takes_pairs: ClassVar[bool] = False

    def __init_subclass__(cls, node: str | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        if node is not None:
            cls.takes_pairs = True
            register_node(node, cls)

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self.reading = loaders.reading

    async def read(self, keys: list[K]) -> list[V | None]:
        found = await self.fetch(keys)
        return [found.get(key) for key in keys]

    @abstractmethod
    async def fetch(self, keys: list[K]) -> dict[K, V]:
        """Reads the values by key, in one statement; keys without a value may be missing."""


class ManyLoader(BaseLoader[K, list[V]], Generic[K, V]):
    """Loads a list for each key; empty if there is nothing that the viewer sees. `keys_of` as in `OneLoader`."""

    keys_of: ClassVar[str]

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self.reading = loaders.reading

    async def read(self, keys: list[K]) -> list[list[V]]:
        found = await self.fetch(keys)
        return [found.get(key, []) for key in keys]

    @abstractmethod
    async def fetch(self, keys: list[K]) -> dict[K, list[V]]:
        """Reads the lists by key, in their order, in one statement; keys with an empty list may be missing."""


class CountLoader(OneLoader[int, int]):
    """Loads a number for the key of each parent; 0 if the statement has no row for it."""

    @classmethod
    @abstractmethod
    def statement(cls, role: Role) -> Select:
        """Builds the scoped select of `parent_key` and `count` for the parents among the bound `keys`."""

    async def fetch(self, keys: list[int]) -> dict[int, int]:
        rows = await self.reading.rows(_cached_count(type(self), self.reading.viewer.role), keys=keys)
        return dict.fromkeys(keys, 0) | {row.parent_key: row.count for row in rows}


class EntityLoader(OneLoader[int, R], Generic[R]):
    """Loads the light rows of an entity by key, if the viewer sees them. `node` uses it too.

    A subclass names the row: `row = ActionRow`.
    """

    row: ClassVar[type[LightRow]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.keys_of = cls.row.entity().__tablename__
        register_node(cls.row.entity().type_name(), cls)

    async def fetch(self, keys: list[int]) -> dict[int, R]:
        reading, role = self.reading, self.reading.viewer.role
        rows: list[Any]
        if len(keys) == 1:
            rows = await reading.read(self.row, _by_one_key(self.row, role), (), key=keys[0])
        else:
            rows = await reading.read(self.row, _by_key(self.row, role), (), keys=keys)
        return {row.key: row for row in rows}


class RelatedLoader(ManyLoader[int, R], Generic[R]):
    """Loads the light rows that belong to a parent, by the parent's key. A subclass names row, column and order:

        row, parent, order = ActionRow, Action.session_id, (Action.target_date, Action.id)

    `seen_through` is the entity whose scope applies, if it is not that of the row. A subclass whose rows are reached
    through another table overrides `statement`.
    """

    row: ClassVar[type[LightRow]]
    parent: ClassVar[InstrumentedAttribute[Any]]
    order: ClassVar[tuple[Any, ...]] = ()
    seen_through: ClassVar[type[Base] | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        [reference] = cls.parent.property.columns[0].foreign_keys
        cls.keys_of = reference.column.table.name

    @classmethod
    def statement(cls, role: Role) -> Select:
        """Selects the parent's key and the row's columns, of everything that a viewer in the role sees."""
        if cls.seen_through is None:
            return cls.row.statement(role, cls.parent)
        return cls.row.select(role, cls.parent).where(scope.sees(role, cls.seen_through))

    async def fetch(self, keys: list[int]) -> dict[int, list[R]]:
        statement = _of_parents(type(self), self.reading.viewer.role)
        leading, rows = await self.reading.read_with(self.row, statement, ["parent_key"], (), keys=keys)
        found: dict[int, list[Any]] = {}
        for parent_key, row in zip(leading["parent_key"], rows, strict=True):
            found.setdefault(parent_key, []).append(row)
        return found


@cached_statement
def _by_key(row: type[LightRow], role: Role) -> Select:
    entity: Any = row.entity()
    return row.statement(role).where(any_of(entity.id))


@cached_statement
def _by_one_key(row: type[LightRow], role: Role) -> Select:
    """Selects one row. PostgreSQL takes the index of the key for it, and for a list of keys sometimes another."""
    entity: Any = row.entity()
    return row.statement(role, one=True).where(entity.id == bindparam("key", type_=Key))


@cached_statement
def _cached_count(loader: type[CountLoader], role: Role) -> Select:
    return loader.statement(role)


@cached_statement
def _of_parents(loader: type[RelatedLoader[Any]], role: Role) -> Select:
    # The key of a parent in the statement, not the reference to it: otherwise PostgreSQL looks the parent up again for
    # each of its rows.
    seen_through: Any = loader.seen_through
    joined = seen_through is not None and seen_through.__tablename__ == loader.keys_of
    column: Any = seen_through.id if joined else loader.parent
    return loader.statement(role).where(any_of(column)).order_by(*loader.order)
