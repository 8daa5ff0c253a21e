"""The kinds of loader: one row for each key, many rows for each key, an entity by its key, rows of a parent."""

from abc import abstractmethod
from collections.abc import Hashable
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import InstrumentedAttribute

from auth import scope
from db.models.base import Base
from db.sql.any_of import any_of
from domain.enums import Role
from loaders.core.dataloader import BaseLoader
from loaders.core.read_session import cached_statement
from loaders.core.registry import Loaders, register_node
from loaders.core.rows import LightRow

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
R = TypeVar("R", bound=LightRow)


class OneLoader(BaseLoader[K, V | None], Generic[K, V]):
    """For each key one value, or None where there is none that the viewer sees.

    `keys_of` is the table, or the GraphQL type in small letters, whose keys it takes. `class UnitLoader(…, node="Unit")`
    makes it the loader behind a GraphQL type that has no table of its own, by pairs of keys.
    """

    keys_of: ClassVar[str]
    # Whether its keys are pairs: those of what belongs to one learner's aim, such as units.
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
        """The values there are, by key, in one statement."""


class ManyLoader(BaseLoader[K, list[V]], Generic[K, V]):
    """For each key a list, empty where there is nothing that the viewer sees. `keys_of` as in `OneLoader`."""

    keys_of: ClassVar[str]

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self.reading = loaders.reading

    async def read(self, keys: list[K]) -> list[list[V]]:
        found = await self.fetch(keys)
        return [found.get(key, []) for key in keys]

    @abstractmethod
    async def fetch(self, keys: list[K]) -> dict[K, list[V]]:
        """The lists there are, by key and in order, in one statement."""


class EntityLoader(OneLoader[int, R], Generic[R]):
    """An entity's rows by key, of those the viewer sees: also what `node` reads them with.

    A subclass names its light row: `row = ActionRow`.
    """

    row: ClassVar[type[LightRow]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.keys_of = cls.row.entity().__tablename__
        register_node(cls.row.entity().type_name(), cls)

    async def fetch(self, keys: list[int]) -> dict[int, R]:
        rows: list[Any] = await self.reading.read(self.row, _by_key(self.row, self.reading.viewer.role), keys=keys)
        return {each.key: each for each in rows}


class RelatedLoader(ManyLoader[int, R], Generic[R]):
    """The rows of a parent, by the parent's key. A subclass names its light row, the column and the order:

        row, parent, order = ActionRow, Action.session_id, (Action.target_date, Action.id)

    `seen_through` is the entity whose visibility decides, where it is not the row's own. Where the rows come by way of
    another table, `statement` says how.
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
    def statement(cls, role: Role) -> Select[Any]:
        """Every row that a viewer in the role sees, its parent's key first."""
        if cls.seen_through is None:
            return cls.row.statement(role, cls.parent)
        return cls.row.select(role, cls.parent).where(scope.sees(role, cls.seen_through))

    async def fetch(self, keys: list[int]) -> dict[int, list[R]]:
        statement = _of_parents(type(self), self.reading.viewer.role)
        [parents], rows = await self.reading.read_with(self.row, statement, keys=keys)
        found: dict[int, list[Any]] = {}
        for parent, each in zip(parents, rows, strict=True):
            found.setdefault(parent, []).append(each)
        return found


@cached_statement
def _by_key(row: type[LightRow], role: Role) -> Select[Any]:
    entity: Any = row.entity()
    return row.statement(role).where(any_of(entity.id))


@cached_statement
def _of_parents(loader: type[RelatedLoader[Any]], role: Role) -> Select[Any]:
    parent: ColumnElement[int] | Any = loader.parent
    return loader.statement(role).where(any_of(parent)).order_by(*loader.order)
