"""A field that a row takes over from an object that it holds."""

from operator import attrgetter


class Delegated(property):
    """A property that reads on from its row: `number = Delegated("unit.number")`.

    The compiled executor writes the path where the field is read, without a call.
    """

    def __init__(self, path: str) -> None:
        super().__init__(attrgetter(path))
        self.path = path

    def inline(self, source: str) -> str:
        """The Python expression that reads the field from the variable named by `source`."""
        return f"{source}.{self.path}"
