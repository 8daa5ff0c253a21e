"""Measures a document before it is validated: its sizes, its cost, and whether it introspects.

A fragment is measured once, however often it is spread, so the work is linear in the length of the document.
"""

from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from domain.field_metadata import LIST_SIZE
from transport.graphql.cost import Cost, ListSize, add, list_size, multiply
from transport.graphql.errors import OperationRejected, operation_rejected
from transport.graphql.overlap_limit import check_overlaps
from transport.limits import Limits

# Introspection reads no database, so one point pays for many objects.
INTROSPECTION_OBJECTS_PER_POINT = 50
INTROSPECTION_LIST_SIZE = 6
# Counts in error messages end here.
_MAX_COUNT = 10**6


@dataclass(slots=True)
class DocumentSize:
    """The sizes of a selection with its fragments expanded. `items` is the cost of one item of a connection."""

    depth: int = 0
    introspection_depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    cost: Cost = 0
    items: Cost = 0
    introspects: bool = False

    def add(self, other: "DocumentSize") -> None:
        """Adds a part that is at the same level."""
        self.depth = max(self.depth, other.depth)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives
        self.cost = add(self.cost, other.cost)
        self.items = add(self.items, other.items)
        self.introspects = self.introspects or other.introspects


def limit_exceeded(noun: str, limit: str, maximum: int, found: int) -> OperationRejected:
    """The rejection of a document for one size that is over its limit."""
    found = min(found, _MAX_COUNT)
    return operation_rejected(
        f"The document has {found} {noun}; the limit is {maximum}.", limit=limit, max=maximum, found=found
    )


class DocumentWalk:
    """Walks over one document. Every method raises OperationRejected where a size is over its limit."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        self._operation: OperationDefinitionNode | None = None
        self._measured: dict[str, DocumentSize | None] = {}
        self._level = 0
        self._check("fragments", "fragments", len(self._fragments))
        self._check("operations", "operations", len(self._operations))

    def check(self) -> list[tuple[OperationDefinitionNode, DocumentSize]]:
        """Returns each operation with its sizes. Fragments that no operation spreads are checked too."""
        # Not a dictionary: hashing a node hashes all nodes within it.
        sizes = [(operation, self.measure(operation)) for operation in self._operations]
        total = sum(each.fields for _, each in sizes)
        for name in self._fragments:
            if name not in self._measured:
                self._check_sizes(unused := self._fragment(name))
                total += unused.fields
        self._check("fields", "fields with its fragments expanded", total)
        check_overlaps([node.selection_set for node in self._operations], self._fragments, self._limits)
        return sizes

    def measure(self, operation: OperationDefinitionNode) -> DocumentSize:
        """Returns the sizes of one operation."""
        self._operation = operation
        # The cost of a fragment depends on the variables of the operation.
        self._measured.clear()
        sizes = self._selection(operation.selection_set, self._schema.get_root_type(operation.operation))
        sizes.directives += len(operation.directives or ())
        if operation.operation is OperationType.MUTATION:
            sizes.cost = add(sizes.cost, self._limits.mutation_cost * len(operation.selection_set.selections))
        sizes.cost = add(sizes.cost, 1)
        self._check_sizes(sizes)
        return sizes

    def _check_sizes(self, sizes: DocumentSize) -> None:
        self._check("depth", "levels of fields", sizes.depth)
        self._check("introspection_depth", "levels of introspection fields", sizes.introspection_depth)
        self._check("aliases", "aliases", sizes.aliases)
        self._check("directives", "directives", sizes.directives)
        self._check("fields", "fields with its fragments expanded", sizes.fields)

    def _check(self, limit: str, noun: str, found: int) -> None:
        maximum = getattr(self._limits, limit)
        if found > maximum:
            raise limit_exceeded(noun, limit, maximum, found)

    def _selection(self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None) -> DocumentSize:
        """Returns the sizes of a selection set on the type `parent`; None for a type that the schema does not have."""
        self._level += 1
        if self._level > 4 * self._limits.introspection_depth:
            raise limit_exceeded("levels of selections", "depth", self._limits.depth, self._level)
        sizes = DocumentSize()
        for node in selection_set.selections:
            sizes.directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                sizes.add(self._field(node, parent))
            elif isinstance(node, InlineFragmentNode):
                on = self._schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                sizes.add(self._selection(node.selection_set, on))
            elif isinstance(node, FragmentSpreadNode):
                sizes.add(self._fragment(node.name.value))
        self._level -= 1
        return sizes

    def _fragment(self, name: str) -> DocumentSize:
        if name in self._measured:
            if (measured := self._measured[name]) is None:
                raise operation_rejected(f"Cannot spread fragment '{name}' within itself.")
            return measured
        node = self._fragments.get(name)
        if node is None:
            return DocumentSize()
        self._measured[name] = None
        sizes = self._selection(node.selection_set, self._schema.get_type(node.type_condition.name.value))
        self._measured[name] = sizes
        return sizes

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> DocumentSize:
        name = node.name.value
        field = self._definition(parent, name)
        size = list_size(node, field, self._operation, self._limits) if field else None
        inner = DocumentSize()
        named = get_named_type(field.type) if field else None
        if node.selection_set:
            inner = self._selection(node.selection_set, named)
        inner.fields += 1
        inner.aliases += node.alias is not None
        inner.depth += 1
        if name in ("__schema", "__type"):
            return self._introspection(inner)
        if node.selection_set:
            self._set_cost(inner, field, f"{parent.name}.{name}" if parent else name, size)
        if parent and parent.name.endswith("Connection") and field and _is_list(field):
            # The field above knows the length of this list: it is the page size.
            inner.items, inner.cost = inner.cost, 0
        return inner

    def _set_cost(self, inner: DocumentSize, field: GraphQLField | None, path: str, size: ListSize | None) -> None:
        """Turns the cost of the selection inside a field into the cost of the field."""
        # An edge adds nothing to the cost of its node.
        one = add(inner.cost, 0 if path.endswith("Connection.edges") else self._limits.weights.get(path, 1))
        if inner.items != 0:
            one = add(one, multiply(size or self._limits.page_size_default, inner.items))
            inner.items = 0
        if field is not None and _is_list(field) and not path.partition(".")[0].endswith("Connection"):
            one = multiply(size or self._list_size(path, field), one)
        inner.cost = one

    def _list_size(self, path: str, field: GraphQLField) -> int:
        if path == "__Schema.types":
            return len(self._schema.type_map)
        if path.startswith("__"):
            return INTROSPECTION_LIST_SIZE
        return self._limits.list_sizes.get(path) or _declared_size(field) or self._limits.list_size

    def _introspection(self, inner: DocumentSize) -> DocumentSize:
        inner.introspection_depth, inner.depth = inner.depth, 1
        inner.introspects = True
        estimated = inner.cost if isinstance(inner.cost, int) else 0
        inner.cost = self._limits.introspection_cost + estimated // INTROSPECTION_OBJECTS_PER_POINT
        return inner

    def _definition(self, parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
        if name in ("__schema", "__type"):
            query_type = self._schema.query_type
            return self._schema.get_field(query_type, name) if query_type else None
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return parent.fields.get(name)
        return None


def _declared_size(field: GraphQLField) -> int | None:
    """Returns the number of entries that the field declares."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return definition.metadata.get(LIST_SIZE) if definition is not None else None


def _is_list(field: GraphQLField) -> bool:
    kind = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return isinstance(kind, GraphQLList)
