"""Finds documents of anonymous callers: saved operations that need no viewer, and sign-in operations in any form."""

import re
from collections import OrderedDict
from dataclasses import dataclass

from graphql import GraphQLSchema

from transport.graphql.anonymous_document import NotForAnonymous, Part, anonymous_fields, split
from transport.graphql.document_cache import DocumentCache
from transport.graphql.errors import UNAUTHENTICATED, OperationRejected, bad_request, operation_rejected
from transport.graphql.persisted_documents import Charge, PersistedDocuments, not_registered, sha256
from transport.graphql.prepared_document import PreparedDocument
from transport.graphql.request import GraphQLRequest
from transport.graphql.time_slicing import Steps, TimeSlicer
from transport.limits import Limits

SIGN_IN_MESSAGE = "Sign in first: without an access token only the sign-in operations can be run."
MAX_KNOWN = 200
# The part of the event loop's time in which they are prepared, apart from the documents of signed-in callers.
SHARE_OF_LOOP = 0.2


@dataclass(frozen=True, slots=True)
class AnonymousDocument:
    """A valid document, and the parts of its operations by name; a saved operation runs as it is and has none."""

    prepared: PreparedDocument
    parts: dict[str | None, tuple[Part, ...]]
    saved_name: str | None = None


class AnonymousFinder:
    """Finds what an anonymous caller may run, and rejects everything else with one message, valid or not.

    A text that cannot be a sign-in operation, because it is too long or names none of their fields, is not even parsed.
    What is parsed is validated only if it has no other root fields, and without suggestions.
    """

    def __init__(
        self, schema: GraphQLSchema, document_cache: DocumentCache, documents: PersistedDocuments, limits: Limits
    ) -> None:
        self._schema = schema
        self._document_cache = document_cache
        self._documents = documents
        self._limits = limits
        names = {*anonymous_fields(schema.query_type), *anonymous_fields(schema.mutation_type), "__typename"}
        self._root_field = re.compile(rf"\b(?:{'|'.join(sorted(names))})\b", re.ASCII)
        self._time_slicer = TimeSlicer(SHARE_OF_LOOP)
        self._known: OrderedDict[str, AnonymousDocument] = OrderedDict()
        self._remembered: OrderedDict[str, str] = OrderedDict()
        self._saved: dict[str, AnonymousDocument] = {}
        for text in documents.texts():
            self._add_saved(text)

    def _add_saved(self, text: str) -> None:
        prepared = self._document_cache.pinned(text)
        assert prepared is not None
        try:
            split(self._schema, next(iter(prepared.operations.values())).document)
        except NotForAnonymous:
            return
        self._saved[text] = AnonymousDocument(prepared, {}, self._documents.name(text))

    async def find(self, request: GraphQLRequest, charge: Charge) -> AnonymousDocument:
        """Returns the document. Calls `charge` before it works on a text. Raises OperationRejected or HttpError."""
        text, is_trusted = await self._text(request)
        if self._documents.trusted_only and not is_trusted:
            text, is_trusted = await self._trusted_text(request, text, charge), True
        found = self._saved.get(text) or self._known.get(text)
        if found is None:
            charge(text)
            if not (is_trusted or self._can_sign_in(text)):
                raise sign_in_first()
            try:
                tokens = self._limits.tokens if is_trusted else self._limits.tokens_anonymous
                found = await self._time_slicer.run(self._steps(text, tokens))
            except (OperationRejected, NotForAnonymous):
                raise sign_in_first() from None
        if request.persisted_hash is not None:
            self._remembered[request.persisted_hash] = text
            if len(self._remembered) > MAX_KNOWN:
                self._remembered.popitem(last=False)
        return found

    def _can_sign_in(self, text: str) -> bool:
        return len(text) <= self._limits.document_characters_anonymous and bool(self._root_field.search(text))

    async def _text(self, request: GraphQLRequest) -> tuple[str, bool]:
        """Returns the text of a request, and whether it was found under an id of the installation's documents."""
        hashed = request.persisted_hash
        if request.document_id:
            if request.query:
                raise bad_request("Send either documentId or query, not both.")
            text = await self._found(request.document_id, request)
            if text is None:
                raise sign_in_first()
            return text, True
        if hashed is None:
            return request.query or "", False
        if request.query:
            if sha256(request.query) != hashed:
                raise bad_request("extensions.persistedQuery.sha256Hash must be the hash of query.")
            return request.query, False
        if (found := await self._found(hashed, request)) is not None:
            return found, True
        text = self._remembered.get(hashed)
        if text is None:
            raise not_registered()
        return text, False

    async def _found(self, document_id: str, request: GraphQLRequest) -> str | None:
        """Returns the saved or registered text of an id; None for a saved operation that needs a viewer, too."""
        text = await self._documents.find(document_id, request)
        is_saved = text is not None and self._documents.name(text) is not None
        return text if not is_saved or text in self._saved else None

    async def _trusted_text(self, request: GraphQLRequest, text: str, charge: Charge) -> str:
        async def printed() -> str:
            charge(text)
            if not self._can_sign_in(text):
                raise sign_in_first()
            return await self._time_slicer.run(self._document_cache.printing(text, self._limits.tokens_anonymous))

        try:
            found = await self._documents.same_text(request, text, printed)
        except OperationRejected:
            found = None
        if found is None:
            raise sign_in_first()
        return found

    def _steps(self, text: str, tokens: int) -> Steps[AnonymousDocument]:
        document = self._document_cache.parse(text, tokens)
        yield
        parts = split(self._schema, document)
        yield
        prepared = yield from self._document_cache.checked(parts.before, hide_suggestions=True)
        found = self._known[text] = AnonymousDocument(prepared, parts.parts)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return found


def sign_in_first() -> OperationRejected:
    """The one rejection of what an anonymous caller may not run."""
    return operation_rejected(SIGN_IN_MESSAGE, UNAUTHENTICATED)
