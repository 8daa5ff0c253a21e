"""The routes /health and /ready, for service managers and proxies."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.database import Database
from db.readiness import problem_of

log = structlog.get_logger("waymark")

# How long an answer of /ready is reused, for every request.
FRESH_SECONDS = 1.0
# The file store is checked less often, because a request to S3 costs money.
FRESH_UPLOADS_SECONDS = 10.0
# A database that does not answer within this is not ready.
CHECK_SECONDS = 4.0
_RETRY_AFTER = {"retry-after": "5"}


class Health:
    """Reports whether the process runs (/health) and whether to send it requests (/ready).

    `hears_changes` returns whether the process is notified of the changes of others. `file_problem` returns what keeps
    the file store from taking files: /ready reports that, and stays 200 because everything else works. `stopping` is
    set before the process stops: /ready then answers 503 while the process finishes its requests.
    """

    def __init__(
        self,
        database: Database,
        hears_changes: Callable[[], bool],
        file_problem: Callable[[], Awaitable[str | None]],
    ) -> None:
        self._database = database
        self._hears_changes = hears_changes
        self._file_problem = file_problem
        self._uploads = "ok"
        self._uploads_checked_at = float("-inf")
        self._check: asyncio.Task[None] | None = None
        self._checked_at = float("-inf")
        self._problem: str | None = None
        self.stopping = False

    def routes(self) -> list[Route]:
        """The routes for a Starlette app."""
        return [Route("/health", self._health), Route("/ready", self._ready)]

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _ready(self, _: Request) -> Response:
        if self.stopping:
            return JSONResponse({"status": "stopping"}, 503)
        if not self._is_fresh():
            # Requests that arrive meanwhile wait for the same check.
            if self._check is None:
                self._check = asyncio.create_task(self._run_check(), name="ready")
            await asyncio.shield(self._check)
        if self._problem is not None:
            return JSONResponse({"status": self._problem, "uploads": self._uploads}, 503, _RETRY_AFTER)
        return JSONResponse({"status": "ok", "uploads": self._uploads})

    def _is_fresh(self) -> bool:
        if self._problem is None and self._database.outages.since is not None:
            # A request has met an outage since.
            return False
        return time.monotonic() - self._checked_at < FRESH_SECONDS

    async def _run_check(self) -> None:
        try:
            found, _ = await asyncio.gather(self._find_problem(), self._check_uploads())
            problem, cause = found or (None, None)
        except Exception as error:
            problem, cause = "the check failed", type(error).__name__
        finally:
            self._check = None
        self._checked_at = time.monotonic()
        if problem is not None and problem != self._problem:
            log.warning("not_ready", problem=problem, cause=cause)
        elif problem is None and self._problem is not None:
            log.info("ready_again")
        self._problem = problem

    async def _check_uploads(self) -> None:
        if time.monotonic() - self._uploads_checked_at < FRESH_UPLOADS_SECONDS:
            return
        uploads = await self._file_problem() or "ok"
        self._uploads_checked_at = time.monotonic()
        if uploads != self._uploads:
            if uploads == "ok":
                log.info("uploads_ready_again")
            else:
                log.warning("uploads_not_ready", problem=uploads)
        self._uploads = uploads

    async def _find_problem(self) -> tuple[str, str] | None:
        problem = await problem_of(self._database, CHECK_SECONDS)
        if problem is None and not self._hears_changes():
            return "the process receives no notifications of changes", "the change listener is not connected"
        return problem
