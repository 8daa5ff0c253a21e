"""The fragments and variables that parts of a document refer to."""

from collections.abc import Iterable, Mapping

from graphql import FragmentDefinitionNode, FragmentSpreadNode, Node, VariableDefinitionNode, VariableNode


class References:
    """The names of the fragments and variables that nodes refer to, fragments within fragments included."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._definitions = fragments
        self.fragments: set[str] = set()
        self.variables: set[str] = set()

    def add(self, nodes: Iterable[Node]) -> None:
        """Adds what the nodes refer to."""
        waiting: list[object] = list(nodes)
        while waiting:
            node = waiting.pop()
            if isinstance(node, tuple):
                waiting.extend(node)
            elif isinstance(node, VariableNode):
                self.variables.add(node.name.value)
            elif isinstance(node, Node) and not isinstance(node, VariableDefinitionNode):
                if isinstance(node, FragmentSpreadNode) and node.name.value not in self.fragments:
                    self.fragments.add(node.name.value)
                    waiting.append(self._definitions.get(node.name.value))
                waiting.extend(getattr(node, key) for key in node.keys if key != "loc")
