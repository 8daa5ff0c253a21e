"""The processes that make time logs, progress maps and records of achievement.

They read from the database themselves, so that the server's event loop has nothing to do with the rows. A process gets
the address of the database and then the claims of one link after another, each as a line of JSON. It answers with a
line of JSON and the bytes of the file.
"""

import asyncio
import errno
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from db.database import Database
from services.exports import process as processes
from services.exports.own_folder import EXPORT, OwnFolder

log = structlog.get_logger(__name__)

_MODULE = "resolvers.exports.worker"
TIMEOUT_SECONDS = 120.0
# A larger file is not one of these exports: a time log of 20,000 entries has 1.2 MB.
MAX_BYTES = 200 * 2**20

UNAVAILABLE, STORAGE_FULL, INTERNAL = "UNAVAILABLE", "STORAGE_FULL", "INTERNAL"


class ExportFailed(ConnectionError):
    """No export was made: the database is away, no process could start, it took too long, or two processes ended."""


@dataclass(frozen=True, slots=True)
class MadeExport:
    """The file of an export, and its name."""

    name: str
    content: bytes


class ExportWorkers:
    """The processes of one server. As many run as exports are made at once, which the caller limits.

    A process makes one export at a time, and ends after ten idle minutes or with the server. If an export takes too
    long, or nobody waits for it any more, its process is ended.
    """

    def __init__(self, database: Database) -> None:
        options = database.options
        self._settings = {
            "database": database.url, "pooler": options.pooler.value, "statementSeconds": options.statement_seconds,
        }  # fmt: skip
        self._idle: list[_Worker] = []
        self._workers: set[_Worker] = set()
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Waits until it is cancelled, then ends the processes: for the time in which a server runs."""
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def make(self, claims: Mapping[str, Any]) -> MadeExport | None:
        """Returns the export of a link; None where its user does not see its subject, or is no longer signed in.

        `claims` are those of a link that was verified. Raises ExportFailed, OSError where the disk is full, and
        RuntimeError for a defect.
        """
        for attempt in (1, 2):
            # An idle one may have ended meanwhile, so the second is a new one.
            worker = (self._pop_idle() if attempt == 1 else None) or await self._started()
            answer: tuple[dict[str, Any], bytes] | None = None
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    answer = await worker.answer(claims)
            except TimeoutError:
                log.error("export_worker_timed_out", seconds=TIMEOUT_SECONDS)
                raise ExportFailed("the process took too long") from None
            except (OSError, EOFError, ValueError):
                continue
            finally:
                if answer is not None:
                    self._idle.append(worker)
                else:
                    self._end(worker)
            return _made(*answer)
        log.error("export_worker_ended")
        raise ExportFailed("the process ended twice")

    async def close(self) -> None:
        """Ends the processes; exports that are being made fail."""
        self._idle.clear()
        for worker in list(self._workers):
            self._end(worker)
        await asyncio.gather(*self._ending)

    def _pop_idle(self) -> "_Worker | None":
        while self._idle:
            worker = self._idle.pop()
            if worker.is_running:
                return worker
            self._end(worker)
        return None

    async def _started(self) -> "_Worker":
        try:
            worker = await _Worker.start(self._settings)
        except OSError as error:
            log.error("export_worker_not_started", cause=type(error).__name__)
            raise ExportFailed("no process could be started") from error
        self._workers.add(worker)
        return worker

    def _end(self, worker: "_Worker") -> None:
        self._workers.discard(worker)
        worker.kill()
        task = asyncio.create_task(worker.ended())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _made(header: dict[str, Any], content: bytes) -> MadeExport | None:
    """Returns the export of an answer. Raises the error that the answer contains."""
    failure = header.get("failure")
    if failure is None:
        return None if header.get("gone") else MadeExport(str(header["name"]), content)
    # The class of the error or the words of an outage, and the place in the code: no data.
    log.warning("export_failed", failure=failure, cause=header["cause"], where=header["where"])
    if failure == UNAVAILABLE:
        raise ExportFailed(header["cause"])
    if failure == STORAGE_FULL:
        raise OSError(errno.ENOSPC, "The disk is full")
    raise RuntimeError(f"{header['cause']} in an export")


class _Worker:
    """One process, and the folder of its temporary files, which goes with it."""

    def __init__(self, process: processes.StartedProcess, folder: OwnFolder) -> None:
        self._process = process
        self._folder = folder

    @classmethod
    async def start(cls, settings: Mapping[str, Any]) -> "_Worker":
        """Starts a process. Raises OSError."""
        folder = OwnFolder(EXPORT)
        try:
            process = await processes.start(_MODULE, TMPDIR=str(folder.path))
        except BaseException:
            folder.remove()
            raise
        worker = cls(process, folder)
        worker._send({**settings, "folder": str(folder.path)})
        return worker

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended, as far as it is known."""
        return self._process.returncode is None

    async def answer(self, claims: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Returns the header and the content of the answer. Raises OSError, EOFError or ValueError where none comes."""
        output = self._process.stdout
        self._send(claims)
        header: dict[str, Any] = json.loads(await output.readline())
        size = header.get("size", 0)
        if not isinstance(size, int) or not 0 <= size <= MAX_BYTES:
            raise ValueError("the answer has no size")
        return header, await output.readexactly(size)

    def _send(self, values: Mapping[str, Any]) -> None:
        self._process.stdin.write(json.dumps(values).encode() + b"\n")

    def kill(self) -> None:
        """Ends the process at once."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def ended(self) -> None:
        """Waits for the end of a process that was killed, and removes its folder."""
        await self._process.wait()
        await asyncio.to_thread(self._folder.remove)
