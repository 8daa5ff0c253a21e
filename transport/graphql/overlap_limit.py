"""Limits repeated response keys: validation compares the fields under one key in pairs, so its time is quadratic."""

from collections.abc import Iterable

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from transport.graphql.errors import operation_rejected
from transport.limits import Limits


def check_overlaps(
    roots: Iterable[SelectionSetNode], fragments: dict[str, FragmentDefinitionNode], limits: Limits
) -> None:
    """Raises OperationRejected where one key is repeated too often, or where all keys make too many pairs of fields.

    Visits each field as often as it is spread, so the caller has to check the limit `fields` first.
    """
    pairs = 0
    waiting = [[root] for root in roots]
    while waiting:
        for nodes in _by_key(waiting.pop(), fragments).values():
            count = len(nodes)
            pairs += count * (count - 1) // 2
            if count > limits.repeats:
                raise operation_rejected(
                    f"The document has {count} fields with the same response key in one selection; the limit is "
                    f"{limits.repeats}.",
                    limit="repeats",
                    max=limits.repeats,
                    found=count,
                )
            if pairs > limits.repeat_pairs:
                raise operation_rejected(
                    "The document has too many fields with the same response key in the same selections; the limit is "
                    f"{limits.repeat_pairs} pairs.",
                    limit="repeat_pairs",
                    max=limits.repeat_pairs,
                )
            if inner := [node.selection_set for node in nodes if node.selection_set]:
                waiting.append(inner)


def _by_key(
    selection_sets: list[SelectionSetNode], fragments: dict[str, FragmentDefinitionNode]
) -> dict[str, list[FieldNode]]:
    """Groups the fields of merged selection sets by response key. Each fragment counts once."""
    grouped: dict[str, list[FieldNode]] = {}
    spread: set[str] = set()
    waiting = list(selection_sets)
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                grouped.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                if node.name.value in fragments:
                    waiting.append(fragments[node.name.value].selection_set)
    return grouped
