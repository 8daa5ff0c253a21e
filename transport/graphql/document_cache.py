"""Parses, measures and validates documents once, and caches the result by their text."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    parse,
    print_ast,
    specified_rules,
    validate,
)
from strawberry import Schema
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from transport.graphql.complexity import DocumentWalk
from transport.graphql.deprecations import Deprecations
from transport.graphql.errors import VALIDATION_FAILED, OperationRejected, client_message, operation_rejected
from transport.graphql.input_values import check_literals
from transport.graphql.object_count import ObjectCount
from transport.graphql.prepared_document import Operation, PreparedDocument
from transport.graphql.time_slicing import Steps, TimeSlicer, run_at_once
from transport.limits import Limits

# The part of the event loop's time in which documents that are new are prepared.
SHARE_OF_LOOP = 0.5

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


@dataclass(slots=True)
class CacheStats:
    """How often a document, valid or not, was in the cache, and how often not; how many were parsed and validated."""

    hits: int = 0
    misses: int = 0
    parsed: int = 0
    validated: int = 0


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
        self._time_slicer = TimeSlicer(SHARE_OF_LOOP)
        self.stats = CacheStats()

    def pin(self, text: str) -> PreparedDocument:
        """Prepares a document that stays in the cache. Raises OperationRejected."""
        prepared = self._pinned[text] = run_at_once(self._steps(text))
        return prepared

    def pinned(self, text: str) -> PreparedDocument | None:
        """Returns a pinned document; None if the text is not pinned."""
        return self._pinned.get(text)

    def find(self, text: str) -> PreparedDocument | None:
        """Returns a document that is in the cache, else None. Raises OperationRejected for one that was rejected."""
        try:
            prepared = self._cached_result(text)
        except OperationRejected:
            self.stats.hits += 1
            raise
        if prepared is None:
            self.stats.misses += 1
        else:
            self.stats.hits += 1
        return prepared

    def _cached_result(self, text: str) -> PreparedDocument | None:
        prepared = self._pinned.get(text)
        if prepared is None and (prepared := self._cached.get(text)) is not None:
            self._cached.move_to_end(text)
        if prepared is None and (rejection := self._rejections.get(text)) is not None:
            raise OperationRejected(rejection.errors)
        return prepared

    def prepare(self, text: str) -> PreparedDocument:
        """Returns the document, ready to run. Raises OperationRejected for its syntax, its size or the schema."""
        return self.find(text) or run_at_once(self._storing(text))

    async def prepare_in_turn(self, text: str) -> PreparedDocument:
        """As `prepare`, for a text that was not in the cache.

        One document is prepared at a time, in steps, and all of them take a share of the event loop's time only.
        """
        return await self._time_slicer.run(self._storing(text))

    async def printed_in_turn(self, text: str) -> str:
        """Returns a document as it is printed, whatever its layout is. Raises OperationRejected."""
        return await self._time_slicer.run(self.printing(text, self._limits.tokens))

    def printing(self, text: str, tokens: int) -> Steps[str]:
        """The steps of `printed_in_turn`, for a document of at most so many tokens."""
        document = self.parse(text, tokens)
        yield
        return print_ast(document)

    def _storing(self, text: str) -> Steps[PreparedDocument]:
        # Another request may have sent the same text while this one waited for its turn.
        if (known := self._cached_result(text)) is not None:
            return known
        if len(text) > self._limits.document_characters:
            raise operation_rejected(
                f"The document has {len(text)} characters; the limit is {self._limits.document_characters}.",
                limit="document_characters",
                max=self._limits.document_characters,
                found=len(text),
            )
        try:
            prepared = yield from self._steps(text)
        except OperationRejected as error:
            # A new exception: this one would keep its traceback alive.
            self._rejections[text] = OperationRejected(error.errors)
            if len(self._rejections) > self._limits.kept_refusals:
                self._rejections.popitem(last=False)
            raise
        self._store(text, prepared)
        return prepared

    def _store(self, text: str, prepared: PreparedDocument) -> None:
        self._cached_characters += len(text)
        self._cached[text] = prepared
        while self._cached_characters > self._limits.kept_characters:
            evicted, _ = self._cached.popitem(last=False)
            self._cached_characters -= len(evicted)

    def _steps(self, text: str) -> Steps[PreparedDocument]:
        document = self.parse(text, self._limits.tokens)
        yield
        return (yield from self.checked(document))

    def parse(self, text: str, tokens: int) -> DocumentNode:
        """Parses a document of at most so many tokens. Raises OperationRejected."""
        check_literals(text)
        self.stats.parsed += 1
        limits = self._limits
        try:
            return parse(
                text,
                max_lexical_tokens=tokens,
                max_comments=limits.comments,
                max_source_length=limits.document_characters,
            )
        except GraphQLError as error:
            raise OperationRejected([_formatted(error)]) from None

    def checked(self, document: DocumentNode, hide_suggestions: bool = False) -> Steps[PreparedDocument]:
        """Measures and validates a document. Raises OperationRejected."""
        sizes = DocumentWalk(self._schema, document, self._limits).check()
        yield
        self.stats.validated += 1
        errors = validate(
            self._schema, document, RULES, max_errors=self._limits.errors, hide_suggestions=hide_suggestions
        )
        if errors:
            raise OperationRejected([_formatted(error) for error in errors])
        yield
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
                    objects=ObjectCount(document, node),
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
