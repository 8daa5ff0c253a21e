"""What operators watch besides requests: the mail that waits, and the space for files. Read every few seconds."""

import asyncio
import datetime as dt
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.exc import SQLAlchemyError

from db.database import Database
from db.models.bulk_export import BulkExport
from db.models.outbox import MAX_ATTEMPTS, OutboxMail
from db.outages import OutageLog
from db.sql.progress import total
from domain import clock
from services.storage.file_store import FileStore

INTERVAL_SECONDS = 15.0


@dataclass(slots=True)
class OutboxState:
    """E-mails that are to be sent, and those that were given up.

    `waiting_since`: when the oldest of them was written, or the last e-mail was sent, if that is later.
    """

    waiting: int = 0
    waiting_since: dt.datetime | None = None
    given_up: int = 0


class InstallationState:
    """The state at the last look; `run()` looks while the server runs. `free_bytes` is None where nobody can say."""

    def __init__(self, database: Database, files: FileStore) -> None:
        self._database = database
        self._files = files
        self.outbox = OutboxState()
        self.free_bytes: int | None = None
        self.bulk_export_bytes = 0
        self.outages = OutageLog("installation_state")

    async def run(self) -> None:
        """Looks again and again; never returns."""
        while True:
            try:
                await self.look()
                self.outages.worked()
            except (SQLAlchemyError, OSError) as error:
                self.outages.failed(error)
            await asyncio.sleep(INTERVAL_SECONDS)

    async def look(self) -> None:
        """Reads the state now. Raises SQLAlchemyError or OSError."""
        tried = OutboxMail.attempts < MAX_ATTEMPTS
        # unscoped: numbers of the whole installation, for its operator
        last_sent = select(func.max(OutboxMail.sent_at)).scalar_subquery()
        # unscoped: numbers of the whole installation, for its operator
        exported = select(total(BulkExport.size)).where(BulkExport.storage_key.is_not(None)).scalar_subquery()
        # unscoped: numbers of the whole installation, for its operator
        counting = select(
            total(case((tried, 1), else_=0)).label("waiting"),
            func.min(case((tried, OutboxMail.created_at))).label("oldest_at"),
            total(case((tried, 0), else_=1)).label("given_up"),
            last_sent.label("last_sent_at"),
            exported.label("bulk_export_bytes"),
        ).where(OutboxMail.sent_at.is_(None))
        found = (await self._database.rows(counting, primary=True))[0]
        since = max((at for at in (found.oldest_at, found.last_sent_at) if at), default=None)
        waiting = int(found.waiting or 0)
        self.outbox = OutboxState(waiting, since if waiting else None, int(found.given_up or 0))
        self.bulk_export_bytes = int(found.bulk_export_bytes)
        self.free_bytes = await self._files.free_bytes()

    def outbox_delay(self) -> float:
        """Returns for how many seconds e-mails have waited and none was sent; 0 if none waits."""
        since = self.outbox.waiting_since
        return 0.0 if since is None else max((clock.now() - since).total_seconds(), 0.0)
