"""The loaders of one operation, each created on first use, and the loader of each GraphQL type that has an id."""

from typing import TYPE_CHECKING, Any, TypeVar

from domain.submodules import import_submodules
from loaders.core.read_session import ReadSession

if TYPE_CHECKING:
    from loaders.core.base import OneLoader

L = TypeVar("L")

# By GraphQL type. The loader classes register themselves when they are defined.
_NODE_LOADERS: dict[str, "type[OneLoader[Any, Any]]"] = {}


class Loaders:
    """The loaders of one operation; they share its `ReadSession`.

    `loaders[ActionLoader]` is the loader of a class without arguments, `loaders.get(PagesLoader, *arguments)` that of a
    class with arguments.
    """

    def __init__(self, reading: ReadSession) -> None:
        self.reading = reading
        self._loaders: dict[Any, Any] = {}

    def __getitem__(self, loader_class: type[L]) -> L:
        """Returns the operation's one loader of a class that takes no arguments."""
        loader = self._loaders.get(loader_class)
        if loader is None:
            loader = self._loaders[loader_class] = _construct(loader_class, self)
        return loader

    def get(self, loader_class: type[L], *arguments: Any) -> L:
        """Returns the operation's one loader of a class with these arguments, which must be hashable."""
        key = (loader_class, *arguments)
        loader = self._loaders.get(key)
        if loader is None:
            loader = self._loaders[key] = _construct(loader_class, self, *arguments)
        return loader


def _construct(loader_class: Any, loaders: Loaders, *arguments: Any) -> Any:
    return loader_class(loaders, *arguments)


def register_node(type_name: str, loader: "type[OneLoader[Any, Any]]") -> None:
    """Makes a loader class the one that `node` reads records of a GraphQL type with."""
    _NODE_LOADERS[type_name] = loader


def node_loaders() -> "dict[str, type[OneLoader[Any, Any]]]":
    """Returns the loader class of each GraphQL type that has an id."""
    import_submodules("loaders")
    return _NODE_LOADERS
