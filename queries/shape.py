"""What the answer to an operation looks like: its fields as a tree, its columns with their types, its connections."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)


class Kind(Enum):
    """What a column holds. TEXTS is a list of words in one cell."""

    TEXT = "text"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DATE = "date"
    MOMENT = "moment"
    TEXTS = "texts"


_KINDS = {"Int": Kind.INT, "Float": Kind.FLOAT, "Boolean": Kind.BOOL, "Date": Kind.DATE, "DateTime": Kind.MOMENT}
# Steps of a connection that say nothing about what is in it.
_PASSED_OVER = ("nodes", "edges", "node")
# What a page says about itself, and not about its entries.
_OF_THE_PAGE = ("pageInfo", "totalCount")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the rows: its name is the path to it, such as `aims.assessor.name`."""

    name: str
    kind: Kind


@dataclass(slots=True)
class Field:
    """One field of an answer, by its response key. A leaf has a `kind` and no `children`."""

    key: str
    is_list: bool = False
    is_connection: bool = False
    kind: Kind | None = None
    # The variable given as `after`, for a connection whose pages can be followed.
    after: str | None = None
    children: dict[str, "Field"] = field(default_factory=dict)

    def below(self, prefix: str) -> Iterator[tuple[str, "Field"]]:
        """The children that rows are made of, each with its name as a column's path from the root."""
        entries = self.children
        for child in entries.values():
            if self.is_connection and (child.key in _OF_THE_PAGE or (child.key == "edges" and "nodes" in entries)):
                continue
            passed_over = child.key in _PASSED_OVER and child.kind is None
            yield (prefix if passed_over else f"{prefix}.{child.key}" if prefix else child.key), child


@dataclass(frozen=True, slots=True)
class Connection:
    """A list in pages: where it stands in an answer, and the variable that takes the cursor (None: only one page)."""

    path: tuple[str, ...]
    after: str | None
    in_list: bool


class Shape:
    """The answer of one operation. `columns` is in the order of the selection."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._fragments: Mapping[str, FragmentDefinitionNode] = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        root_type = schema.get_root_type(operation.operation)
        assert root_type is not None
        self.root = Field("", children=self._fields(operation.selection_set, root_type))
        self.columns = list(self._columns(self.root, ""))
        self.connections = list(_connections(self.root, (), False))

    def named(self, parent: Field, prefix: str) -> Iterator[tuple[str, Field]]:
        """As `Field.below`; one root field alone is not named, for it would stand before every column."""
        if parent is self.root and len(parent.children) == 1:
            (only,) = parent.children.values()
            yield (only.key if only.kind else ""), only
            return
        yield from parent.below(prefix)

    def _columns(self, parent: Field, prefix: str) -> Iterator[Column]:
        for name, child in self.named(parent, prefix):
            if child.kind is not None:
                yield Column(name, child.kind)
            else:
                yield from self._columns(child, name)

    def _fields(self, selections: SelectionSetNode, parent: GraphQLCompositeType) -> dict[str, Field]:
        found: dict[str, Field] = {}
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                made = self._field(selection, parent)
                if made is None:
                    continue
                known = found.setdefault(made.key, made)
                known.children.update(made.children)
                known.after = known.after or made.after
            else:
                for key, made in self._spread(selection, parent).items():
                    found.setdefault(key, made).children.update(made.children)
        return found

    def _spread(self, selection: object, parent: GraphQLCompositeType) -> dict[str, Field]:
        fragment = self._fragments[selection.name.value] if isinstance(selection, FragmentSpreadNode) else selection
        assert isinstance(fragment, FragmentDefinitionNode | InlineFragmentNode)
        condition = fragment.type_condition
        named = self._schema.type_map[condition.name.value] if condition else parent
        return self._fields(fragment.selection_set, named)  # type: ignore[arg-type]

    def _field(self, node: FieldNode, parent: GraphQLCompositeType) -> Field | None:
        key = node.alias.value if node.alias else node.name.value
        if node.name.value == "__typename":
            return Field(key, kind=Kind.TEXT)
        definition = parent.fields[node.name.value]  # type: ignore[union-attr]
        is_list, named = _unwrapped(definition.type)
        if not is_composite_type(named):
            return Field(key, kind=Kind.TEXTS if is_list else _KINDS.get(named.name, Kind.TEXT))
        assert node.selection_set is not None
        return Field(
            key,
            is_list=is_list,
            is_connection={"pageInfo", "edges"} <= set(getattr(named, "fields", ())),
            after=_after(node),
            children=self._fields(node.selection_set, named),
        )


def _unwrapped(output_type: GraphQLOutputType) -> tuple[bool, object]:
    return is_list_type(get_nullable_type(output_type)), get_named_type(output_type)


def _after(node: FieldNode) -> str | None:
    for argument in node.arguments or ():
        if argument.name.value == "after" and isinstance(argument.value, VariableNode):
            return argument.value.name.value
    return None


def _connections(parent: Field, path: tuple[str, ...], in_list: bool) -> Iterator[Connection]:
    for child in parent.children.values():
        here = (*path, child.key)
        if child.is_connection:
            info = child.children.get("pageInfo")
            followed = info is not None and {"hasNextPage", "endCursor"} <= set(info.children)
            yield Connection(here, child.after if followed else None, in_list)
        yield from _connections(child, here, in_list or child.is_list)
