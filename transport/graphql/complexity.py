"""One memoised walk over a document before it is validated: its sizes, its cost, whether it introspects.

A fragment is measured once, however often it is spread, so a bomb of spreads costs no more than its own length.
"""

from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
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

from transport.graphql.cost import Cost, Page, list_length, plus, times
from transport.graphql.errors import OperationRejected, operation_rejected
from transport.graphql.overlap_limit import check_overlaps
from transport.limits import Limits

# Estimated objects of an introspection answer for each point it costs: they come from memory, in a thread.
INTROSPECTION_OBJECTS_A_POINT = 50
INTROSPECTION_LIST = 6


@dataclass(slots=True)
class DocumentSize:
    """What a selection amounts to, fragments spread; `items` is the cost of one item of a connection's lists."""

    depth: int = 0
    introspection_depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    cost: Cost = 0
    items: Cost = 0
    introspects: bool = False

    def add(self, other: "DocumentSize") -> None:
        """Takes in a part that stands at the same level."""
        self.depth = max(self.depth, other.depth)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives
        self.cost = plus(self.cost, other.cost)
        self.items = plus(self.items, other.items)
        self.introspects = self.introspects or other.introspects


def limit_exceeded(what: str, limit: str, maximum: int, found: int) -> OperationRejected:
    """The refusal for one size that is over its limit."""
    return operation_rejected(
        f"This document {what} {found}; the limit is {maximum}.", limit=limit, max=maximum, found=found
    )


class DocumentWalk:
    """The walk over one document. `measure()` gives the sizes of one operation or raises Unrunnable."""

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
        for what, limit, found in (
            ("defines fragments:", "fragments", len(self._fragments)),
            ("holds operations:", "operations", len(self._operations)),
        ):
            if found > getattr(limits, limit):
                raise limit_exceeded(what, limit, getattr(limits, limit), found)

    def check(self) -> list[tuple[OperationDefinitionNode, DocumentSize]]:
        """The sizes of every operation, each within the limits; a fragment that none spreads counts too."""
        # Pairs and no dictionary: the hash of a node is made of all that it holds.
        sizes = [(operation, self.measure(operation)) for operation in self._operations]
        total = sum(each.fields for _, each in sizes)
        for name in self._fragments:
            if name not in self._measured:
                self._check_sizes(loose := self._fragment(name))
                total += loose.fields
        if total > self._limits.fields:
            raise limit_exceeded("selects fields, fragments spread:", "fields", self._limits.fields, min(total, 10**6))
        check_overlaps([node.selection_set for node in self._operations], self._fragments, self._limits)
        return sizes

    def measure(self, operation: OperationDefinitionNode) -> DocumentSize:
        """What one operation amounts to."""
        self._operation = operation
        # A page size may hang on this operation's own variables: another one's measures do not serve it.
        self._measured.clear()
        sizes = self._selection(operation.selection_set, self._schema.get_root_type(operation.operation))
        sizes.directives += len(operation.directives or ())
        if operation.operation is OperationType.MUTATION:
            sizes.cost = plus(sizes.cost, self._limits.mutation_cost * len(operation.selection_set.selections))
        sizes.cost = plus(sizes.cost, 1)
        self._check_sizes(sizes)
        return sizes

    def _check_sizes(self, sizes: DocumentSize) -> None:
        limits = self._limits
        for what, limit, found in (
            ("nests fields", "depth", sizes.depth),
            ("nests introspection fields", "introspection_depth", sizes.introspection_depth),
            ("holds aliases:", "aliases", sizes.aliases),
            ("holds directives:", "directives", sizes.directives),
            ("selects fields, fragments spread:", "fields", sizes.fields),
        ):
            if found > getattr(limits, limit):
                raise limit_exceeded(what, limit, getattr(limits, limit), min(found, 10**6))

    def _selection(self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None) -> DocumentSize:
        """Sizes of one selection set on `parent`."""
        self._level += 1
        if self._level > 4 * self._limits.introspection_depth:
            raise limit_exceeded("nests selections", "depth", self._limits.depth, self._level)
        sizes = DocumentSize()
        for node in selection_set.selections:
            sizes.directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                sizes.add(self._field(node, parent))
            elif isinstance(node, InlineFragmentNode):
                on = self._schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                sizes.add(self._selection(node.selection_set, on))
            else:
                sizes.add(self._fragment(node.name.value))
        self._level -= 1
        return sizes

    def _fragment(self, name: str) -> DocumentSize:
        if name in self._measured:
            if (known := self._measured[name]) is None:
                raise operation_rejected(f"Cannot spread fragment '{name}' within itself.")
            return known
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
        length = list_length(node, field, self._operation, self._limits) if field else None
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
            self._charge(inner, field, f"{parent.name}.{name}" if parent else name, length)
        if parent and parent.name.endswith("Connection") and field and _is_list(field):
            # How many there are is the page size, which the field above knows.
            inner.items, inner.cost = inner.cost, 0
        return inner

    def _charge(self, inner: DocumentSize, field: GraphQLField | None, path: str, length: Page | int | None) -> None:
        """Turns the cost of what is selected inside a field into the cost of the field."""
        # An edge is the wrapping of its node, not an object of its own.
        one = plus(inner.cost, 0 if path.endswith("Connection.edges") else self._limits.weights.get(path, 1))
        if inner.items != 0:
            one = plus(one, times(length or self._limits.page_size_default, inner.items))
            inner.items = 0
        if field is not None and _is_list(field) and not path.partition(".")[0].endswith("Connection"):
            one = times(length or self._list_length(path), one)
        inner.cost = one

    def _list_length(self, path: str) -> int:
        if path == "__Schema.types":
            return len(self._schema.type_map)
        return (
            INTROSPECTION_LIST if path.startswith("__") else self._limits.list_sizes.get(path, self._limits.list_size)
        )

    def _introspection(self, inner: DocumentSize) -> DocumentSize:
        inner.introspection_depth, inner.depth = inner.depth, 1
        inner.introspects = True
        estimated = inner.cost if isinstance(inner.cost, int) else 0
        inner.cost = self._limits.introspection_cost + estimated // INTROSPECTION_OBJECTS_A_POINT
        return inner

    def _definition(self, parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
        if name in ("__schema", "__type"):
            return self._schema.get_field(self._schema.query_type, name)
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return parent.fields.get(name)
        return None


def _is_list(field: GraphQLField) -> bool:
    kind = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return isinstance(kind, GraphQLList)
