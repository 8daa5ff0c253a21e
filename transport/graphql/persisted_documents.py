"""Saved operations by name and SHA-256, persisted queries by hash, and the mode that runs nothing else."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Self

from transport.graphql.document_cache import DocumentCache
from transport.graphql.errors import BAD_REQUEST, OperationRejected, bad_request, operation_rejected
from transport.graphql.prepared_document import PreparedDocument
from transport.graphql.request import GraphQLRequest
from transport.limits import Limits

PERSISTED_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"

# The saved query with which clients check the ids given to another one: every access key may run it.
RECORD_IDS = "record_ids"


class PersistedDocuments:
    """The saved operations of an installation, `texts` by name. `trusted_only` rejects every other document."""

    def __init__(self, texts: dict[str, str], trusted_only: bool = False) -> None:
        self.trusted_only = trusted_only
        self._names = {text: name for name, text in texts.items()}
        self._texts = dict(texts)
        for text in texts.values():
            self._texts[sha256(text)] = text

    @classmethod
    def read(cls, folder: Path, trusted_only: bool = False) -> Self:
        """Reads the `.graphql` files of a folder, each under its file name without the suffix."""
        texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.graphql"))}
        return cls(texts, trusted_only)

    def text(self, document_id: str) -> str | None:
        """Returns the text of a saved operation by its name, by `sha256:<hex>` or by the hex digits alone."""
        return self._texts.get(document_id) or self._texts.get(document_id.removeprefix("sha256:").lower())

    def name(self, text: str) -> str | None:
        """Returns the name under which a text is saved."""
        return self._names.get(text)

    def texts(self) -> list[str]:
        """Returns each saved text once."""
        return list(self._names)


# Called with the text of a document before the server works on it. Raises HttpError 429 if the budget is spent.
Charge = Callable[[str], None]


class DocumentFinder:
    """Finds the document of a signed-in caller's request.

    Apollo's persisted queries: a hash without its text is answered with PERSISTED_QUERY_NOT_FOUND until it was sent
    once with its text. This process then remembers it, up to `kept_hashes` of them.
    """

    def __init__(self, document_cache: DocumentCache, documents: PersistedDocuments, limits: Limits) -> None:
        self._document_cache = document_cache
        self._documents = documents
        self._limits = limits
        self._registered: OrderedDict[str, str] = OrderedDict()
        for text in documents.texts():
            try:
                document_cache.pin(text)
            except OperationRejected as rejection:
                raise ValueError(f"saved operation {documents.name(text)}: {rejection}") from None

    async def find(self, request: GraphQLRequest, charge: Charge) -> tuple[PreparedDocument, str | None]:
        """Returns the document and the name that it is saved under, if any. Raises OperationRejected or HttpError."""
        text = self._text(request)
        saved_name = self._documents.name(text)
        if self._documents.trusted_only and saved_name is None:
            raise operation_rejected("This server runs saved operations only: documentId must name one.", NOT_TRUSTED)
        prepared = self._document_cache.find(text)
        if prepared is None:
            charge(text)
            prepared = await self._document_cache.prepare_in_turn(text)
        if request.query and request.persisted_hash is not None:
            self._register(request.persisted_hash, text)
        return prepared, saved_name

    def _text(self, request: GraphQLRequest) -> str:
        if request.document_id:
            if request.query:
                raise bad_request("Send either documentId or query, not both.")
            text = self._documents.text(request.document_id)
            if text is None:
                raise operation_rejected("documentId must name a saved operation.", BAD_REQUEST)
            return text
        hashed = request.persisted_hash
        if hashed is None:
            return request.query or ""
        if request.query:
            if sha256(request.query) != hashed:
                raise bad_request("extensions.persistedQuery.sha256Hash must be the hash of query.")
            return request.query
        text = self._documents.text(hashed) or self._registered.get(hashed)
        if text is None:
            raise not_registered()
        return text

    def _register(self, hashed: str, text: str) -> None:
        self._registered[hashed] = text
        if len(self._registered) > self._limits.kept_hashes:
            self._registered.popitem(last=False)


def not_registered() -> OperationRejected:
    """The rejection of a hash without its text: Apollo Client sends the text when it gets this message or this code."""
    return operation_rejected("PersistedQueryNotFound", PERSISTED_NOT_FOUND)


def sha256(text: str) -> str:
    """Returns the hash of a document: lower-case hex digits, of its UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()
