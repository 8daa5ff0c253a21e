"""Logs that the process has no file descriptor left: a connection is then closed before anything can answer it."""

import errno
import os
import resource
import time

import structlog

log = structlog.get_logger("waymark")

_INTERVAL_SECONDS = 1.0


class DescriptorWatch:
    """Looks once a second whether a descriptor is free; logs the first time that none is, and when one is again."""

    def __init__(self) -> None:
        self._looked_at = 0.0
        self._exhausted_at: float | None = None

    def look(self) -> None:
        """Call it as often as convenient."""
        now = time.monotonic()
        if now - self._looked_at < _INTERVAL_SECONDS:
            return
        self._looked_at = now
        exhausted = _exhausted()
        if exhausted and self._exhausted_at is None:
            self._exhausted_at = now
            limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            log.error("descriptors_exhausted", limit=limit, hint="raise LimitNOFILE of the unit, or add a process")
        elif not exhausted and self._exhausted_at is not None:
            log.info("descriptors_available", seconds=round(now - self._exhausted_at, 1))
            self._exhausted_at = None


def _exhausted() -> bool:
    try:
        os.close(os.dup(2))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return False
