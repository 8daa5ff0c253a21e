"""Which deprecated parts of the schema an operation names: found once, when its document is prepared."""

from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    ObjectFieldNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    visit,
)


class Deprecations:
    """Looks documents through for what one schema deprecates; where it deprecates nothing, that costs nothing."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._has_some = any(_deprecates(kind) for kind in schema.type_map.values())

    def named_by(self, document: DocumentNode) -> list[tuple[str, ...]]:
        """For each operation of a valid document, in order, coordinates of what is deprecated, such as `Learner.photo`.

        Fields, arguments, input fields and enum values as they stand in the document, fragments spread; what comes in
        variables is not looked into.
        """
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        if not self._has_some:
            return [()] * len(operations)
        reader = _Reader(type_info := TypeInfo(self._schema))
        visit(document, TypeInfoVisitor(type_info, reader))
        return [tuple(sorted(reader.reached_from(place))) for place in range(len(operations))]


class _Reader(Visitor):
    """Notes what each definition names: operations are known by their place, fragments by their name."""

    def __init__(self, type_info: TypeInfo) -> None:
        super().__init__()
        self._type_info = type_info
        self._named: dict[int | str, set[str]] = {}
        self._spreads: dict[int | str, set[str]] = {}
        self._operations = 0
        self._current: int | str = 0
        # Arguments stand before the selection of their field, so the field entered last is theirs.
        self._field = ""

    def reached_from(self, place: int) -> set[str]:
        """What an operation and the fragments that it spreads name."""
        reached, waiting = {place}, [place]
        while waiting:
            new = self._spreads[waiting.pop()] - reached
            reached |= new
            waiting += new
        return set().union(*(self._named[each] for each in reached))

    def _begin(self, definition: int | str) -> None:
        self._current = definition
        self._named[definition], self._spreads[definition] = set(), set()

    def _note(self, thing: Any, coordinate: str) -> None:
        if thing is not None and thing.deprecation_reason is not None:
            self._named[self._current].add(coordinate)

    def enter_operation_definition(self, *_: Any) -> None:
        self._begin(self._operations)
        self._operations += 1

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self._begin(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self._spreads[self._current].add(node.name.value)

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent = self._type_info.get_parent_type()
        self._field = f"{parent.name if parent else ''}.{node.name.value}"
        self._note(self._type_info.get_field_def(), self._field)

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        if self._type_info.get_directive() is None:
            self._note(self._type_info.get_argument(), f"{self._field}({node.name.value}:)")

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        kind = get_named_type(self._type_info.get_parent_input_type())
        if isinstance(kind, GraphQLInputObjectType):
            self._note(kind.fields.get(node.name.value), f"{kind.name}.{node.name.value}")

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        kind = get_named_type(self._type_info.get_input_type())
        self._note(self._type_info.get_enum_value(), f"{kind.name if kind else ''}.{node.value}")


def _deprecates(kind: Any) -> bool:
    if isinstance(kind, GraphQLEnumType):
        return any(value.deprecation_reason is not None for value in kind.values.values())
    if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        return False
    return any(
        part.deprecation_reason is not None
        for field in kind.fields.values()
        for part in (field, *getattr(field, "args", {}).values())
    )
