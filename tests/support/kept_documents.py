"""Parses and validates each GraphQL document once in a process, for schemas that tests call directly."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import strawberry
from graphql import DocumentNode, GraphQLError, parse
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

# Above the number of documents that all tests send. The caches of Strawberry keep 128, and compare whole documents.
_DOCUMENTS = 5_000


class KeptDocuments(SchemaExtension):
    """An extension for `Schema.extensions`: a document that was sent before is neither parsed nor validated again."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        assert context.query is not None
        context.graphql_document = _parsed(context.query, tuple(context.parse_options.items()))
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        assert context.query is not None
        context.pre_execution_errors = _errors(
            context.schema, context.query, tuple(context.parse_options.items()), tuple(context.validation_rules)
        )
        yield


@lru_cache(_DOCUMENTS)
def _parsed(text: str, options: tuple[tuple[str, Any], ...]) -> DocumentNode:
    return parse(text, **dict(options))


@lru_cache(_DOCUMENTS)
def _errors(
    schema: strawberry.Schema, text: str, options: tuple[tuple[str, Any], ...], rules: tuple[Any, ...]
) -> list[GraphQLError]:
    return validate_document(schema._schema, _parsed(text, options), rules)
