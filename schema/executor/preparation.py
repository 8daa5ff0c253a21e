"""What an operation needs before it runs, found once: its fragments, and the coercion of its variables."""

import weakref
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, GraphQLSchema
from graphql.execution.values import VariableValues

from .variables import CoerceVariables, VariableCompiler


@dataclass(slots=True)
class Preparation:
    """An operation with its fragments, as graphql-core has found them in the document."""

    document: weakref.ref[DocumentNode]
    schema: GraphQLSchema
    operation: Any
    fragment_definitions: Any
    fragments: Any
    coerce: CoerceVariables

    def variables(self, values: Mapping[str, Any]) -> VariableValues | None:
        """Returns the coerced variables; None where graphql-core must coerce them, or say what is wrong with them."""
        try:
            return self.coerce(values)
        except Exception:
            return None


class Preparations:
    """A least-recently-used cache of preparations, by document and name of the operation; `most` bounds it.

    An entry is dropped when its document is garbage-collected.
    """

    def __init__(self, most: int = 512) -> None:
        self._most = most
        self._compiler = VariableCompiler()
        self._known: OrderedDict[tuple[int, str | None], Preparation] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def find(self, schema: GraphQLSchema, document: DocumentNode, name: str | None) -> Preparation | None:
        """Returns the preparation of an operation, if it is known."""
        known = self._known.get((id(document), name))
        if known is None or known.document() is not document or known.schema is not schema:
            return None
        self._known.move_to_end((id(document), name))
        return known

    def add(self, document: DocumentNode, name: str | None, executor: Any) -> None:
        """Keeps what graphql-core has found for an executor, unless its variables cannot be compiled."""
        key = id(document), name
        if key in self._known:
            return

        def drop(_: weakref.ref[DocumentNode]) -> None:
            self._known.pop(key, None)

        try:
            coerce = self._compiler.compile(executor.schema, executor.operation.variable_definitions or ())
        except Exception:
            return
        self._known[key] = Preparation(
            weakref.ref(document, drop), executor.schema, executor.operation, executor.fragment_definitions,
            executor.fragments, coerce,
        )  # fmt: skip
        if len(self._known) > self._most:
            self._known.popitem(last=False)
