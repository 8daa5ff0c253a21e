"""What the metrics say of the outbox, the pools and the store."""

import datetime as dt
from pathlib import Path

from prometheus_client import CollectorRegistry
from sqlalchemy import update

from db.database import Database
from db.models.outbox import MAX_ATTEMPTS, OutboxMail
from domain import clock
from domain.enums import Role
from services.change_feed.feed import ChangeFeed
from services.installation_state import InstallationState
from services.storage.file_store import open_store
from services.trusted_documents.registry import TrustedDocuments
from services.trusted_documents.store import NewDocument, add_documents
from tests.support.factories import Factory
from transport.observability.state_metrics import StateMetrics

MINUTE = dt.timedelta(minutes=1)


async def test_the_metrics_say_what_waits_and_what_is_left(database: Database, tmp_path: Path) -> None:
    now = clock.now()
    async with database.writing() as session:
        provider = await Factory(session).provider()
        for created, sent, attempts in (
            (now - 7 * MINUTE, None, 1),
            (now - MINUTE, None, 2),
            (now - 9 * MINUTE, now - 8 * MINUTE, 1),
            (now - 9 * MINUTE, None, MAX_ATTEMPTS),
        ):
            session.add(
                OutboxMail(
                    provider_id=provider.id, kind="message", to_address="a@b.example", subject="S", body="B",
                    created_at=created, due_at=created, sent_at=sent, attempts=attempts,
                )
            )  # fmt: skip
        user = await Factory(session).user(provider, "Mia", Role.MASTER_ADMIN)
        for size, storage_key in ((700, "a"), (80, "b"), (9, None)):
            await Factory(session).bulk_export(user, Role.MASTER_ADMIN, size=size, storage_key=storage_key)
    state, changes = InstallationState(database, open_store(tmp_path / "files")), ChangeFeed(database)
    registry, documents = CollectorRegistry(), TrustedDocuments(database)
    registry.register(StateMetrics(database, changes, state, documents))
    assert registry.get_sample_value("waymark_store_free_bytes") is None
    await state.look()
    value = registry.get_sample_value
    assert (value("waymark_outbox_waiting"), value("waymark_outbox_given_up")) == (2, 1)
    assert value("waymark_bulk_export_bytes") == 780
    assert 7 * 60 <= value("waymark_outbox_delay_seconds") < 8 * 60
    async with database.writing() as session:
        # Another one is sent meanwhile: one address alone is invalid.
        await session.execute(update(OutboxMail).where(OutboxMail.sent_at.is_not(None)).values(sent_at=now))
    await state.look()
    assert value("waymark_outbox_delay_seconds") < 60
    assert value("waymark_store_free_bytes") > 1_000_000
    assert value("waymark_pool_limit", {"pool": "reads"}) >= 1
    assert value("waymark_pool_waiting", {"pool": "writes"}) == 0
    # On PostgreSQL nothing listens here; an SQLite file has one process, which hears itself.
    assert value("waymark_listener_connected") == database.is_sqlite
    assert value("waymark_replica_lag_seconds") is None
    async with database.writing() as session:
        await add_documents(session, "portal", "1.4.0", [NewDocument("a", "{ viewer }")], now)
    assert await documents.find("a")
    client = {"client": "portal", "version": "1.4.0"}
    assert (value("waymark_trusted_documents", client), value("waymark_trusted_document_uses_total", client)) == (1, 1)
