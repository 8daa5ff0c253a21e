"""The process that makes exports of rows: `python -m resolvers.exports.worker`.

`services/exports/row_exports.py` starts it. It has connections of its own, and reads as the user of a link, whom it
looks up itself, with the same loaders as a request. Of the settings it knows how to connect to the database. It ends
with its input.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from db.database import Database
from db.outages import Outage, cause_of, outage_of
from db.postgres_connection import ConnectionOptions, Pooler
from db.priority import BACKGROUND, lower_process_priority
from db.worker_process import IDLE_SECONDS, own_output
from loaders.core.qualification_cache import QualificationCache
from loaders.core.read_session import ReadSession
from resolvers.exports.generate import generate
from resolvers.signed_urls import viewer_of_link
from services.exports.row_exports import INTERNAL, STORAGE_FULL, UNAVAILABLE

# One export is made at a time, and few of its reads do not wait for the ones before.
CONNECTIONS = 2
_ROOT = Path(__file__).parent.parent.parent
_FAILURES: dict[Outage | None, str] = {Outage.UNAVAILABLE: UNAVAILABLE, Outage.STORAGE_FULL: STORAGE_FULL}


class _Exports:
    """Makes exports, with what stays from one to the next: connections, compiled statements, qualifications."""

    def __init__(self, settings: dict[str, Any]) -> None:
        options = ConnectionOptions(settings["statementSeconds"], Pooler(settings["pooler"]))
        self._database = Database(settings["database"], pool_size=CONNECTIONS, options=options)
        self._qualifications = QualificationCache(self._database)

    async def answer(self, claims: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Returns the header and the content of the answer to the claims of a link."""
        try:
            viewer = await viewer_of_link(self._database, claims)
            if viewer is None:
                return {"gone": True}, b""
            # From the primary, because the subject of a link may have been written a moment ago.
            reading = ReadSession(self._database, viewer, self._qualifications, primary=True)
            made = await generate(reading, claims)
        except Exception as error:
            return _failure(error), b""
        if made is None:
            return {"gone": True}, b""
        return {"name": made.name, "size": len(made.content)}, made.content


def _failure(error: Exception) -> dict[str, Any]:
    """Returns the header for an error: its class or the words of an outage, and its place, but never its message."""
    failure = _FAILURES.get(outage_of(error), INTERNAL)
    last = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)][-1]
    return {
        "failure": failure,
        "cause": type(error).__name__ if failure == INTERNAL else cause_of(error),
        "where": f"{Path(last.filename).relative_to(_ROOT)}:{last.lineno} {last.name}",
    }


def _is_own(file: str) -> bool:
    return file.startswith(str(_ROOT)) and "site-packages" not in file


async def _serve(output: BinaryIO) -> None:
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    settings = json.loads(sys.stdin.buffer.readline())
    arguments = (asyncio.get_running_loop(), lines, settings["folder"])
    threading.Thread(target=_read_input, args=arguments, daemon=True).start()
    exports = _Exports(settings)
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                claims = json.loads(await lines.get())
        except TimeoutError:
            shutil.rmtree(settings["folder"], ignore_errors=True)
            return
        header, content = await exports.answer(claims)
        output.write(json.dumps(header).encode() + b"\n" + content)
        output.flush()


def _read_input(loop: asyncio.AbstractEventLoop, lines: "asyncio.Queue[bytes]", folder: str) -> None:
    """Passes the lines on; ends the process with its input, because the server has ended, whatever it does by then."""
    while line := sys.stdin.buffer.readline():
        loop.call_soon_threadsafe(lines.put_nowait, line)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def main() -> None:
    """Answers what comes on the standard input until that ends, or nothing has come for ten minutes."""
    os.umask(0o077)
    # A signal for the server reaches its workers too; they end when it closes their input.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    lower_process_priority(BACKGROUND)
    asyncio.run(_serve(own_output()))
    # Without waiting for the threads of libraries.
    os._exit(0)


if __name__ == "__main__":
    main()
