"""The number of objects in the data of a response, found without looking at the fields that hold none."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

# The fields of a selection that give objects, by response key, each with those of the selection within it.
ObjectFields = dict[str, Any]


class ObjectCount:
    """Counts the objects in the data of one operation. Its fields are found when the first data is counted."""

    __slots__ = ("_document", "_fields", "_operation")

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self._document, self._operation = document, operation
        self._fields: ObjectFields | None = None

    def of(self, data: dict[str, Any] | None) -> int:
        """Returns the number of objects, the data itself included. An edge is not counted in addition to its node."""
        if data is None:
            return 0
        if self._fields is None:
            self._fields = _object_fields(self._document, self._operation)
        return _count([data], self._fields)


def _object_fields(document: DocumentNode, operation: OperationDefinitionNode) -> ObjectFields:
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    fields: ObjectFields = {}
    _add_fields(fields, operation.selection_set, fragments)
    return fields


def _add_fields(
    fields: ObjectFields, selection: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> None:
    """Adds the fields of a selection. It is small: the fields of a document are limited with fragments expanded."""
    for node in selection.selections:
        if isinstance(node, FieldNode):
            if node.selection_set is not None:
                key = (node.alias or node.name).value
                _add_fields(fields.setdefault(key, {}), node.selection_set, fragments)
        elif isinstance(node, InlineFragmentNode):
            _add_fields(fields, node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            _add_fields(fields, fragments[node.name.value].selection_set, fragments)


def _count(values: list[dict[str, Any]], fields: ObjectFields) -> int:
    """Returns the number of objects in these, which are included: field by field, so that it makes few calls."""
    count = len(values)
    for name, below in fields.items():
        parts = [value[name] for value in values if name in value]
        objects = [part for part in parts if part.__class__ is dict]
        lists = [part for part in parts if part.__class__ is list]
        if name == "edges":
            count -= sum(map(len, lists))
        while lists:
            items = [item for each in lists for item in each]
            objects += [item for item in items if item.__class__ is dict]
            lists = [item for item in items if item.__class__ is list]
        if objects:
            count += _count(objects, below)
    return count
