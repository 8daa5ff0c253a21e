"""The trusted documents as a process that serves knows them: by id and by text, and how often each is used."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from db.database import Database
from db.models.trusted_document import ClientDocument, TrustedDocument
from db.outages import OutageLog
from domain import clock

# Seconds until a process sees what was retired, and until the database has what was used.
INTERVAL_SECONDS = 5.0
FLUSH_SECONDS = 60.0
# An unknown id is looked up in the database at most this often, however many requests bring one.
_MISS_SECONDS = 1.0

Client = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class _Entry:
    key: int
    client_name: str
    client_version: str


@dataclass(slots=True)
class _Known:
    """What the database had at the last look. `stamp` changes with every addition and every retirement."""

    stamp: tuple[int, int] = (0, 0)
    texts: dict[int, str] = field(default_factory=dict)
    documents: dict[str, int] = field(default_factory=dict)
    entries: Mapping[int, list[_Entry]] = field(default_factory=dict)


class TrustedDocuments:
    """The documents of one process: `run()` while the server runs. `uses`: since the start, by client and version."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = _Known()
        self._looking = asyncio.Lock()
        self._missed_at = float("-inf")
        self._unsaved: Counter[int] = Counter()
        self.uses: Counter[tuple[str, str]] = Counter()
        self._outages = OutageLog("trusted_documents")

    async def find(self, identity: str, client: Client | None = None) -> str | None:
        """Returns the text with that id, or with that SHA-256 of its printed form, and counts the use; None if unknown.

        `client`: the name and the version that the request gives; the use counts for them where they have the document.
        Raises SQLAlchemyError where an unknown id cannot be looked up.
        """
        key = self._known.documents.get(identity)
        if key is None:
            await self._look_for_new()
            key = self._known.documents.get(identity)
        if key is None:
            return None
        self._count(key, client)
        return self._known.texts[key]

    def counts(self) -> dict[tuple[str, str], int]:
        """Returns how many documents each version of each client has."""
        return Counter(
            (each.client_name, each.client_version) for entries in self._known.entries.values() for each in entries
        )

    async def run(self) -> None:
        """Looks again and again, and saves the uses; never returns."""
        flushed_at = time.monotonic()
        try:
            while True:
                try:
                    await self.look()
                    if time.monotonic() - flushed_at >= FLUSH_SECONDS:
                        await self.save_uses()
                        flushed_at = time.monotonic()
                    self._outages.worked()
                except (SQLAlchemyError, OSError) as error:
                    self._outages.failed(error)
                await asyncio.sleep(INTERVAL_SECONDS)
        finally:
            try:
                await self.save_uses()
            except (SQLAlchemyError, OSError) as error:
                self._outages.failed(error)

    async def look(self) -> None:
        """Reads the documents if there are others than at the last look. Raises SQLAlchemyError."""
        async with self._looking:
            await self._look()

    async def _look_for_new(self) -> None:
        """Looks at once, or together with other requests once a second has passed since the last unknown id.

        So a document is found as soon as it is registered, and unknown ids cost little.
        """
        asked_at = time.monotonic()
        async with self._looking:
            if self._missed_at >= asked_at:
                return
            await asyncio.sleep(max(0.0, self._missed_at + _MISS_SECONDS - asked_at))
            self._missed_at = time.monotonic()
            await self._look()

    async def _look(self) -> None:
        # unscoped: the documents of clients, which are no provider's
        state = select(func.count().label("number"), func.max(ClientDocument.id).label("newest"))
        found = (await self._database.rows(state.select_from(ClientDocument), primary=True))[0]
        stamp = (found.number, found.newest or 0)
        if stamp != self._known.stamp:
            self._known = await self._read(stamp)

    async def _read(self, stamp: tuple[int, int]) -> _Known:
        # One statement: a document that is retired meanwhile is there with its id, or not at all.
        # unscoped: the documents of clients, which are no provider's
        statement = select(
            TrustedDocument.id.label("document"), TrustedDocument.sha256, TrustedDocument.text,
            ClientDocument.id.label("entry"), ClientDocument.client_name, ClientDocument.client_version,
            ClientDocument.document_id,
        ).join(ClientDocument, ClientDocument.trusted_document_id == TrustedDocument.id)  # fmt: skip
        known, entries = _Known(stamp), defaultdict(list)
        for row in await self._database.rows(statement, primary=True):
            known.texts.setdefault(row.document, row.text)
            known.documents[row.sha256] = known.documents[row.document_id] = row.document
            entries[row.document].append(_Entry(row.entry, row.client_name, row.client_version))
        known.entries = dict(entries)
        return known

    def _count(self, key: int, client: Client | None) -> None:
        entries = self._known.entries[key]
        named = [each for each in entries if client and each.client_name == client[0]]
        exact = [each for each in named if client and each.client_version == client[1]]
        for each in exact or named or entries:
            self._unsaved[each.key] += 1
            self.uses[each.client_name, each.client_version] += 1

    async def save_uses(self) -> None:
        """Adds the uses since the last time to those in the database. Raises SQLAlchemyError."""
        unsaved, self._unsaved = self._unsaved, Counter()
        if not unsaved:
            return
        statement = (
            update(ClientDocument)
            .where(ClientDocument.id == bindparam("key"))
            .values(uses=ClientDocument.uses + bindparam("more"), last_used_on=bindparam("day"))
        )
        # In one order, so that two processes do not wait for each other.
        rows = [{"key": key, "more": more, "day": clock.today()} for key, more in sorted(unsaved.items())]
        try:
            async with self._database.writing() as session:
                connection = await session.connection()
                await connection.execute(statement, rows)
        except (SQLAlchemyError, OSError):
            self._unsaved.update(unsaved)
            raise
