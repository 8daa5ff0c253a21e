"""Adds, lists and retires the trusted documents of clients, for the operator's command."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, and_, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.trusted_document import ClientDocument, TrustedDocument
from domain import clock


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document of a manifest: its id there, and its text in the printed form."""

    document_id: str
    text: str


class IdTaken(Exception):
    """An id already names another document of this installation, so that a request with it would be ambiguous."""

    def __init__(self, document_id: str, client_name: str, client_version: str) -> None:
        super().__init__(f"{document_id}: this id names another document of {client_name} {client_version}")


def digest(text: str) -> str:
    """Returns the SHA-256 of a text in lower-case hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


async def add_documents(
    session: AsyncSession, client_name: str, client_version: str, documents: Sequence[NewDocument], now: dt.datetime
) -> int:
    """Adds the documents of one version of a client; returns how many were not there yet. Raises IdTaken."""
    # unscoped: the documents of clients, which are no provider's
    statement = select(
        ClientDocument.document_id, ClientDocument.client_name, ClientDocument.client_version, TrustedDocument.sha256
    ).join(TrustedDocument, TrustedDocument.id == ClientDocument.trusted_document_id)
    registered = (await session.execute(statement)).all()
    by_id = {row.document_id: row for row in registered}
    version = (client_name, client_version)
    present = {row.document_id for row in registered if (row.client_name, row.client_version) == version}
    # unscoped: the documents of clients, which are no provider's
    found = await session.execute(select(TrustedDocument.sha256, TrustedDocument.id))
    keys = {row.sha256: row.id for row in found}
    added = 0
    for document in documents:
        sha256 = digest(document.text)
        other = by_id.get(document.document_id)
        if other is not None and other.sha256 != sha256:
            raise IdTaken(document.document_id, other.client_name, other.client_version)
        if document.document_id in present:
            continue
        if sha256 not in keys:
            row = TrustedDocument(sha256=sha256, text=document.text)
            session.add(row)
            await session.flush()
            keys[sha256] = row.id
        session.add(
            ClientDocument(
                client_name=client_name, client_version=client_version, document_id=document.document_id,
                trusted_document_id=keys[sha256], added_at=now, uses=0,
            )
        )  # fmt: skip
        present.add(document.document_id)
        added += 1
    return added


async def client_versions(session: AsyncSession) -> Sequence[Row[str, str, int, int, dt.date | None]]:
    """Returns each version of each client: how many documents it has, how often they were used, the last day of use."""
    # unscoped: the documents of clients, which are no provider's
    statement = (
        select(
            ClientDocument.client_name, ClientDocument.client_version, func.count().label("documents"),
            func.sum(ClientDocument.uses).label("uses"), func.max(ClientDocument.last_used_on).label("last_used_on"),
        )
        .group_by(ClientDocument.client_name, ClientDocument.client_version)
        .order_by(func.min(ClientDocument.id))
    )  # fmt: skip
    return (await session.execute(statement)).all()


async def documents_of_clients(session: AsyncSession) -> Sequence[Row[str, str, str, str]]:
    """Returns every document of every client: the client's name and version, the id, and the text."""
    # unscoped: the documents of clients, which are no provider's
    statement = (
        select(
            ClientDocument.client_name, ClientDocument.client_version, ClientDocument.document_id, TrustedDocument.text
        )
        .join(TrustedDocument, TrustedDocument.id == ClientDocument.trusted_document_id)
        .order_by(ClientDocument.id)
    )
    return (await session.execute(statement)).all()


async def retire_documents(
    session: AsyncSession,
    client_name: str | None = None,
    client_version: str | None = None,
    unused_since: dt.date | None = None,
) -> int:
    """Deletes the documents that meet all of the conditions that are given; returns how many.

    `unused_since`: those that were added before then, and not used on that day or later.
    """
    conditions = []
    if client_name is not None:
        conditions.append(ClientDocument.client_name == client_name)
    if client_version is not None:
        conditions.append(ClientDocument.client_version == client_version)
    if unused_since is not None:
        added_before = ClientDocument.added_at < clock.start_of(unused_since)
        used_before = ClientDocument.last_used_on < unused_since
        conditions.append(and_(added_before, ClientDocument.last_used_on.is_(None) | used_before))
    deleted = await session.execute(delete(ClientDocument).where(*conditions))
    # unscoped: the documents of clients, which are no provider's
    is_used = exists().where(ClientDocument.trusted_document_id == TrustedDocument.id)
    await session.execute(delete(TrustedDocument).where(~is_used))
    return int(deleted.rowcount)  # type: ignore[attr-defined]
