"""Global ids of the GraphQL API: `Learner_7`, which names the type and the key. Only this module reads or writes them.

A unit or criterion belongs to one learner's aim, so its id holds the key of the aim first: `Unit_12.3`.
"""

import re
from operator import attrgetter
from typing import Any

_SHAPE = re.compile(r"([A-Z][A-Za-z]{0,40})_([1-9][0-9]{0,17})(?:\.([1-9][0-9]{0,17}))?", re.ASCII)


class Identifier(property):
    """The id of a row: `id = Identifier("Aim", "key")`, or of a pair `id = Identifier("Unit", "aim.key", "unit.key")`.

    The paths lead from the row to its keys.
    """

    def __init__(self, type_name: str, *paths: str) -> None:
        self._type_name = type_name
        # What it reads of the row.
        self.reads = paths
        keys: Any = attrgetter(*paths)
        if len(paths) == 1:

            def read(row: Any) -> str:
                return encode(type_name, keys(row))
        else:

            def read(row: Any) -> str:
                return encode_pair(type_name, *keys(row))

        super().__init__(read, doc="The id in the GraphQL API.")

    def inline(self, source: str) -> str:
        """The Python expression that makes the id of the row in the variable `source`, for the compiled executor."""
        keys = ".".join(f"{{{source}.{path}}}" for path in self.reads)
        return f'f"{self._type_name}_{keys}"'


def encode(type_name: str, key: int) -> str:
    """Returns the id of a record that has a key of its own."""
    return f"{type_name}_{key}"


def encode_pair(type_name: str, aim_key: int, key: int) -> str:
    """Returns the id of a unit or criterion of one aim; `key` is that of the unit or criterion in the qualification."""
    return f"{type_name}_{aim_key}.{key}"


def parse(text: str) -> tuple[str, int, int | None] | None:
    """Returns (type name, key, None), or (type name, aim key, key) for a pair; None if the text is not an id."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        return None
    name, first, second = match.groups()
    return name, int(first), int(second) if second else None


def decode(type_name: str, text: str) -> int | None:
    """Returns the key in an id of that type; None if the id is of another type or the text is not an id."""
    parts = parse(text)
    return parts[1] if parts and parts[0] == type_name and parts[2] is None else None


def decode_pair(type_name: str, text: str) -> tuple[int, int] | None:
    """Returns (aim key, key) of a unit's or criterion's id; None for an id of another type and for other text."""
    parts = parse(text)
    return (parts[1], parts[2]) if parts and parts[0] == type_name and parts[2] is not None else None
