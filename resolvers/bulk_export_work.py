"""Makes bulk exports while the server runs, and starts those of schedules.

Every process tries. A process takes an export by its row, for a minute at a time, and a process of its own makes the
file (`export_worker.py`). What a process that ended has left is taken over by another.
"""

import asyncio
import datetime as dt
from typing import Any

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from auth.viewer import NotSignedIn
from auth.viewer_in_role import read_viewer_in_role
from db.models.bulk_export import BulkExport
from db.models.outbox import outbox_mail
from db.outages import CommitOutcomeUnknown, OutageLog
from domain import clock
from domain.bulk_exports import MAX_DURATION
from domain.enums import BulkExportStatus
from domain.report_schedule import next_time
from repositories import bulk_export as repository
from repositories.usage import lock_own_account
from resolvers.core.context import Services
from services.exports.process import ExportProcess, export_process
from services.mail.report_messages import report_failed, report_ready
from services.memory import return_memory
from services.quotas import MEGABYTE
from services.storage.file_store import StoredFile, StoreFull, StoreUnavailable, UploadTooLarge

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 5.0
# How often an export that is being made is kept, and its user looked at again.
_NOTE_SECONDS = 5.0
# A file that would be larger is not stored, whatever the quotas.
MAX_BYTES = 20 * 1024**3
_TROUBLES = (SQLAlchemyError, OSError, CommitOutcomeUnknown, StoreUnavailable)


class _Failed(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class BulkExports:
    """The bulk exports of one server process: `run()` while the server runs. `pooler`: as in the settings."""

    def __init__(self, services: Services, pooler: str = "none") -> None:
        self._services = services
        self._pooler = pooler
        self._tasks: set[asyncio.Task[None]] = set()
        self.outages = OutageLog("bulk_exports")

    @property
    def running(self) -> int:
        """How many exports this process makes."""
        return len(self._tasks)

    async def run(self) -> None:
        """Does what there is to do, every five seconds or when an export is started here; never returns."""
        started = self._services.export_started
        try:
            while True:
                try:
                    await self.begin()
                    self.outages.worked()
                except _TROUBLES as error:
                    self.outages.failed(error)
                started.clear()
                try:
                    async with asyncio.timeout(INTERVAL_SECONDS):
                        await started.wait()
                except TimeoutError:
                    pass
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def begin(self, now: dt.datetime | None = None) -> int:
        """Starts the exports of due schedules, deletes files of ended roles, and begins exports; returns how many."""
        moment = now or clock.now()
        await self._start_scheduled(moment)
        await self._withdraw(moment)
        free = self._services.quotas.bulk_exports - len(self._tasks)
        begun = 0
        for key in await repository.waiting(self._services.database, moment, free) if free > 0 else []:
            async with self._services.database.writing() as session:
                export = await repository.claim(session, key, moment)
            if export is not None:
                task = asyncio.create_task(self._make(export), name=f"bulk export {key}")
                self._tasks.add(task)
                task.add_done_callback(self._ended)
                begun += 1
        return begun

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its end could not be recorded: it is taken over once the lease has ended.
            log.error("bulk_export_not_recorded", cause=type(error).__name__)
        # The next one need not wait.
        self._services.export_started.set()

    async def finish(self) -> None:
        """Waits for the exports that this process makes."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    # ------------------------------------------------------------ one export

    async def _make(self, export: Row[Any]) -> None:
        began = asyncio.get_running_loop().time()
        try:
            stored, values = await self._made(export)
        except asyncio.CancelledError:
            async with self._services.database.writing() as session:
                await repository.release(session, export.id, export.lease)
            raise
        except _Failed as failure:
            await self._fail(export, failure.code)
            return
        except _Gone:
            return
        except Exception as error:
            # One line, and the class and not the message, which may quote a row.
            log.error("bulk_export_failed", export=export.id, cause=type(error).__name__)
            await self._fail(export, "NO_SPACE" if isinstance(error, StoreFull | StoreUnavailable) else "INTERNAL")
            return
        seconds = round(asyncio.get_running_loop().time() - began, 1)
        log.info("bulk_export_done", export=export.id, rows=values["row_count"], bytes=stored.size, seconds=seconds)

    async def _made(self, export: Row[Any]) -> tuple[StoredFile, dict[str, Any]]:
        job = {
            "database": self._services.database.url, "pooler": self._pooler, "user": export.user_id,
            "role": export.role.value, "operation": export.operation, "variables": export.variables,
            "format": export.format.value.lower(),
        }  # fmt: skip
        async with self._services.database.writing() as session:
            room = await self._room(session, export)
        if room <= 0:
            raise _Failed("NO_ROOM")
        # Another process comes, so this one keeps no memory that it does not use.
        await asyncio.to_thread(return_memory)
        async with export_process(job) as process:
            values = await self._followed(export, process, room)
            try:
                stored = await self._services.files.write(process.content(), limit=room)
            except UploadTooLarge:
                raise _Failed("NO_ROOM") from None
        try:
            await self._done(export, stored, values)
        except (_Failed, _Gone):
            # After another failure it may be recorded: the answer to a commit can be lost. The sweep deletes the rest.
            await self._services.files.delete(stored.storage_key)
            raise
        return stored, values

    async def _room(self, session: AsyncSession, export: Row[Any]) -> int:
        """Returns how many bytes the file may have: what is left to its user and to the provider."""
        quotas = self._services.quotas
        own, of_provider = await repository.kept_bytes(session, export.provider_id, export.user_id)
        left = quotas.bulk_export_megabytes * MEGABYTE - own
        return min(MAX_BYTES, left, quotas.bulk_export_megabytes_provider * MEGABYTE - of_provider)

    async def _followed(self, export: Row[Any], process: ExportProcess, room: int) -> dict[str, Any]:
        """Follows what the process says until it is done; returns what it said."""
        loop = asyncio.get_running_loop()
        deadline, noted, values = loop.time() + MAX_DURATION.total_seconds(), loop.time(), dict[str, Any]()
        while True:
            said = await process.next(_NOTE_SECONDS)
            if said is None:
                raise _Failed("INTERNAL")
            if "failure" in said:
                raise _Failed(said["failure"])
            if "asOf" in said:
                values["as_of"] = dt.datetime.fromisoformat(said["asOf"])
            if "rows" in said:
                values["row_count"] = said["rows"]
            if "done" in said:
                return values
            if loop.time() >= deadline:
                raise _Failed("TOOK_TOO_LONG")
            if loop.time() - noted >= _NOTE_SECONDS:
                noted = loop.time()
                await self._keep(export, values)
                if await asyncio.to_thread(process.written) > room:
                    raise _Failed("NO_ROOM")

    async def _keep(self, export: Row[Any], values: dict[str, Any]) -> None:
        await self._check_role(export)
        async with self._services.database.writing() as session:
            if not await repository.note(session, export.id, export.lease, clock.now(), **values):
                raise _Gone

    async def _check_role(self, export: Row[Any]) -> None:
        try:
            await read_viewer_in_role(self._services.database, export.user_id, export.role)
        except NotSignedIn:
            raise _Failed("ROLE_ENDED") from None

    async def _done(self, export: Row[Any], stored: StoredFile, values: dict[str, Any]) -> None:
        """Records the file, unless the role has ended or the export was deleted, as by the erasure of a learner."""
        await self._check_role(export)
        now = clock.now()
        values |= {
            "status": BulkExportStatus.DONE, "ended_at": now, "storage_key": stored.storage_key, "size": stored.size,
            "sha256": stored.sha256,
        }  # fmt: skip
        async with self._services.database.writing() as session:
            # The quota of one user is exact; that of the provider can be exceeded by exports that end at one moment.
            await lock_own_account(session, export.user_id)
            if await self._room(session, export) < stored.size:
                raise _Failed("NO_ROOM")
            if not await repository.note(session, export.id, export.lease, now, **values):
                raise _Gone
            await self._tell(session, export, None)
        self._services.mail.wake()

    async def _fail(self, export: Row[Any], code: str) -> None:
        async with self._services.database.writing() as session:
            failed = await repository.fail(session, export.id, export.lease, code, clock.now())
            if failed and code != "ROLE_ENDED":
                await self._tell(session, export, code)

    async def _tell(self, session: Any, export: Row[Any], failure: str | None) -> None:
        """Writes the e-mail of a scheduled export: a link, never the data."""
        if export.schedule_id is None:
            return
        try:
            viewer = await read_viewer_in_role(self._services.database, export.user_id, export.role)
        except NotSignedIn:
            return
        link = f"{self._services.base_url}/reports/exports/BulkExport_{export.id}"
        make = report_ready if failure is None else report_failed
        mail = make(name=viewer.name, operation=export.operation, link=link, failure=failure)
        session.add(outbox_mail(export.provider_id, viewer.email, mail, clock.now()))

    # ------------------------------------------------------------ schedules, and roles that have ended

    async def _start_scheduled(self, now: dt.datetime) -> None:
        for schedule in await repository.due_schedules(self._services.database, now):
            try:
                await self._start_one(schedule, now)
            except _TROUBLES:
                raise
            except Exception as error:
                # Of one schedule: the others continue, and this one is tried at its next time.
                log.error("report_schedule_failed", schedule=schedule.id, cause=type(error).__name__)

    async def _start_one(self, schedule: Row[Any], now: dt.datetime) -> None:
        async with self._services.database.writing() as session:
            if schedule.is_over:
                await repository.move_schedule(session, schedule.id, schedule.next_at, ended_at=now)
                return
            later = next_time(schedule.every, now)
            if await repository.move_schedule(session, schedule.id, schedule.next_at, next_at=later):
                session.add(
                    BulkExport(
                        provider_id=schedule.provider_id, user_id=schedule.user_id, role=schedule.role,
                        operation=schedule.operation, variables=schedule.variables, format=schedule.format,
                        status=BulkExportStatus.RUNNING, schedule_id=schedule.id, started_at=now, as_of=now,
                    )
                )  # fmt: skip

    async def _withdraw(self, now: dt.datetime) -> None:
        for export in await repository.withdrawn(self._services.database):
            async with self._services.database.writing() as session:
                mine = await repository.withdraw(session, export.id, now)
            if mine:
                await self._services.files.delete(export.storage_key)


class _Gone(Exception):
    """The export was deleted, or another process makes it now."""
