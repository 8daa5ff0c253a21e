"""Saved operations by name and SHA-256, persisted queries by hash, and the mode in which nothing else runs."""

import hashlib
from collections import OrderedDict
from pathlib import Path
from typing import Self

from transport.graphql.document_cache import DocumentCache, PreparedDocument
from transport.graphql.errors import BAD_REQUEST, OperationRejected, operation_rejected
from transport.graphql.request import GraphQLRequest, bad_request
from transport.limits import Limits

PERSISTED_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"


class PersistedDocuments:
    """The saved operations of an installation: `texts` by name. `trusted_only` refuses every other document."""

    def __init__(self, texts: dict[str, str], trusted_only: bool = False) -> None:
        self.trusted_only = trusted_only
        self._names = {text: name for name, text in texts.items()}
        self._texts = dict(texts)
        for text in texts.values():
            self._texts[sha256(text)] = text

    @classmethod
    def read(cls, folder: Path, trusted_only: bool = False) -> Self:
        """The `.graphql` files of a folder, each named by its file name without the ending."""
        texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.graphql"))}
        return cls(texts, trusted_only)

    def text(self, document_id: str) -> str | None:
        """The text of a saved operation by its name, `sha256:<hex>` or bare hex."""
        return self._texts.get(document_id) or self._texts.get(document_id.removeprefix("sha256:").lower())

    def name(self, text: str) -> str | None:
        """The name under which a text is saved."""
        return self._names.get(text)

    def texts(self) -> list[str]:
        """Each saved text once."""
        return list(self._names)


class DocumentFinder:
    """From what a client names to a document ready to run.

    Apollo's persisted queries: a hash alone answers PERSISTED_QUERY_NOT_FOUND until it has come once with its text;
    what has been registered stays while there is room, in this process.
    """

    def __init__(self, preparation: DocumentCache, documents: PersistedDocuments, limits: Limits) -> None:
        self._preparation = preparation
        self._documents = documents
        self._limits = limits
        self._registered: OrderedDict[str, str] = OrderedDict()
        for text in documents.texts():
            try:
                preparation.pin(text)
            except OperationRejected as refusal:
                raise ValueError(f"saved operation {documents.name(text)}: {refusal}") from None

    def find(self, request: GraphQLRequest) -> tuple[PreparedDocument, str | None]:
        """The document and the name it is saved under. Raises Unrunnable or TurnedAway."""
        text = self._text(request)
        saved_name = self._documents.name(text)
        if self._documents.trusted_only and saved_name is None:
            raise operation_rejected(
                "This installation runs its saved operations only: name one by documentId.", NOT_TRUSTED
            )
        return self._preparation.prepare(text), saved_name

    def _text(self, request: GraphQLRequest) -> str:
        if request.document_id:
            if request.query:
                raise bad_request("Send either documentId or query, not both.")
            text = self._documents.text(request.document_id)
            if text is None:
                raise operation_rejected("There is no saved operation of that documentId.", BAD_REQUEST)
            return text
        hashed = request.persisted_hash
        if hashed is None:
            return request.query or ""
        if request.query:
            if sha256(request.query) != hashed:
                raise bad_request("The provided sha256Hash does not match the query.")
            if not self._documents.trusted_only and len(request.query) <= self._limits.document_characters:
                self._preparation.prepare(request.query)
                self._register(hashed, request.query)
            return request.query
        text = self._documents.text(hashed) or self._registered.get(hashed)
        if text is None:
            # Word and code that Apollo Client looks for before it sends the text.
            raise operation_rejected("PersistedQueryNotFound", PERSISTED_NOT_FOUND)
        return text

    def _register(self, hashed: str, text: str) -> None:
        self._registered[hashed] = text
        if len(self._registered) > self._limits.kept_hashes:
            self._registered.popitem(last=False)


def sha256(text: str) -> str:
    """The hash that a document is known by: lower-case hex of its UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()
