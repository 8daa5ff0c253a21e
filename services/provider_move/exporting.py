"""Exports a provider to one file, while the server may run: its rows as of one moment, and its files."""

import asyncio
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models.provider import provider_named
from db.table_version import table_version
from domain import clock
from services.audit.chain import audit_chain_problems_of
from services.provider_move.archive import MANIFEST, Manifest, MemberWriter, file_member, table_member
from services.provider_move.rows import (
    MoveError,
    last_number,
    line_of,
    moved_tables,
    numbered_tables,
    select_rows,
    storage_columns,
)  # fmt: skip
from services.storage.atomic_write import sync_folder
from services.storage.file_store import FileStore

_ROWS = 1000


async def export_provider(
    database: Database, store: FileStore, name: str, path: Path, on_part: Callable[[str], None] = lambda _: None
) -> Manifest:
    """Writes the provider with that UKPRN or name to a file that does not exist yet; returns its manifest.

    `on_part` is called before each table, and for the files. Raises MoveError, StoreUnavailable; then there is no file.
    """
    version = await table_version(database)
    if await asyncio.to_thread(path.exists):
        raise MoveError(f"{path} exists. Use a new file for each export.")
    part = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise MoveError(f"{path} cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                async with database.snapshot() as session:
                    manifest = await _begin(session, name, str(version.expanded))
                    files = await _write_tables(session, archive, manifest, on_part)
                on_part("files")
                await _write_files(store, archive, manifest, files)
                info = zipfile.ZipInfo(MANIFEST)
                archive.writestr(info, manifest.encoded(), zipfile.ZIP_DEFLATED)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync_folder(path.parent)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise MoveError(f"{path} cannot be written: {error.strerror}.") from None
        raise
    return manifest


async def _begin(session: AsyncSession, name: str, version: str) -> Manifest:
    provider = await provider_named(session, name)
    if provider is None:
        raise MoveError("There is no provider with this UKPRN or name. Nothing was exported.")
    async for problem in audit_chain_problems_of(session, provider.id):
        raise MoveError(f"The audit trail is not intact: {problem}. `server.py verify` lists all that is wrong.")
    return Manifest(
        version=version,
        made_at=clock.now().isoformat(),
        provider={"id": provider.id, "name": provider.name, "ukprn": provider.ukprn},
        trail_line=provider.audit_sequence,
        trail_hash=provider.audit_hash,
        last_numbers={table.name: await last_number(session, table) for table in numbered_tables()},
    )


async def _write_tables(
    session: AsyncSession, archive: zipfile.ZipFile, manifest: Manifest, on_part: Callable[[str], None]
) -> list[tuple[str, str | None]]:
    """Writes the rows of each table; returns storage key and digest of each file that they name."""
    files: list[tuple[str, str | None]] = []
    for table in moved_tables():
        on_part(table.name)
        writer, stored = MemberWriter(archive, table_member(table.name), is_compressed=True), storage_columns(table)
        try:
            rows = await session.stream(select_rows(table, manifest.provider["id"]).execution_options(yield_per=_ROWS))
            async for row in rows.mappings():
                writer.write(line_of(dict(row)))
                files += [(row[name], row["sha256"]) for name in stored if row[name] is not None]
        finally:
            writer.close()
        manifest.tables[table.name] = writer.member(has_rows=True)
    return files


async def _write_files(
    store: FileStore, archive: zipfile.ZipFile, manifest: Manifest, files: list[tuple[str, str | None]]
) -> None:
    for storage_key, sha256 in dict(files).items():
        if not await store.exists(storage_key) or await store.digest(storage_key) != sha256:
            manifest.damaged.append(storage_key)
            continue
        writer = MemberWriter(archive, file_member(storage_key), is_compressed=False)
        try:
            async for chunk in store.read(storage_key):
                writer.write(chunk)
        finally:
            writer.close()
        manifest.files[storage_key] = writer.member(has_rows=False)
