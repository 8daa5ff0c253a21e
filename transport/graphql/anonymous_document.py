"""Splits the document of an anonymous caller into the part before a sign-in and the part after it.

An anonymous caller runs root fields that are declared ANONYMOUS, and `__typename`. Below a field that is declared
AFTER_SIGN_IN, such as `viewer` of `login`, a document can select the whole schema. That part is neither validated nor
run before the sign-in has succeeded: otherwise callers could find out what the schema has.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from domain.field_metadata import AFTER_SIGN_IN, ANONYMOUS
from transport.graphql.ast_references import References

Path = tuple[str, ...]
# Selections that are visited at most, with fragments expanded: more than any sign-in has. It ends cycles too.
_MAX_VISITS = 300
_TYPENAME = SelectionSetNode(selections=(FieldNode(name=NameNode(value="__typename")),))


class NotForAnonymous(Exception):
    """The document has an operation that needs a viewer, or that the schema does not have."""


@dataclass(slots=True)
class Part:
    """Root fields that run together, and the query that is run after them if they have signed the caller in.

    `paths` says where each response key of that query belongs in the data of the root fields; where it is empty there
    is no such query. `checked` is the query once it was prepared or rejected, which is not before a sign-in.
    """

    before: DocumentNode
    after: DocumentNode
    paths: dict[str, Path]
    checked: Any = None


@dataclass(frozen=True, slots=True)
class SplitDocument:
    """A document of an anonymous caller: what is validated before it runs, and the parts of each operation by name."""

    before: DocumentNode
    parts: dict[str | None, tuple[Part, ...]]


@dataclass(frozen=True, slots=True)
class _Selected:
    """A selected field: the type that it is of, the response keys that lead to it, the directives of its fragments."""

    node: FieldNode
    parent: GraphQLNamedType | None
    path: Path
    conditions: tuple[tuple[DirectiveNode, ...], ...] = ()

    def wrapped(self, node: FieldNode | None = None) -> SelectionNode:
        """Returns the field in inline fragments with those directives."""
        selection: SelectionNode = node or self.node
        for directives in reversed(self.conditions):
            selection = InlineFragmentNode(directives=directives, selection_set=_selecting(selection))
        return selection


def anonymous_fields(type_: GraphQLObjectType | None) -> list[str]:
    """Returns the names of the fields of a root type that run without a viewer."""
    return [name for name, field in type_.fields.items() if _declared(field, ANONYMOUS)] if type_ else []


def split(schema: GraphQLSchema, document: DocumentNode) -> SplitDocument:
    """Splits a document. Raises NotForAnonymous."""
    return _Splitter(schema, document).split()


def _declared(field: GraphQLField | None, key: str) -> Any:
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF) if field else None
    return (getattr(definition, "metadata", None) or {}).get(key)


def _selecting(*selections: SelectionNode) -> SelectionSetNode:
    return SelectionSetNode(selections=selections)


class _Splitter:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        self._visits = 0
        self._fragments: dict[str, FragmentDefinitionNode] = {}
        for node in document.definitions:
            if isinstance(node, FragmentDefinitionNode):
                self._fragments[node.name.value] = node
        if not self._operations or len(self._operations) + len(self._fragments) < len(document.definitions):
            raise NotForAnonymous

    def split(self) -> SplitDocument:
        roots = [self._roots(operation) for operation in self._operations]
        hidden = [[found for root in each for found in self._hidden(root)] for each in roots]
        after = References(self._fragments)
        after.add(node for each in hidden for selected in each for node in (selected.node, selected.wrapped()))
        pruned = {name: self._pruned_fragment(node) for name, node in self._fragments.items()}
        operations = [
            replace(node, selection_set=self._pruned(node.selection_set, self._root_type(node)))
            for node in self._operations
        ]
        before = References(pruned)
        before.add(operations)
        # What only the part after the sign-in uses does not belong to the part before it. What neither uses stays, for
        # the validation to find.
        fragments = [node for name, node in pruned.items() if name in before.fragments or name not in after.fragments]
        unused = after.variables - before.variables
        operations = [_without_variables(node, unused) for node in operations]
        parts = {
            node.name.value if node.name else None: self._parts(node, original, fragments, of_roots, of_hidden)
            for node, original, of_roots, of_hidden in zip(operations, self._operations, roots, hidden, strict=True)
        }
        return SplitDocument(DocumentNode(definitions=(*operations, *fragments)), parts)

    def _root_type(self, operation: OperationDefinitionNode) -> GraphQLObjectType:
        type_ = self._schema.get_root_type(operation.operation)
        if type_ is None:
            raise NotForAnonymous
        return type_

    def _roots(self, operation: OperationDefinitionNode) -> list[_Selected]:
        """Returns the root fields. Raises NotForAnonymous for one that is not for anonymous callers."""
        type_ = self._root_type(operation)
        found = list(self._fields(operation.selection_set, type_, (), ()))
        allowed = {*anonymous_fields(type_), "__typename"}
        if any(each.node.name.value not in allowed for each in found):
            raise NotForAnonymous
        return found

    def _fields(
        self,
        selection_set: SelectionSetNode,
        parent: GraphQLNamedType | None,
        path: Path,
        conditions: tuple[tuple[DirectiveNode, ...], ...],
    ) -> Iterator[_Selected]:
        """Yields the fields of a selection set, those of its fragments too."""
        for node in selection_set.selections:
            self._visits += 1
            if self._visits > _MAX_VISITS:
                raise NotForAnonymous
            if isinstance(node, FieldNode):
                yield _Selected(node, parent, (*path, (node.alias or node.name).value), conditions)
                continue
            fragment = self._fragments.get(node.name.value) if isinstance(node, FragmentSpreadNode) else node
            if not isinstance(fragment, FragmentDefinitionNode | InlineFragmentNode):
                raise NotForAnonymous
            condition = fragment.type_condition
            inner = self._schema.get_type(condition.name.value) if condition else parent
            around = (*conditions, node.directives) if node.directives else conditions
            yield from self._fields(fragment.selection_set, inner, path, around)

    def _hidden(self, selected: _Selected) -> Iterator[_Selected]:
        """Yields the fields below a root field, and in it, whose selection is for after the sign-in."""
        field = self._definition(selected)
        if selected.node.selection_set is None:
            return
        if _declared(field, AFTER_SIGN_IN):
            yield selected
            return
        type_ = get_named_type(field.type) if field else None
        for inner in self._fields(selected.node.selection_set, type_, selected.path, selected.conditions):
            yield from self._hidden(inner)

    @staticmethod
    def _definition(selected: _Selected) -> GraphQLField | None:
        if not isinstance(selected.parent, GraphQLObjectType):
            return None
        return selected.parent.fields.get(selected.node.name.value)

    def _pruned_fragment(self, node: FragmentDefinitionNode) -> FragmentDefinitionNode:
        type_ = self._schema.get_type(node.type_condition.name.value)
        return replace(node, selection_set=self._pruned(node.selection_set, type_))

    def _pruned(self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None) -> SelectionSetNode:
        """Returns the selection set with `__typename` in place of what is selected for after the sign-in."""
        selections: list[SelectionNode] = []
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                node = self._pruned_field(node, parent)
            elif isinstance(node, InlineFragmentNode):
                inner = self._schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                node = replace(node, selection_set=self._pruned(node.selection_set, inner))
            selections.append(node)
        return replace(selection_set, selections=tuple(selections))

    def _pruned_field(self, node: FieldNode, parent: GraphQLNamedType | None) -> FieldNode:
        if node.selection_set is None:
            return node
        field = parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType) else None
        if _declared(field, AFTER_SIGN_IN):
            return replace(node, selection_set=_TYPENAME)
        inner = get_named_type(field.type) if field else None
        return replace(node, selection_set=self._pruned(node.selection_set, inner))

    def _parts(
        self,
        operation: OperationDefinitionNode,
        original: OperationDefinitionNode,
        fragments: Iterable[FragmentDefinitionNode],
        roots: list[_Selected],
        hidden: list[_Selected],
    ) -> tuple[Part, ...]:
        """Returns the parts of an operation: one, unless several root fields can each sign the caller in."""
        keys = list(dict.fromkeys(each.path[0] for each in hidden))
        if len(keys) < 2:
            return (self._part(DocumentNode(definitions=(operation, *fragments)), original, hidden),)
        parts = []
        for key in dict.fromkeys(root.path[0] for root in roots):
            selections = [
                root.wrapped(self._pruned_field(root.node, root.parent)) for root in roots if root.path[0] == key
            ]
            alone = replace(operation, selection_set=_selecting(*selections))
            of_key = [each for each in hidden if each.path[0] == key]
            parts.append(self._part(DocumentNode(definitions=(alone, *fragments)), original, of_key))
        return tuple(parts)

    def _part(self, before: DocumentNode, original: OperationDefinitionNode, hidden: list[_Selected]) -> Part:
        keys = {path: f"after{number}" for number, path in enumerate(dict.fromkeys(each.path for each in hidden))}
        selections = [
            each.wrapped(
                replace(
                    each.node,
                    alias=NameNode(value=keys[each.path]),
                    name=NameNode(value=_declared(self._definition(each), AFTER_SIGN_IN)),
                )
            )
            for each in hidden
        ]
        used = References(self._fragments)
        used.add(selections)
        variables = tuple(
            node for node in original.variable_definitions or () if node.variable.name.value in used.variables
        )
        query = OperationDefinitionNode(
            operation=OperationType.QUERY,
            name=original.name,
            variable_definitions=variables,
            directives=(),
            selection_set=_selecting(*selections),
        )
        spread = (self._fragments[name] for name in self._fragments if name in used.fragments)
        return Part(before, DocumentNode(definitions=(query, *spread)), {key: path for path, key in keys.items()})


def _without_variables(node: OperationDefinitionNode, names: set[str]) -> OperationDefinitionNode:
    kept = tuple(each for each in node.variable_definitions or () if each.variable.name.value not in names)
    return replace(node, variable_definitions=kept)
