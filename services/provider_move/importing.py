"""Imports an exported provider: all of it, or nothing.

Every digest and the audit trail are checked before anything changes. Its keys move up by what the tables have given
already, each table's by its own number: none in an installation without providers.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Table, bindparam, func, insert, or_, select, text, true, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db import updated_at_triggers
from db.database import Database
from db.models.audit_event import AuditEvent
from db.models.provider import Provider
from db.models.provider_move import ProviderMove
from db.outages import CommitOutcomeUnknown
from db.table_version import table_version
from domain import clock
from services.audit.append import append
from services.audit.chain import EMPTY_TRAIL_HASH, event_hash
from services.audit.moved_keys import as_sealed
from services.audit.seal import seal
from services.provider_move.archive import Manifest, OpenExport, file_member, table_member
from services.provider_move.rows import (
    ID,
    LARGEST_KEY,
    MoveError,
    check_keys,
    last_number,
    moved_row,
    moved_tables,
    numbered_tables,
    own_references,
    row_of,
    storage_columns,
)
from services.storage.file_store import FileStore
from services.storage.storage_keys import new_storage_key

_BATCH = 500
# Numbers that other transactions may draw while a range is reserved. On SQLite there are none.
_MARGIN = 1000
# Of the advisory lock that one import at a time has.
_LOCK = 7_301_954


@dataclass(frozen=True, slots=True)
class Imported:
    """What was imported. `shifts`: by table, what its keys are more here than they were."""

    manifest: Manifest
    provider_key: int
    shifts: Mapping[str, int]

    @property
    def keeps_ids(self) -> bool:
        """Whether every id is the one from before."""
        return not any(self.shifts.values())


async def import_provider(
    database: Database, store: FileStore, path: Path, on_part: Callable[[str], None] = lambda _: None
) -> Imported:
    """Imports the provider of an export. `on_part` is called before each table is checked or added.

    Raises MoveError, StoreFull, StoreUnavailable, before or without any change.
    """
    export = OpenExport(path)
    files: dict[str, str] = {}
    try:
        version = await table_version(database)
        if export.manifest.version != version.expanded:
            raise MoveError(
                f"The export has tables of version {export.manifest.version}, and these are of {version.expanded}. "
                "Update both installations to one version of Waymark, and export again."
            )
        _check(export, on_part)
        async with database.snapshot() as session:
            await _refuse_known(session, export.manifest)
        await _copy_files(export, store, files, on_part)
        async with database.writing() as session:
            imported = await _Import(session, export, files, on_part).run()
    except (IntegrityError, DataError, OverflowError, RecursionError):
        await _delete(store, files)
        raise MoveError(
            "The export is damaged: rows refer to others that it does not have, or have other types."
        ) from None
    except CommitOutcomeUnknown:
        # It may be there, and then it needs its files.
        raise
    except BaseException:
        await _delete(store, files)
        raise
    finally:
        export.close()
    return imported


async def _delete(store: FileStore, files: Mapping[str, str]) -> None:
    for storage_key in files.values():
        await store.delete(storage_key)


def _check(export: OpenExport, on_part: Callable[[str], None]) -> None:
    """Checks an export against its manifest, and its trail against its hashes. Raises MoveError."""
    manifest, tables = export.manifest, {table.name: table for table in moved_tables()}
    numbers = {table.name for table in numbered_tables()}
    if set(manifest.tables) != set(tables) or set(manifest.last_numbers) != numbers:
        raise MoveError("The export is damaged: it does not have the tables of its version.")
    for name, member in manifest.tables.items():
        on_part(f"check {name}")
        export.check(table_member(name), member)
        _check_rows(export, tables[name], member.rows)
    on_part("check files")
    for storage_key, member in manifest.files.items():
        export.check(file_member(storage_key), member)
    _check_trail(export)


def _check_rows(export: OpenExport, table: Table, expected: int) -> None:
    manifest, count = export.manifest, 0
    provider = manifest.provider
    for line in export.lines(table.name):
        row = row_of(table, line)
        check_keys(table, row, provider["id"], manifest.last_numbers)
        if table is Provider.__table__ and (row["name"], row["ukprn"]) != (provider["name"], provider["ukprn"]):
            raise MoveError("The export is damaged: its manifest names another provider than its rows.")
        count += 1
    if count != expected or (table is Provider.__table__ and count != 1):
        raise MoveError(f"The export is damaged: rows of {table.name} are missing.")


def _check_trail(export: OpenExport) -> None:
    moves = [ProviderMove(**row_of(ProviderMove.__table__, line)) for line in export.lines("provider_move")]
    if not all(type(each) is int and abs(each) <= LARGEST_KEY for move in moves for each in move.shifts.values()):
        raise MoveError("The export is damaged: its record of earlier moves cannot be read.")
    moves.sort(key=lambda move: move.id, reverse=True)
    line, previous = 0, EMPTY_TRAIL_HASH
    for text_ in export.lines("audit_event"):
        event = row_of(AuditEvent.__table__, text_)
        if event["sequence"] < 0:
            continue
        line += 1
        is_next = (event["sequence"], event["previous_hash"]) == (line, previous)
        if not is_next or event["hash"] != event_hash(as_sealed(event, moves)):
            raise MoveError(f"The export is damaged: line {event['sequence']} of the audit trail was changed.")
        previous = event["hash"]
    if (line, previous) != (export.manifest.trail_line, export.manifest.trail_hash):
        raise MoveError("The export is damaged: its audit trail ends elsewhere.")


async def _refuse_known(session: AsyncSession, manifest: Manifest) -> None:
    name, ukprn = manifest.provider["name"], manifest.provider["ukprn"]
    same = or_(Provider.name == name, Provider.ukprn == ukprn if ukprn else Provider.name == name)
    if await session.scalar(select(Provider.id).where(same).limit(1)) is not None:
        raise MoveError("This installation has a provider of that name or UKPRN already. Nothing was imported.")


async def _copy_files(
    export: OpenExport, store: FileStore, files: dict[str, str], on_part: Callable[[str], None]
) -> None:
    """Copies the files into the store; adds their new storage keys, by those from before."""
    on_part("files")
    for storage_key in export.manifest.files:
        # A file of this installation may have the key, if one of the two was made from a copy of the other.
        target = new_storage_key() if await store.exists(storage_key) else storage_key
        files[storage_key] = target
        await store.write_as(target, _chunks(export, storage_key))


async def _chunks(export: OpenExport, storage_key: str) -> AsyncIterator[bytes]:
    for chunk in export.chunks(file_member(storage_key)):
        yield chunk


class _Import:
    """The import of an export in one transaction."""

    def __init__(
        self, session: AsyncSession, export: OpenExport, files: Mapping[str, str], on_part: Callable[[str], None]
    ) -> None:
        self._session = session
        self._export = export
        self._files = files
        # The storage keys of files that the export does not hold: those from before may be of others here.
        self._lost: dict[str, str] = {}
        self._on_part = on_part
        self._is_sqlite = session.get_bind().dialect.name == "sqlite"
        self._shifts: dict[str, int] = {}
        self._now = clock.now()

    async def run(self) -> Imported:
        connection = await self._session.connection()
        if self._is_sqlite:
            # They would move each record again with each of its parts; on PostgreSQL a transaction has one time.
            await connection.run_sync(updated_at_triggers.remove)
        else:
            await self._session.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            self._now = await self._session.scalar(select(func.now())) or self._now
        await _refuse_known(self._session, self._export.manifest)
        for table in numbered_tables():
            self._shifts[table.name] = await self._reserved(table)
        for table in moved_tables():
            self._on_part(table.name)
            await self._add_rows(table)
        provider_key = self._export.manifest.provider["id"] + self._shifts["provider"]
        await self._end_trail(provider_key)
        if self._is_sqlite:
            await connection.run_sync(updated_at_triggers.install)
        return Imported(self._export.manifest, provider_key, self._shifts)

    async def _reserved(self, table: Table) -> int:
        """Returns the number that is added to the keys of a table, and reserves the new keys."""
        last = await last_number(self._session, table)
        theirs = self._export.manifest.last_numbers[table.name]
        shift = last + _MARGIN if last and not self._is_sqlite else last
        if theirs and not self._is_sqlite:
            reserve = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)")
            await self._session.execute(reserve, {"name": table.name, "last": theirs + shift})
        elif theirs:
            await self._reserve_on_sqlite(table.name, theirs + shift)
        return shift

    async def _reserve_on_sqlite(self, table: str, last: int) -> None:
        values = {"name": table, "last": last}
        await self._session.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
        await self._session.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values)

    async def _add_rows(self, table: Table) -> None:
        later = own_references(table)
        batch: list[dict[str, Any]] = []
        references: list[dict[str, Any]] = []
        for line in self._export.lines(table.name):
            row = self._moved(table, row_of(table, line))
            kept = {name: row[name] for name in later if row[name] is not None}
            if kept:
                references.append({"of_row": row[ID], **{f"new_{name}": row[name] for name in later}})
                row |= dict.fromkeys(later)
            batch.append(row)
            if len(batch) == _BATCH:
                await self._session.execute(insert(table), batch)
                batch = []
        if batch:
            await self._session.execute(insert(table), batch)
        if references:
            refers = update(table).where(table.c[ID] == bindparam("of_row", type_=BigInteger))
            await (await self._session.connection()).execute(
                refers.values({name: bindparam(f"new_{name}") for name in later}), references
            )

    def _moved(self, table: Table, values: dict[str, Any]) -> dict[str, Any]:
        row = moved_row(table, values, self._shifts, self._now)
        for name in storage_columns(table):
            if row[name] is not None:
                row[name] = self._files.get(row[name]) or self._lost.setdefault(row[name], new_storage_key())
        return row

    async def _end_trail(self, provider_key: int) -> None:
        """Records the move, seals events that were not sealed yet, and appends one of the move."""
        manifest = self._export.manifest
        self._session.add(
            ProviderMove(
                provider_id=provider_key, last_line=manifest.trail_line, last_hash=manifest.trail_hash,
                shifts={name: shift for name, shift in self._shifts.items() if shift},
                manifest_sha256=self._export.manifest_sha256, moved_at=self._now,
            )
        )  # fmt: skip
        await self._session.flush()
        while await seal(self._session, provider_key, true()):
            pass
        event = AuditEvent(
            provider_id=provider_key, at=clock.now(), action="providerImport",
            detail={"manifest_sha256": self._export.manifest_sha256, "line": manifest.trail_line,
                    "hash": manifest.trail_hash, "made_at": manifest.made_at},
        )  # fmt: skip
        await append(self._session, event)
