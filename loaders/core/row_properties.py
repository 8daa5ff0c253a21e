"""Properties of light rows that say which fields of the row they read."""

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

V = TypeVar("V")


class Computed(property, Generic[V]):
    """A property that reads the fields of its row that `reads` names, and no others."""

    def __init__(self, function: Callable[[Any], V], reads: tuple[str, ...]) -> None:
        self.reads = reads
        super().__init__(function, doc=function.__doc__)

    if TYPE_CHECKING:

        def __get__(self, instance: Any, owner: type | None = None, /) -> V: ...  # type: ignore[override]  # typed by V


def computed(*reads: str) -> Callable[[Callable[[Any], V]], Computed[V]]:
    """Makes a method a property that reads these fields. One without this decorator may read any."""
    return lambda function: Computed(function, reads)


class Delegated(property, Generic[V]):
    """A read-only attribute that is read by a path from the row: `number = Delegated[str]("unit.number")`.

    The compiled executor writes the path into its code, so that reading the field needs no call.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        # What it reads, see `loaders.core.shapes`.
        self.reads = (path,)
        super().__init__(attrgetter(path), doc=f"The same as `{path}`.")

    def inline(self, source: str) -> str:
        """Returns the Python expression that reads the field from the variable named `source`."""
        return f"{source}.{self._path}"

    if TYPE_CHECKING:

        def __get__(self, instance: Any, owner: type | None = None, /) -> V: ...  # type: ignore[override]  # typed by V
