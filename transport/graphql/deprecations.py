"""Finds the deprecated parts of the schema that an operation uses, once, when its document is prepared."""

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
    """Finds uses of the deprecated parts of one schema. Does not visit documents if nothing is deprecated."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._has_deprecations = any(_has_deprecations(type_) for type_ in schema.type_map.values())

    def used_by(self, document: DocumentNode) -> list[tuple[str, ...]]:
        """Returns for each operation of a valid document, in order, schema coordinates such as `Learner.photo`.

        Covers fields, arguments, input fields and enum values in the document and its fragments. Values of variables
        are not inspected.
        """
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        if not self._has_deprecations:
            return [()] * len(operations)
        visitor = _DeprecationVisitor(type_info := TypeInfo(self._schema))
        visit(document, TypeInfoVisitor(type_info, visitor))
        return [tuple(sorted(visitor.used_by(index))) for index in range(len(operations))]


class _DeprecationVisitor(Visitor):
    """Collects the coordinates that each definition uses, operations by index and fragments by name."""

    def __init__(self, type_info: TypeInfo) -> None:
        super().__init__()
        self._type_info = type_info
        self._used: dict[int | str, set[str]] = {}
        self._spreads: dict[int | str, set[str]] = {}
        self._operations = 0
        self._current: int | str = 0
        # The field that was entered last: arguments are visited before the selection of their field.
        self._field = ""

    def used_by(self, index: int) -> set[str]:
        """Returns what an operation and the fragments that it spreads use."""
        reached: set[int | str] = {index}
        waiting: list[int | str] = [index]
        while waiting:
            new = self._spreads[waiting.pop()] - reached
            reached |= new
            waiting += new
        return set().union(*(self._used[each] for each in reached))

    def _begin(self, definition: int | str) -> None:
        self._current = definition
        self._used[definition], self._spreads[definition] = set(), set()

    def _add_if_deprecated(self, definition: Any, coordinate: str) -> None:
        if definition is not None and definition.deprecation_reason is not None:
            self._used[self._current].add(coordinate)

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
        self._add_if_deprecated(self._type_info.get_field_def(), self._field)

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        if self._type_info.get_directive() is None:
            self._add_if_deprecated(self._type_info.get_argument(), f"{self._field}({node.name.value}:)")

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        type_ = get_named_type(self._type_info.get_parent_input_type())
        if isinstance(type_, GraphQLInputObjectType):
            self._add_if_deprecated(type_.fields.get(node.name.value), f"{type_.name}.{node.name.value}")

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        type_ = get_named_type(self._type_info.get_input_type())
        self._add_if_deprecated(self._type_info.get_enum_value(), f"{type_.name if type_ else ''}.{node.value}")


def _has_deprecations(type_: Any) -> bool:
    if isinstance(type_, GraphQLEnumType):
        return any(value.deprecation_reason is not None for value in type_.values.values())
    if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        return False
    return any(
        part.deprecation_reason is not None
        for field in type_.fields.values()
        for part in (field, *getattr(field, "args", {}).values())
    )
