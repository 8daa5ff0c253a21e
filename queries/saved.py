"""The saved operations of this folder: their text, what their comment says, and the shape of their answers."""

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from graphql import DocumentNode, OperationDefinitionNode, OperationType, parse

from queries.contract import contract
from queries.faults import WrongUse
from queries.shape import Shape

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Saved:
    """One saved operation; the server knows it by `name` and by the SHA-256 of `text`."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Lower-case hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def comment(self) -> str:
        """What it answers, for whom, what it costs: the comment that the file begins with."""
        lines = []
        for line in self.text.splitlines():
            if not line.startswith("#"):
                break
            lines.append(line.removeprefix("#").removeprefix(" "))
        return "\n".join(lines)

    @property
    def title(self) -> str:
        """The first line of the comment."""
        return self.comment.partition("\n")[0]

    @cached_property
    def document(self) -> DocumentNode:
        """The text, parsed."""
        return parse(self.text)

    @cached_property
    def operation(self) -> OperationDefinitionNode:
        """The one operation of the file."""
        (operation,) = (node for node in self.document.definitions if isinstance(node, OperationDefinitionNode))
        return operation

    @property
    def kind(self) -> str:
        """query, mutation or subscription."""
        return self.operation.operation.value

    @property
    def is_query(self) -> bool:
        """Whether it only reads."""
        return self.operation.operation is OperationType.QUERY

    @cached_property
    def shape(self) -> Shape:
        """What its answer looks like."""
        return Shape(contract(), self.document, self.operation)


def saved_operations() -> dict[str, Saved]:
    """All of them, by name."""
    paths = sorted(FOLDER.glob("*.graphql"))
    return {path.stem: Saved(path.stem, path.read_text(encoding="utf-8")) for path in paths}


def find(name: str) -> Saved:
    """The one of that name. Raises WrongUse, with the name that was perhaps meant."""
    known = saved_operations()
    if name in known:
        return known[name]
    near = get_close_matches(name, known, 1)
    hint = f"Did you mean {near[0]}?" if near else "`python -m queries list` shows what there is."
    raise WrongUse(f"There is no saved operation {name!r}. {hint}")


def find_query(name: str) -> Saved:
    """As `find`, for an operation that only reads."""
    operation = find(name)
    if not operation.is_query:
        raise WrongUse(f"{name} is a {operation.kind}: only queries can be run here.")
    return operation
