"""The shape of an operation's response, from its document and the schema: field tree, columns and connections."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)


class ColumnType(Enum):
    """The type of a column's values."""

    TEXT = "text"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DATE = "date"
    DATETIME = "datetime"
    TEXT_LIST = "list of text"


_COLUMN_TYPES = {
    "Int": ColumnType.INT,
    "Float": ColumnType.FLOAT,
    "Boolean": ColumnType.BOOL,
    "Date": ColumnType.DATE,
    "DateTime": ColumnType.DATETIME,
}
# Fields of a connection that are left out of column names.
_UNNAMED_FIELDS = ("nodes", "edges", "node")
# Fields of a connection that describe the page, not its entries.
_PAGE_FIELDS = ("pageInfo", "totalCount")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the rows. Its name is the path to the field, such as `aims.assessor.name`.

    `source` is the field of the schema, such as `User.name`, and `description` what it means. `record` is the path of
    the list whose entries have the value: where a row is an entry of a list inside, several rows repeat it.
    """

    name: str
    type: ColumnType
    source: str = field(default="", compare=False)
    description: str = field(default="", compare=False)
    record: str = field(default="", compare=False)


@dataclass(slots=True)
class Field:
    """One field of a response, identified by its response key. A leaf has a `column_type` and no `children`."""

    key: str
    is_list: bool = False
    is_connection: bool = False
    column_type: ColumnType | None = None
    # The variable passed as `after`, for a connection that can be paginated.
    cursor_variable: str | None = None
    children: dict[str, "Field"] = field(default_factory=dict)
    # Whether the value may miss where its parent is there.
    nullable: bool = True
    # The field of the schema, such as `User.name`, and its description.
    source: str = ""
    description: str = ""

    def row_fields(self, prefix: str) -> Iterator[tuple[str, "Field"]]:
        """Yields the children that rows are made of, each with its column name or the prefix of its columns."""
        for child in self.children.values():
            duplicates_nodes = child.key == "edges" and "nodes" in self.children
            if self.is_connection and (child.key in _PAGE_FIELDS or duplicates_nodes):
                continue
            unnamed = child.key in _UNNAMED_FIELDS and child.column_type is None
            yield (prefix if unnamed else f"{prefix}.{child.key}" if prefix else child.key), child


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection in a response. Without a `cursor_variable` only its first page can be fetched."""

    path: tuple[str, ...]
    cursor_variable: str | None
    inside_list: bool


class ResponseShape:
    """The fields, columns and connections of one operation's response, in the order of its selections."""

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

    def row_fields(self, parent: Field, prefix: str) -> Iterator[tuple[str, Field]]:
        """Yields what `Field.row_fields` does, but leaves a single root field out of the column names."""
        if parent is self.root and len(parent.children) == 1:
            (only,) = parent.children.values()
            yield (only.key if only.column_type else ""), only
            return
        yield from parent.row_fields(prefix)

    def _columns(self, parent: Field, prefix: str, record: str = "") -> Iterator[Column]:
        for name, child in self.row_fields(parent, prefix):
            if child.column_type is not None:
                yield Column(name, child.column_type, child.source, child.description, record)
            else:
                yield from self._columns(child, name, name if child.is_list else record)

    def _fields(self, selections: SelectionSetNode, parent: GraphQLCompositeType) -> dict[str, Field]:
        fields: dict[str, Field] = {}
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                selected = self._field(selection, parent)
                merged = fields.setdefault(selected.key, selected)
                merged.children.update(selected.children)
                merged.cursor_variable = merged.cursor_variable or selected.cursor_variable
            else:
                for key, selected in self._fragment_fields(selection, parent).items():
                    fields.setdefault(key, selected).children.update(selected.children)
        return fields

    def _fragment_fields(self, selection: SelectionNode, parent: GraphQLCompositeType) -> dict[str, Field]:
        assert isinstance(selection, FragmentSpreadNode | InlineFragmentNode)
        fragment = self._fragments[selection.name.value] if isinstance(selection, FragmentSpreadNode) else selection
        condition = fragment.type_condition
        fragment_type = self._schema.type_map[condition.name.value] if condition else parent
        assert is_composite_type(fragment_type)
        fields = self._fields(fragment.selection_set, fragment_type)
        if fragment_type is not parent or selection.directives:
            # Only some objects have them.
            for each in fields.values():
                each.nullable = True
        return fields

    def _field(self, node: FieldNode, parent: GraphQLCompositeType) -> Field:
        key = node.alias.value if node.alias else node.name.value
        if node.name.value == "__typename":
            return Field(key, column_type=ColumnType.TEXT, nullable=False)
        # A union has no fields but __typename.
        assert not isinstance(parent, GraphQLUnionType)
        definition = parent.fields[node.name.value]
        is_list, named_type = _unwrap(definition.type)
        nullable = not isinstance(definition.type, GraphQLNonNull) or bool(node.directives)
        if not is_composite_type(named_type):
            return Field(
                key,
                column_type=ColumnType.TEXT_LIST if is_list else _COLUMN_TYPES.get(named_type.name, ColumnType.TEXT),
                nullable=nullable,
                source=f"{parent.name}.{node.name.value}",
                description=" ".join((definition.description or "").split()),
            )
        assert node.selection_set is not None
        return Field(
            key,
            is_list=is_list,
            nullable=nullable,
            is_connection={"pageInfo", "edges"} <= set(getattr(named_type, "fields", ())),
            cursor_variable=_cursor_variable(node),
            children=self._fields(node.selection_set, named_type),
        )


def _unwrap(output_type: GraphQLOutputType) -> tuple[bool, GraphQLNamedType]:
    """Returns whether a type is a list, and its named type."""
    return is_list_type(get_nullable_type(output_type)), get_named_type(output_type)


def _cursor_variable(node: FieldNode) -> str | None:
    for argument in node.arguments or ():
        if argument.name.value == "after" and isinstance(argument.value, VariableNode):
            return argument.value.name.value
    return None


def _connections(parent: Field, path: tuple[str, ...], inside_list: bool) -> Iterator[Connection]:
    for child in parent.children.values():
        child_path = (*path, child.key)
        if child.is_connection:
            page_info = child.children.get("pageInfo")
            can_follow = page_info is not None and {"hasNextPage", "endCursor"} <= set(page_info.children)
            yield Connection(child_path, child.cursor_variable if can_follow else None, inside_list)
        yield from _connections(child, child_path, inside_list or child.is_list)
