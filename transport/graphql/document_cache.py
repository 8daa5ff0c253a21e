"""Parses, measures and validates documents once, and caches the result by their text."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)
from strawberry import Schema
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from transport.graphql.complexity import DocumentWalk
from transport.graphql.cost import Cost, evaluate
from transport.graphql.deprecations import Deprecations
from transport.graphql.errors import VALIDATION_FAILED, OperationRejected, client_message, operation_rejected
from transport.limits import Limits

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a valid document.

    `only_introspects` says that its result is the same for every caller; `deprecated` are the coordinates of the
    deprecated parts of the schema that it uses.
    """

    document: DocumentNode
    name: str | None
    kind: OperationType
    cost: Cost
    introspects: bool
    only_introspects: bool
    deprecated: tuple[str, ...]

    def cost_with(self, variables: Mapping[str, Any] | None, limits: Limits) -> int:
        """Returns the cost of running it with these variables. Raises OperationRejected if it is over the limit."""
        cost = evaluate(self.cost, variables or {}, limits)
        if cost > limits.operation_cost:
            raise operation_rejected(
                f"This operation costs {cost} points; the limit is {limits.operation_cost}. Request smaller pages.",
                limit="operation_cost",
                max=limits.operation_cost,
                found=cost,
            )
        return cost


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A valid document and its operations by name."""

    operations: dict[str | None, Operation]

    def operation(self, name: str | None) -> Operation:
        """Returns the operation to run. Without a name it is the only one. Raises OperationRejected."""
        if not name:
            if len(self.operations) == 1:
                return next(iter(self.operations.values()))
            raise operation_rejected("operationName is required: the document has several operations.")
        try:
            return self.operations[name]
        except KeyError:
            raise operation_rejected("operationName must name an operation of the document.") from None


@dataclass(slots=True)
class CacheStats:
    """How often a document, valid or not, was in the cache, and how often it was not."""

    hits: int = 0
    misses: int = 0


class DocumentCache:
    """Prepares documents for one schema, and caches them.

    Valid documents are evicted, least recently used first, beyond `kept_characters`. Rejected ones are cached apart,
    beyond `kept_refusals` the oldest first, so that they never evict a valid document. A pinned document stays.
    """

    def __init__(self, schema: Schema, limits: Limits) -> None:
        self._schema = schema._schema
        self._limits = limits
        self._deprecations = Deprecations(self._schema)
        self._pinned: dict[str, PreparedDocument] = {}
        self._cached: OrderedDict[str, PreparedDocument] = OrderedDict()
        self._cached_characters = 0
        self._rejections: OrderedDict[str, OperationRejected] = OrderedDict()
        self.stats = CacheStats()

    def pin(self, text: str) -> PreparedDocument:
        """Prepares a document that stays in the cache. Raises OperationRejected."""
        prepared = self._pinned[text] = self._prepare(text)
        return prepared

    def prepare(self, text: str) -> PreparedDocument:
        """Returns the document, ready to run. Raises OperationRejected for its syntax, its size or the schema."""
        prepared = self._pinned.get(text)
        if prepared is not None:
            self.stats.hits += 1
            return prepared
        prepared = self._cached.get(text)
        if prepared is not None:
            self.stats.hits += 1
            self._cached.move_to_end(text)
            return prepared
        rejection = self._rejections.get(text)
        if rejection is not None:
            self.stats.hits += 1
            raise OperationRejected(rejection.errors)
        self.stats.misses += 1
        if len(text) > self._limits.document_characters:
            raise operation_rejected(
                f"The document has {len(text)} characters; the limit is {self._limits.document_characters}.",
                limit="document_characters",
                max=self._limits.document_characters,
                found=len(text),
            )
        try:
            prepared = self._prepare(text)
        except OperationRejected as error:
            # A new exception: this one would keep its traceback alive.
            self._rejections[text] = OperationRejected(error.errors)
            if len(self._rejections) > self._limits.kept_refusals:
                self._rejections.popitem(last=False)
            raise
        self._store(text, prepared)
        return prepared

    def _store(self, text: str, prepared: PreparedDocument) -> None:
        self._cached[text] = prepared
        self._cached_characters += len(text)
        while self._cached_characters > self._limits.kept_characters:
            evicted, _ = self._cached.popitem(last=False)
            self._cached_characters -= len(evicted)

    def _prepare(self, text: str) -> PreparedDocument:
        limits = self._limits
        try:
            document = parse(
                text,
                max_lexical_tokens=limits.tokens,
                max_comments=limits.comments,
                max_source_length=limits.document_characters,
            )
        except GraphQLError as error:
            raise OperationRejected([_formatted(error)]) from None
        sizes = DocumentWalk(self._schema, document, limits).check()
        if errors := validate(self._schema, document, RULES, max_errors=limits.errors):
            raise OperationRejected([_formatted(error) for error in errors])
        return PreparedDocument(
            {
                node.name.value if node.name else None: Operation(
                    document=document,
                    name=node.name.value if node.name else None,
                    kind=node.operation,
                    cost=size.cost,
                    introspects=size.introspects,
                    only_introspects=size.introspects and _only_introspects(node),
                    deprecated=deprecated,
                )
                for (node, size), deprecated in zip(sizes, self._deprecations.used_by(document), strict=True)
            }
        )


def _only_introspects(operation: OperationDefinitionNode) -> bool:
    """Whether the root fields are __schema, __type or __typename only, and there are no variables."""
    return not operation.variable_definitions and all(
        isinstance(node, FieldNode) and node.name.value.startswith("__") for node in operation.selection_set.selections
    )


def _formatted(error: GraphQLError) -> dict[str, Any]:
    return {**error.formatted, "message": client_message(error), "extensions": {"code": VALIDATION_FAILED}}
