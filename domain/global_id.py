"""Identifiers as the graph shows them: they name their type, are unique across types, and are nobody's business inside.

`Learner_7`; units and criteria are one learner's, so theirs carry the aim first: `Unit_12.3`, `Criterion_12.345`.
"""

import re

_SHAPE = re.compile(r"([A-Z][A-Za-z]{0,40})_([1-9][0-9]{0,17})(?:\.([1-9][0-9]{0,17}))?", re.ASCII)


class Identifier(property):
    """The id of a light row, made of what the row holds: `id = Identifier("Unit", "aim.key", "unit.key")`.

    `spelling` is the Python expression behind it, with {0} for the row: the compiled executor writes it where it is read.
    """

    def __init__(self, type_name: str, *paths: str) -> None:
        self.spelling = f"f'{type_name}_{'.'.join(f'{{{{{{0}}.{path}}}}}' for path in paths)}'"
        super().__init__(eval(f"lambda row: {self.spelling.format('row')}"), doc="The id in the graph.")


def encode(type_name: str, key: int) -> str:
    """The id of a record with a key of its own."""
    return f"{type_name}_{key}"


def encode_pair(type_name: str, aim_key: int, key: int) -> str:
    """The id of one learner's unit or criterion: the aim, and the unit or criterion of its qualification."""
    return f"{type_name}_{aim_key}.{key}"


def parse(text: str) -> tuple[str, int, int | None] | None:
    """(type name, key, None), or (type name, aim key, key) of a pair; None for what was never an id."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        return None
    name, first, second = match.groups()
    return name, int(first), int(second) if second else None


def decode(type_name: str, text: str) -> int | None:
    """The key in an id of that type; None where it is another type's or no id at all."""
    parts = parse(text)
    return parts[1] if parts and parts[0] == type_name and parts[2] is None else None


def decode_pair(type_name: str, text: str) -> tuple[int, int] | None:
    """(aim key, key) in the id of a unit or criterion; None where it is anything else."""
    parts = parse(text)
    return (parts[1], parts[2]) if parts and parts[0] == type_name and parts[2] is not None else None
