"""Worker processes for work that takes the processor: it must stop neither the event loop nor, by the GIL, its thread.

pool = WorkerPool("auth.password_strength:is_easily_guessed", size=1)
result = await pool.call(password)

A worker is started at the first call, calls the function with what it reads from its standard input, and ends with that
input or after some idle minutes. It gets no settings, so it knows neither keys nor databases, and its answers are data
(`db/worker_frames.py`), so that a decoder which an uploaded file has taken over can run nothing in the server.
"""

import asyncio
import importlib
import math
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO
from weakref import WeakSet

import structlog

from db.priority import LOWER, lower_process_priority
from db.worker_frames import (
    MAX_ANSWER_BYTES,
    decode_answer,
    decode_call,
    encode_call,
    encode_failure,
    encode_result,
    read_frame,
    write_frame,
)

log = structlog.get_logger(__name__)

_ROOT = Path(__file__).parent.parent
IDLE_SECONDS = 600.0


# Every pool of this process.
_pools: "WeakSet[WorkerPool]" = WeakSet()


def worker_environment() -> dict[str, str]:
    """Returns the environment of a process that imports Waymark's modules and gets none of its settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}
    paths = filter(None, (str(_ROOT), environment.get("PYTHONPATH")))
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}


def own_output() -> BinaryIO:
    """Returns the standard output of this process; what others print, such as the log, goes to its errors instead."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


def close_workers() -> None:
    """Ends the processes of every pool."""
    for pool in list(_pools):
        pool.close()


class WorkerFailed(ConnectionError):
    """No worker did the work: too many calls wait, none can start, it took too long, or the process ended twice."""


class WorkerTimedOut(WorkerFailed):
    """The work took too long by the clock, which can be the fault of a busy machine."""


class WorkerCpuExceeded(WorkerFailed):
    """The work took more CPU time than it may, however busy the machine was."""


class WorkerEnded(WorkerFailed):
    """The process ended twice with this work, and nobody had killed it."""


class WorkerPool:
    """`size` processes that call a function, named "module:function". It returns bytes, or what JSON can hold.

    A call that takes longer than `timeout` seconds ends its process, and so does one that takes more than `cpu_seconds`
    of CPU time. One whose process ended otherwise is tried once more, in a new process. `max_waiting` calls may wait
    for a process; further ones fail at once. With `memory_bytes`, an allocation fails in the worker that takes so much
    more than it has once it knows the function. `niceness`: the priority of the processes, lower the higher it is.
    """

    def __init__(
        self,
        function: str,
        size: int = 1,
        timeout: float = 20.0,
        max_waiting: int = 50,
        memory_bytes: int | None = None,
        niceness: int = LOWER,
        cpu_seconds: int | None = None,
    ) -> None:
        self._function = function
        self._timeout = timeout
        self._memory_bytes = memory_bytes
        self._niceness = niceness
        self._cpu_seconds = cpu_seconds
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
            try:
                done = asyncio.get_running_loop().run_in_executor(self._threads, self._run, arguments)
            except RuntimeError as error:
                # The system gives no thread, or Python ends.
                log.error("worker_not_started", function=self._function, cause=str(error))
                raise WorkerFailed("no thread for a worker process") from error
            failure, result = await done
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
        message = encode_call(arguments)
        for _ in range(2):
            deadline = time.monotonic() + self._timeout
            try:
                process = self._running()
            except (OSError, ValueError) as error:
                log.error("worker_not_started", function=self._function, cause=str(error))
                raise WorkerFailed("no worker process could be started") from error
            try:
                write_frame(process.stdin, message, deadline)
                return decode_answer(read_frame(process.stdout, deadline, MAX_ANSWER_BYTES))
            except TimeoutError:
                self._forget(process)
                log.error("worker_timed_out", function=self._function, seconds=self._timeout)
                raise WorkerTimedOut("the worker process took too long") from None
            except (OSError, EOFError, ValueError) as error:
                # Idle for too long, killed by the system, closed, or without a proper answer: that is the work's fault.
                killed = not isinstance(error, ValueError)
                self._forget(process)
            if process.returncode == -signal.SIGXCPU:
                log.error("worker_cpu_exceeded", function=self._function, seconds=self._cpu_seconds)
                raise WorkerCpuExceeded("the worker process took too much CPU time")
        log.error("worker_ended", function=self._function, status=process.returncode)
        if killed and process.returncode == -signal.SIGKILL:
            raise WorkerFailed("the worker process was killed")
        raise WorkerEnded("the worker process ended")

    def _running(self) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] | None = getattr(self._process, "value", None)
        if process is not None and process.poll() is not None:
            self._forget(process)
            process = None
        if process is None:
            process = self._process.value = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    __name__,
                    self._function,
                    str(self._niceness),
                    str(self._memory_bytes or ""),
                    str(self._cpu_seconds or ""),
                ],
                env=worker_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
            self._processes.add(process)
            # A worker that does not read must not keep the one who writes.
            assert process.stdin is not None
            os.set_blocking(process.stdin.fileno(), False)
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


def _limit_memory(more: int) -> None:
    """Bounds what this process can take beyond what it has: a limit below that would fail its next import."""
    with suppress(OSError, ValueError):
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + more, mapped + more))


def _limit_cpu(more: int) -> None:
    """Lets the system end this process once it has taken so many more seconds of CPU time, without a memory dump."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = math.ceil(used.ru_utime + used.ru_stime) + more
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _serve(function: str, niceness: int, memory_bytes: int | None, cpu_seconds: int | None) -> None:
    """The worker: answers each call with the result, or with the class of the exception."""
    # A signal for the server reaches its workers too; they end when it closes their input.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    lower_process_priority(niceness)
    module, _, name = function.partition(":")
    called = getattr(importlib.import_module(module), name)
    if memory_bytes is not None:
        _limit_memory(memory_bytes)
    with open(0, "rb", buffering=0) as requests, open(1, "wb", buffering=0) as responses:
        while True:
            try:
                arguments = decode_call(read_frame(requests, time.monotonic() + IDLE_SECONDS))
            except (EOFError, TimeoutError):
                return
            if cpu_seconds is not None:
                _limit_cpu(cpu_seconds)
            try:
                answer = encode_result(called(*arguments))
            except Exception as error:
                answer = encode_failure(error)
            write_frame(responses, answer, None)


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), *(int(given) if given else None for given in sys.argv[3:5]))
