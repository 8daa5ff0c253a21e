"""Runs programs of the server in forks of one process that has imported it, each in a tenth of the time of a new one.

Run as a program this file is that process. It has one thread. It reads requests from a socket and forks for each; it
answers with the number of the new process, and tells its end through a pipe of the request.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import IO, Any

from tests.support.architecture import ROOT

_LENGTH = struct.Struct("!I")
_PACKAGES = ("db", "auth", "services", "loaders", "repositories", "resolvers", "schema", "transport", "commands")


class PreloadedProcess:
    """A process that runs `server.py` with some words, or another program; it has what is used of `subprocess.Popen`.

    `patches`: new values of constants of modules, such as {"transport.health.FRESH_SECONDS": 0.1}.
    """

    def __init__(
        self, words: tuple[str, ...], environment: dict[str, str], output: IO[Any], errors: IO[Any],
        given: IO[Any] | None = None, folder: Path = ROOT, umask: int = 0o022,
        patches: dict[str, Any] | None = None, program: str = "server",
    ) -> None:  # fmt: skip
        self.returncode: int | None = None
        request = {
            "program": program, "words": words, "environment": environment, "folder": str(folder), "umask": umask,
            "patches": patches or {},
        }  # fmt: skip
        self._end, ended = os.pipe()
        with open(os.devnull) as nothing:
            streams = [ended, *(each.fileno() for each in (given or nothing, output, errors))]
            self.pid = _parent().fork(request, streams)
        os.close(ended)

    def poll(self) -> int | None:
        """Returns the exit status, or None while the process runs."""
        return self._status(0)

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the end of the process and returns its exit status. Raises TimeoutExpired."""
        status = self._status(timeout)
        if status is None:
            raise subprocess.TimeoutExpired("server.py", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Sends a signal, if the process runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Sends SIGKILL, if the process runs."""
        self.send_signal(signal.SIGKILL)

    def _status(self, timeout: float | None) -> int | None:
        ends = select.poll()
        if self.returncode is None:
            ends.register(self._end)
        if self.returncode is None and ends.poll(None if timeout is None else timeout * 1000):
            self.returncode = int(os.read(self._end, 20) or -signal.SIGKILL)
            os.close(self._end)
        return self.returncode


def run(
    *words: str, environment: dict[str, str], answers: str = "", folder: Path = ROOT, umask: int = 0o022
) -> subprocess.CompletedProcess[str]:
    """Runs a command, with `answers` as its standard input; returns its exit status and what it printed."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        given.write(answers.encode())
        given.seek(0)
        process = PreloadedProcess(words, environment, output, errors, given, folder, umask)
        try:
            status = process.wait(120)
        finally:
            process.kill()
        printed = [(file.seek(0), file.read().decode())[1] for file in (output, errors)]
    return subprocess.CompletedProcess(words, status, *printed)


class _Parent:
    """The process that forks, as this one sees it."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with theirs:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}
            # It ends with this process, whose end of the socket is then closed.
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())], cwd=ROOT, env=environment,
                pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def fork(self, request: dict[str, Any], streams: list[int]) -> int:
        """Returns the number of a new process that does what is requested."""
        content = json.dumps(request).encode()
        with self._lock:
            socket.send_fds(self._socket, [_LENGTH.pack(len(content))], streams)
            self._socket.sendall(content)
            return _LENGTH.unpack(_read(self._socket, _LENGTH.size))[0]


@cache
def _parent() -> _Parent:
    return _Parent()


def _read(stream: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        if not (part := stream.recv(size - len(content))):
            raise ConnectionError("the process that forks has ended")
        content += part
    return content


def _preload() -> None:
    """Imports the server, and makes once what it makes of the code alone."""
    from domain.submodules import import_submodules

    for package in _PACKAGES:
        import_submodules(package)
    for module in ("alembic.command", "uvloop"):
        importlib.import_module(module)
    from server import build_server
    from services.settings import read_settings

    with tempfile.TemporaryDirectory() as folder:
        build_server(read_settings({"WAYMARK_DATA": folder, "WAYMARK_SMTP_URL": "smtp://127.0.0.1"}))
    gc.collect()
    gc.freeze()
    gc.enable()


def _serve(control: socket.socket) -> dict[str, Any]:
    """Forks for each request. Returns the request in the new process; ends when nobody can send one any more."""
    wakes, awake = os.pipe()
    for end in (wakes, awake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(awake, warn_on_full_buffer=False)
    pipes: dict[int, int] = {}
    while True:
        ready = select.select([control.fileno(), wakes], [], [])[0]
        if wakes in ready:
            os.read(wakes, 1000)
            while ended := _ended():
                os.write(pipes[ended[0]], str(ended[1]).encode())
                os.close(pipes.pop(ended[0]))
        if control.fileno() not in ready:
            continue
        length, streams, _, _ = socket.recv_fds(control, _LENGTH.size, 4)
        if not length:
            for child in pipes:
                os.kill(child, signal.SIGKILL)
            sys.exit()
        request = json.loads(_read(control, _LENGTH.unpack(length)[0]))
        child = os.fork()
        if not child:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number, stream in enumerate(streams[1:]):
                os.dup2(stream, number)
            for unused in (control.detach(), wakes, awake, *streams, *pipes.values()):
                os.close(unused)
            return request
        pipes[child] = streams[0]
        for stream in streams[1:]:
            os.close(stream)
        control.sendall(_LENGTH.pack(child))


def _ended() -> tuple[int, int] | None:
    with contextlib.suppress(ChildProcessError):
        child, status = os.waitpid(-1, os.WNOHANG)
        return (child, os.waitstatus_to_exitcode(status)) if child else None
    return None


def _run(request: dict[str, Any]) -> int:
    """Does in the new process what was requested; returns the exit status."""
    os.chdir(request["folder"])
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["server.py", *request["words"]]
    for name, value in request["patches"].items():
        owner, _, constant = name.rpartition(".")
        assert hasattr(pkgutil.resolve_name(owner), constant), name
        setattr(pkgutil.resolve_name(owner), constant, value)
    main = importlib.import_module(request["program"]).main
    status: int = main(request["words"]) if request["program"] == "server" else main()
    return status


if __name__ == "__main__":
    # What is imported stays: to look for garbage in it takes a third of the time.
    gc.disable()
    from tests.support.http_server import sharing

    with sharing():
        _preload()
        sys.exit(_run(_serve(socket.socket(fileno=int(sys.argv[1])))))
