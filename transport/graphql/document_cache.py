"""Documents made ready to run: parsed, measured and validated once, and kept under their text."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
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
from transport.graphql.cost import Cost, cost_of
from transport.graphql.deprecations import Deprecations
from transport.graphql.errors import VALIDATION_FAILED, OperationRejected, operation_rejected
from transport.limits import Limits

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a valid document. `only_introspects`: its answer is the same for everyone.

    `deprecated` are the schema coordinates of what it names that will go.
    """

    document: DocumentNode
    name: str | None
    kind: OperationType
    cost: Cost
    introspects: bool
    only_introspects: bool
    deprecated: tuple[str, ...]

    def price(self, variables: Mapping[str, Any] | None, limits: Limits) -> int:
        """What running it costs, page sizes taken from the variables. Raises Unrunnable above what one may cost."""
        price = cost_of(self.cost, variables or {}, limits)
        if price > limits.operation_cost:
            raise operation_rejected(
                f"This operation costs {price} points; one may cost {limits.operation_cost}. Ask for smaller pages.",
                limit="operation_cost",
                max=limits.operation_cost,
                found=price,
            )
        return price


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A valid document and its operations by name."""

    operations: dict[str | None, Operation]

    def operation(self, name: str | None) -> Operation:
        """The operation to run; None and "" name the only one. Raises Unrunnable where there is no such one."""
        if not name:
            if len(self.operations) == 1:
                return next(iter(self.operations.values()))
            raise operation_rejected("This document holds several operations: operationName must say which one to run.")
        try:
            return self.operations[name]
        except KeyError:
            raise operation_rejected(f"This document holds no operation named '{name[:80]}'.") from None


@dataclass(slots=True)
class Counts:
    """How often a document was known already, and how often it was not; both valid and refused ones."""

    hits: int = 0
    misses: int = 0


class DocumentCache:
    """Prepares documents for one schema; `counts` says whether the keeping works.

    Documents that are valid stay until `kept_characters` are passed, the least recently used go first; refused ones are
    kept apart, so that a flood of them drives no good document out. `pin` keeps one for good.
    """

    def __init__(self, schema: Schema, limits: Limits) -> None:
        self._schema = schema._schema
        self._limits = limits
        self._deprecations = Deprecations(self._schema)
        self._pinned: dict[str, PreparedDocument] = {}
        self._kept: OrderedDict[str, PreparedDocument] = OrderedDict()
        self._kept_characters = 0
        self._refused: OrderedDict[str, OperationRejected] = OrderedDict()
        self.counts = Counts()

    def pin(self, text: str) -> PreparedDocument:
        """Prepares a document that stays. Raises Unrunnable."""
        prepared = self._pinned[text] = self._prepare(text)
        return prepared

    def prepare(self, text: str) -> PreparedDocument:
        """The document ready to run. Raises Unrunnable: its syntax, its size, or the schema forbids it."""
        prepared = self._pinned.get(text)
        if prepared is not None:
            self.counts.hits += 1
            return prepared
        prepared = self._kept.get(text)
        if prepared is not None:
            self.counts.hits += 1
            self._kept.move_to_end(text)
            return prepared
        refused = self._refused.get(text)
        if refused is not None:
            self.counts.hits += 1
            raise OperationRejected(refused.errors)
        self.counts.misses += 1
        if len(text) > self._limits.document_characters:
            raise operation_rejected(
                f"This document has {len(text)} characters; the limit is {self._limits.document_characters}.",
                limit="document_characters",
                max=self._limits.document_characters,
                found=len(text),
            )
        try:
            prepared = self._prepare(text)
        except OperationRejected as refusal:
            self._refused[text] = OperationRejected(refusal.errors)
            if len(self._refused) > self._limits.kept_refusals:
                self._refused.popitem(last=False)
            raise
        self._keep(text, prepared)
        return prepared

    def _keep(self, text: str, prepared: PreparedDocument) -> None:
        self._kept[text] = prepared
        self._kept_characters += len(text)
        while self._kept_characters > self._limits.kept_characters:
            gone, _ = self._kept.popitem(last=False)
            self._kept_characters -= len(gone)

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
            raise OperationRejected([_described(error)]) from None
        sizes = DocumentWalk(self._schema, document, limits).check()
        if errors := validate(self._schema, document, RULES, max_errors=limits.errors):
            raise OperationRejected([_described(error) for error in errors])
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
                for (node, size), deprecated in zip(sizes, self._deprecations.named_by(document), strict=True)
            }
        )


def _only_introspects(operation: OperationDefinitionNode) -> bool:
    """Whether all that stands at the root is __schema, __type or __typename, without variables."""
    return not operation.variable_definitions and all(
        getattr(node, "name", None) is not None and node.kind == "field" and node.name.value.startswith("__")
        for node in operation.selection_set.selections
    )


def _described(error: GraphQLError) -> dict[str, Any]:
    # A message quotes what it is about, which may be as long as the document.
    return {**error.formatted, "message": error.message[:400], "extensions": {"code": VALIDATION_FAILED}}
