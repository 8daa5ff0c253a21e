"""Saved operations by name and SHA-256, documents of clients by id and by text, and the mode that runs nothing else."""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, Self

from graphql import parse, print_ast

from transport.graphql.document_cache import DocumentCache
from transport.graphql.errors import BAD_REQUEST, OperationRejected, bad_request, operation_rejected
from transport.graphql.prepared_document import PreparedDocument
from transport.graphql.request import GraphQLRequest, identity
from transport.limits import Limits

PERSISTED_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"

# Texts that clients send in another layout than the printed one, and that are known.
MAX_LAYOUTS = 1_000

# The saved query with which clients check the ids given to another one: every access key may run it.
RECORD_IDS = "record_ids"


class RegisteredDocuments(Protocol):
    """The trusted documents that the operator has registered for clients."""

    async def find(self, identity: str, client: tuple[str, str | None] | None = None) -> str | None:
        """Returns the text with that id, or that SHA-256 of its printed form; counts it as used by the client."""


class PersistedDocuments:
    """The documents of an installation: the saved operations, `texts` by name, and those of clients, `registered`.

    `trusted_only` rejects every other document.
    """

    def __init__(
        self, texts: dict[str, str], trusted_only: bool = False, registered: RegisteredDocuments | None = None
    ) -> None:
        self.trusted_only = trusted_only
        self._registered = registered
        self._names = {text: name for name, text in texts.items()}
        self._texts = dict(texts)
        for text in texts.values():
            self._texts[sha256(text)] = text
        # In this mode alone a text is compared with those that are known: by the hash of its printed form.
        self._printed = {sha256(print_ast(parse(text))): text for text in texts.values()} if trusted_only else {}
        # The hash of the printed form by that of the text as a client sends it.
        self._printed_hashes: OrderedDict[str, str] = OrderedDict()

    @classmethod
    def read(cls, folder: Path, trusted_only: bool = False, registered: RegisteredDocuments | None = None) -> Self:
        """Reads the `.graphql` files of a folder, each under its file name without the suffix."""
        texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.graphql"))}
        return cls(texts, trusted_only, registered)

    def text(self, document_id: str) -> str | None:
        """Returns the text of a saved operation by its name, by `sha256:<hex>` or by the hex digits alone."""
        return self._texts.get(document_id) or self._texts.get(identity(document_id))

    def name(self, text: str) -> str | None:
        """Returns the name under which a text is saved."""
        return self._names.get(text)

    def texts(self) -> list[str]:
        """Returns each saved text once."""
        return list(self._names)

    async def find(self, document_id: str, request: GraphQLRequest) -> str | None:
        """Returns the text that is saved or registered under an id; None if there is none."""
        text = self.text(document_id)
        if text is None and self._registered is not None:
            text = await self._registered.find(identity(document_id), request.client)
        return text

    async def same_text(self, request: GraphQLRequest, text: str, printed: Callable[[], Awaitable[str]]) -> str | None:
        """Returns the saved or registered text that differs from `text` in its layout at most; None if there is none.

        `printed()` returns its printed form. Raises what that raises.
        """
        if text in self._names:
            return text
        sent = sha256(text)
        printed_hash = self._printed_hashes.get(sent) or sha256(await printed())
        found = self._printed.get(printed_hash)
        if found is None and self._registered is not None:
            found = await self._registered.find(printed_hash, request.client)
        if found is not None:
            self._printed_hashes[sent] = printed_hash
            if len(self._printed_hashes) > MAX_LAYOUTS:
                self._printed_hashes.popitem(last=False)
        return found


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
        self._remembered: OrderedDict[str, str] = OrderedDict()
        for text in documents.texts():
            try:
                document_cache.pin(text)
            except OperationRejected as rejection:
                raise ValueError(f"saved operation {documents.name(text)}: {rejection}") from None

    async def find(self, request: GraphQLRequest, charge: Charge) -> tuple[PreparedDocument, str | None]:
        """Returns the document and the name that it is saved under, if any. Raises OperationRejected or HttpError."""
        text, is_trusted = await self._text(request)
        if self._documents.trusted_only and not is_trusted:
            text, is_trusted = await self._trusted_text(request, text, charge), True
        prepared = self._document_cache.find(text)
        if prepared is None:
            # Nobody pays for a document that the operator has registered.
            if not is_trusted:
                charge(text)
            prepared = await self._document_cache.prepare_in_turn(text)
        if request.query and request.persisted_hash is not None:
            self._remember(request.persisted_hash, text)
        return prepared, self._documents.name(text)

    async def _text(self, request: GraphQLRequest) -> tuple[str, bool]:
        """Returns the text of a request, and whether it was found under an id of the installation's documents."""
        if request.document_id:
            if request.query:
                raise bad_request("Send either documentId or query, not both.")
            text = await self._documents.find(request.document_id, request)
            if text is None:
                raise operation_rejected("documentId must name a saved or registered operation.", BAD_REQUEST)
            return text, True
        hashed = request.persisted_hash
        if hashed is None:
            return request.query or "", False
        if request.query:
            if sha256(request.query) != hashed:
                raise bad_request("extensions.persistedQuery.sha256Hash must be the hash of query.")
            return request.query, False
        text = await self._documents.find(hashed, request)
        if text is not None:
            return text, True
        text = self._remembered.get(hashed)
        if text is None:
            raise not_registered()
        return text, False

    async def _trusted_text(self, request: GraphQLRequest, text: str, charge: Charge) -> str:
        async def printed() -> str:
            charge(text)
            return await self._document_cache.printed_in_turn(text)

        try:
            found = await self._documents.same_text(request, text, printed)
        except OperationRejected:
            found = None
        if found is None:
            message = "This server runs saved and registered operations only: documentId must name one."
            raise operation_rejected(message, NOT_TRUSTED)
        return found

    def _remember(self, hashed: str, text: str) -> None:
        self._remembered[hashed] = text
        if len(self._remembered) > self._limits.kept_hashes:
            self._remembered.popitem(last=False)


def not_registered() -> OperationRejected:
    """The rejection of a hash without its text: Apollo Client sends the text when it gets this message or this code."""
    return operation_rejected("PersistedQueryNotFound", PERSISTED_NOT_FOUND)


def sha256(text: str) -> str:
    """Returns the hash of a document: lower-case hex digits, of its UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()
