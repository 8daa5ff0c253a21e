"""An attribute of a row that is read from another object, without a property function for each."""

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

V = TypeVar("V")


class Delegated(property, Generic[V]):
    """A read-only attribute that is read by a path from the row: `number = Delegated[str]("unit.number")`.

    The compiled executor asks for `inline` and reads the path itself.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        super().__init__(attrgetter(path), doc=f"The same as `{path}`.")

    def inline(self, source: str) -> str:
        """The Python expression that reads the attribute from the row in the variable `source`."""
        return f"{source}.{self._path}"

    if TYPE_CHECKING:

        def __get__(self, instance: Any, owner: type | None = None, /) -> V: ...  # type: ignore[override]  # typed by path
