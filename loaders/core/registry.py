"""One operation's loaders, each made when it is first asked for, and the loader behind each type with an id."""

from typing import TYPE_CHECKING, Any, TypeVar

from domain.discovery import import_submodules
from loaders.core.read_session import ReadSession

if TYPE_CHECKING:
    from loaders.core.dataloader import BaseLoader

L = TypeVar("L")

# Filled by the loader classes themselves: `class ActionLoader(EntityLoader[ActionRow])`.
_NODE_LOADERS: dict[str, "type[BaseLoader[Any, Any]]"] = {}


class Loaders:
    """Loaders that share one `ReadSession`: `loaders[ActionLoader]`, or `loaders.get(PagesLoader, *arguments)`."""

    def __init__(self, reading: ReadSession) -> None:
        self.reading = reading
        self._made: dict[Any, Any] = {}

    def __getitem__(self, loader: type[L]) -> L:
        """The one loader of a class that takes no arguments."""
        made = self._made.get(loader)
        if made is None:
            made = self._made[loader] = loader(self)  # type: ignore[call-arg]
        return made

    def get(self, loader: type[L], *arguments: Any) -> L:
        """The one loader of a class with these arguments, which tell loaders of a class apart."""
        key = (loader, *arguments)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = loader(self, *arguments)  # type: ignore[call-arg]
        return made


def register_node(type_name: str, loader: "type[BaseLoader[Any, Any]]") -> None:
    """Makes a loader the one that `node` reads records of a GraphQL type with."""
    _NODE_LOADERS[type_name] = loader


def node_loaders() -> "dict[str, type[BaseLoader[Any, Any]]]":
    """The loader of each GraphQL type that has an id."""
    import_submodules("loaders")
    return _NODE_LOADERS
