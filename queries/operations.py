"""The saved operations of this folder: their text, their description and the shape of their responses."""

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, OperationType, parse, validate

from .errors import COMMAND, UsageError
from .response_shape import ResponseShape
from .schema import load_schema

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class SavedOperation:
    """One saved operation. The server identifies it by `name` or by the SHA-256 of `text`."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """The SHA-256 of the text, in lower-case hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def description(self) -> str:
        """The comment at the top of the file: what the operation returns, for whom, and what it costs."""
        lines = []
        for line in self.text.splitlines():
            if not line.startswith("#"):
                break
            lines.append(line.removeprefix("#").removeprefix(" "))
        return "\n".join(lines)

    @property
    def title(self) -> str:
        """The first line of the description."""
        return self.description.partition("\n")[0]

    @property
    def body(self) -> str:
        """The text without the description."""
        lines = self.text.splitlines()[len(self.description.splitlines()) :]
        return "\n".join(lines).strip()

    @cached_property
    def document(self) -> DocumentNode:
        """The parsed text."""
        return parse(self.text)

    @cached_property
    def definition(self) -> OperationDefinitionNode:
        """The only operation in the document."""
        (definition,) = (node for node in self.document.definitions if isinstance(node, OperationDefinitionNode))
        return definition

    @property
    def type(self) -> str:
        """`query`, `mutation` or `subscription`."""
        return self.definition.operation.value

    @property
    def is_query(self) -> bool:
        """Whether the operation is a query."""
        return self.definition.operation is OperationType.QUERY

    @cached_property
    def shape(self) -> ResponseShape:
        """The fields, columns and connections of the response."""
        return ResponseShape(load_schema(), self.document, self.definition)


def saved_operations() -> dict[str, SavedOperation]:
    """Returns all saved operations by name."""
    paths = sorted(FOLDER.glob("*.graphql"))
    return {path.stem: SavedOperation(path.stem, path.read_text(encoding="utf-8")) for path in paths}


def get_operation(name: str) -> SavedOperation:
    """Returns the operation of that name, or the one in a file that is named by its path, such as `./mine.graphql`.

    Raises UsageError with the closest name if there is none.
    """
    if name.endswith(".graphql"):
        return _read_file(Path(name))
    operations = saved_operations()
    if name in operations:
        return operations[name]
    matches = get_close_matches(name, operations, 1)
    hint = f"Did you mean {matches[0]}?" if matches else f"Run `{COMMAND} list` to see all names."
    raise UsageError(f"There is no saved operation {name!r}. {hint}")


def _read_file(path: Path) -> SavedOperation:
    try:
        operation = SavedOperation(path.stem, path.read_text(encoding="utf-8"))
        errors = validate(load_schema(), operation.document)
        one = sum(isinstance(node, OperationDefinitionNode) for node in operation.document.definitions) == 1
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}.") from None
    except GraphQLError as error:
        raise UsageError(f"{path} is not GraphQL: {error.message}") from None
    if errors or not one:
        raise UsageError(f"{path}: {errors[0].message if errors else 'write exactly one operation.'}")
    return operation


def get_query(name: str) -> SavedOperation:
    """Returns the query of that name. Raises UsageError for an unknown name, a mutation or a subscription."""
    operation = get_operation(name)
    if not operation.is_query:
        raise UsageError(f"{name} is a {operation.type}. Only queries can be run here.")
    return operation
