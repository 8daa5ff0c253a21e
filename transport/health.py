"""The routes /health and /ready, for service managers and proxies."""

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.database import Database
from db.migrate import has_pending_migrations

log = structlog.get_logger("waymark")


class Health:
    """Reports whether the process runs (/health) and whether to send it requests (/ready).

    `stopping` is set before the process stops: /ready then answers 503 while the process finishes its requests.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.stopping = False

    def routes(self) -> list[Route]:
        """The routes for a Starlette app."""
        return [Route("/health", self._health), Route("/ready", self._ready)]

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _ready(self, _: Request) -> Response:
        if self.stopping:
            return JSONResponse({"status": "stopping"}, 503)
        try:
            await self._database.ping()
            outdated = await has_pending_migrations(self._database)
        except Exception as error:
            log.warning("not_ready", cause=type(error).__name__)
            return JSONResponse({"status": "the database does not answer"}, 503, {"retry-after": "5"})
        if outdated:
            return JSONResponse({"status": "the database needs `server.py migrate`"}, 503)
        return JSONResponse({"status": "ok"})
