"""How often one response key stands in one place: what the check for conflicting fields pays its square for."""

from collections.abc import Iterable

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, SelectionSetNode

from transport.graphql.errors import operation_rejected
from transport.limits import Limits


def check_overlaps(
    roots: Iterable[SelectionSetNode], fragments: dict[str, FragmentDefinitionNode], limits: Limits
) -> None:
    """Raises Unrunnable where a key is repeated too often, or all repeats together make too many pairs.

    Walks every spread field once: the caller has held `fields` to its limit.
    """
    pairs = 0
    waiting = [[root] for root in roots]
    while waiting:
        for nodes in _by_key(waiting.pop(), fragments).values():
            count = len(nodes)
            pairs += count * (count - 1) // 2
            if count > limits.repeats:
                raise operation_rejected(
                    f"This document selects one field {count} times in one place; the limit is {limits.repeats}.",
                    limit="repeats",
                    max=limits.repeats,
                    found=count,
                )
            if pairs > limits.repeat_pairs:
                raise operation_rejected(
                    "This document selects the same fields too often in the same places.",
                    limit="repeat_pairs",
                    max=limits.repeat_pairs,
                )
            if inner := [node.selection_set for node in nodes if node.selection_set]:
                waiting.append(inner)


def _by_key(
    selection_sets: list[SelectionSetNode], fragments: dict[str, FragmentDefinitionNode]
) -> dict[str, list[FieldNode]]:
    """The fields of merged selection sets under their response keys, each fragment taken in once."""
    grouped: dict[str, list[FieldNode]] = {}
    spread: set[str] = set()
    waiting = list(selection_sets)
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                grouped.setdefault((node.alias or node.name).value, []).append(node)
            elif not isinstance(node, FragmentSpreadNode):
                waiting.append(node.selection_set)
            elif node.name.value not in spread and node.name.value in fragments:
                spread.add(node.name.value)
                waiting.append(fragments[node.name.value].selection_set)
    return grouped
