"""All checks of `server.py verify`, batch by batch, each on a snapshot of its own."""

import json
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from services.audit.batches import Batch, Check
from services.audit.chain import check_audit_chain
from services.audit.file_check import check_files
from services.audit.history_check import check_history
from services.audit.progress_check import check_progress
from services.audit.signature_check import check_signatures
from services.storage.file_store import FileStore


class VerifyState:
    """Where a run of the checks stands: in a file, so that a run that was stopped continues there.

    Without a path, the state is kept nowhere. Raises ValueError for a file that is not one.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.check: str | None = None
        self.position: Any = None
        self.problems = 0
        if path is not None and path.exists():
            stored = json.loads(path.read_text())
            if not isinstance(stored, dict) or set(stored) != {"check", "position", "problems"}:
                raise ValueError("The file is not a state of verify.")
            self.check, self.position, self.problems = stored["check"], stored["position"], stored["problems"]

    def save(self, check: str, position: Any) -> None:
        """Stores that a check continues at a position."""
        self.check, self.position = check, position
        if self._path is not None:
            temporary = self._path.with_name(f"{self._path.name}.part")
            stored = {"check": check, "position": position, "problems": self.problems}
            temporary.write_text(json.dumps(stored))
            os.replace(temporary, self._path)

    def remove(self) -> None:
        """Removes the file: the next run starts at the beginning."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


async def find_problems(database: Database, store: FileStore, state: VerifyState | None = None) -> AsyncIterator[str]:
    """Yields a sentence for each record or file that is not as the server wrote it. The server may run meanwhile.

    Checks the SQLite file, the audit trail, the progress sums, the history of aims, the signatures and the stored
    files, in that order. No transaction is open for longer than one batch takes. Raises StoreUnavailable.
    """
    state = state or VerifyState()
    checks = _checks(store)
    if database.is_sqlite:
        checks = {"database file": _check_sqlite, **checks}
    names = list(checks)
    first = state.check if state.check in checks else names[0]
    for name in names[names.index(first) :]:
        position = state.position if name == state.check else None
        while True:
            async with database.snapshot() as session:
                batch = await checks[name](session, position)
            state.problems += len(batch.problems)
            for problem in batch.problems:
                yield problem
            if (position := batch.next) is None:
                break
            state.save(name, position)
    state.remove()


def _checks(store: FileStore) -> dict[str, Check]:
    return {
        "audit trail": check_audit_chain,
        "progress": check_progress,
        "history": check_history,
        "signatures": check_signatures,
        "files": partial(check_files, store),
    }


async def _check_sqlite(session: AsyncSession, position: Any) -> Batch:
    """Checks the next table of an SQLite file. The position: the name of the last table."""
    next_table = text("SELECT name FROM sqlite_schema WHERE type = 'table' AND name > :last ORDER BY name LIMIT 1")
    table = await session.scalar(next_table, {"last": position or ""})
    if table is None:
        return Batch([], None)
    name = str(table).replace('"', '""')
    messages = await session.scalars(text(f'PRAGMA integrity_check("{name}")'))
    problems = [f"the database file: {message}" for message in messages if message != "ok"]
    dangling = await session.execute(text(f'PRAGMA foreign_key_check("{name}")'))
    problems += [
        f"{row.table}, row {row.rowid}: the row of {row.parent} that it refers to is missing" for row in dangling
    ]
    return Batch(problems, table)
