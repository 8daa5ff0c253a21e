"""Worker processes for work that takes the processor: it must stop neither the event loop nor, by the GIL, its thread.

pool = WorkerPool("auth.password_rating:is_easily_guessed", size=1)
result = await pool.call(password)

A worker is started at the first call, calls the function with what it reads from its standard input, and ends with that
input or after some idle minutes. It gets no settings, so it knows neither keys nor databases.
"""

import asyncio
import importlib
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from weakref import WeakSet

import structlog

log = structlog.get_logger(__name__)

_ROOT = Path(__file__).parent.parent
_LENGTH = struct.Struct("!I")
# A lower priority than the threads that answer requests.
_NICENESS = 5
IDLE_SECONDS = 600.0


# Every pool of this process.
_pools: "WeakSet[WorkerPool]" = WeakSet()


def lower_priority() -> None:
    """Lets other threads come first: for a thread that works for long. Only Linux has priorities of single threads."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def close_workers() -> None:
    """Ends the processes of every pool."""
    for pool in list(_pools):
        pool.close()


class WorkerFailed(ConnectionError):
    """No worker did the work: too many calls wait, it took too long, or the process ended twice."""


class WorkerTimedOut(WorkerFailed):
    """The work took too long."""


class WorkerEnded(WorkerFailed):
    """The process ended twice with this work."""


class WorkerPool:
    """`size` processes that call a function, named "module:function", with pickled arguments.

    A call that takes longer than `timeout` seconds ends its process. One whose process ended is tried once more, in a
    new process. `max_waiting` calls may wait for a process; further ones fail at once.
    """

    def __init__(self, function: str, size: int = 1, timeout: float = 20.0, max_waiting: int = 50) -> None:
        self._function = function
        self._timeout = timeout
        self._max_calls = size + max_waiting
        self._calls = 0
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=function)
        self._process = threading.local()
        self._processes: set[subprocess.Popen[bytes]] = set()
        _pools.add(self)

    async def call(self, *arguments: Any) -> Any:
        """Returns the function's result. Raises WorkerFailed, or RuntimeError where the function raised."""
        if self._calls >= self._max_calls:
            log.warning("worker_queue_full", function=self._function, calls=self._calls)
            raise WorkerFailed("too many calls wait for a worker process")
        self._calls += 1
        try:
            failure, result = await asyncio.get_running_loop().run_in_executor(self._threads, self._run, arguments)
        finally:
            self._calls -= 1
        if failure is not None:
            raise RuntimeError(f"{failure} in {self._function}")
        return result

    def close(self) -> None:
        """Ends the processes; calls that wait fail. The pool can be used again afterwards: it starts new ones."""
        for process in list(self._processes):
            _end(process)
        self._processes.clear()

    def _run(self, arguments: tuple[Any, ...]) -> Any:
        for _ in range(2):
            process = self._running()
            try:
                _write(process.stdin, arguments)
                return _read(process.stdout, self._timeout)
            except TimeoutError:
                self._forget(process)
                log.error("worker_timed_out", function=self._function, seconds=self._timeout)
                raise WorkerTimedOut("the worker process took too long") from None
            except (OSError, EOFError):
                # Idle for too long, killed by the system, or closed.
                self._forget(process)
        log.error("worker_ended", function=self._function, status=process.poll())
        raise WorkerEnded("the worker process ended")

    def _running(self) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] | None = getattr(self._process, "value", None)
        if process is None or process.poll() is not None:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}
            paths = filter(None, (str(_ROOT), environment.get("PYTHONPATH")))
            process = self._process.value = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, self._function],
                env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
            self._processes.add(process)
        return process

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        _end(process)
        self._processes.discard(process)
        self._process.value = None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def _write(stream: IO[bytes] | None, value: Any) -> None:
    assert stream is not None
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    view = memoryview(_LENGTH.pack(len(data)) + data)
    while view:
        view = view[stream.write(view) :]


def _read(stream: IO[bytes] | None, timeout: float | None) -> Any:
    """Raises TimeoutError if the first byte does not come in time, and EOFError."""
    assert stream is not None
    if not select.select([stream], [], [], timeout)[0]:
        raise TimeoutError
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    return pickle.loads(_exactly(stream, length))


def _exactly(stream: IO[bytes], size: int) -> bytes:
    parts = []
    while size:
        part = stream.read(size)
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _serve(function: str) -> None:
    """The worker: answers each call with (class of the exception or None, result)."""
    # A signal for the server reaches its workers too; they end when it closes their input.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICENESS)
    module, _, name = function.partition(":")
    called = getattr(importlib.import_module(module), name)
    with open(0, "rb", buffering=0) as requests, open(1, "wb", buffering=0) as responses:
        while True:
            try:
                arguments = _read(requests, IDLE_SECONDS)
            except (EOFError, TimeoutError):
                return
            answer: tuple[str | None, Any]
            try:
                answer = None, called(*arguments)
            except Exception as error:
                answer = type(error).__name__, None
            _write(responses, answer)


if __name__ == "__main__":
    _serve(sys.argv[1])
