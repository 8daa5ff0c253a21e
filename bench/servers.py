"""The servers that are compared: how each is started and stopped, and how its requests and responses are encoded.

All of them run as one process each and listen on loopback.
"""

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.postgres import Postgres
from bench.screens import ROOT, SCREENS, ScreenRequest, normalize, operation

HERE = ROOT / "bench"
# The key that signs the bench's access tokens.
KEY = secrets.token_bytes(32)
_START_TIMEOUT_SECONDS = 60


@dataclass(slots=True)
class Server:
    """A server. `encode` returns the bytes of an HTTP request; `normalize` makes response data comparable."""

    name: str
    command: list[str]
    environment: dict[str, str]
    port: int
    encode: Callable[[ScreenRequest], bytes]
    normalize: Callable[[str, Any], Any]
    screens: tuple[str, ...] = tuple(SCREENS)
    # Whether it checks sign-in and scope. The peers do not, which makes them faster.
    checks_access: bool = True
    _process: subprocess.Popen | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """The process's id. Raises RuntimeError if the server was not started."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.pid

    def start(self, folder: Path, cores: set[int] | None = None) -> None:
        """Starts the process on those cores, with its log in `folder`, and returns when it accepts connections."""
        with (folder / f"{self.name.split()[0].lower()}.log").open("wb") as log:
            process = subprocess.Popen(
                self.command, cwd=ROOT, env={**_clean_environment(), **self.environment}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
            )  # fmt: skip
        self._process = process
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while not _accepts_connections(self.port):
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.name} did not start:\n{Path(log.name).read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stops the process, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def fetch(self, request: ScreenRequest) -> Any:
        """Sends one request and returns its normalized data. Raises RuntimeError for an error response."""
        head, _, body = self.encode(request).partition(b"\r\n\r\n")
        line, *headers = head.decode().split("\r\n")
        method, path, _ = line.split()
        http_request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=body or None,
            headers=dict(header.split(": ", 1) for header in headers),
        )
        try:
            with urllib.request.urlopen(http_request, timeout=60) as response:
                result = json.load(response)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{self.name} answered {error.code}: {error.read()[:2000]!r}") from None
        if "errors" in result:
            raise RuntimeError(f"{self.name} answered with errors: {str(result['errors'])[:2000]}")
        return self.normalize(request.screen, result["data"])


def free_port() -> int:
    """Returns a port that is not in use."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def encode_post(query: str, operation: str, variables: dict[str, Any], token: str | None = None) -> bytes:
    """Returns the bytes of a GraphQL request over HTTP."""
    body = json.dumps({"query": query, "operationName": operation, "variables": variables}).encode()
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\n{authorization}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def limit(postgres: Postgres, database: str) -> Server:
    """Returns LIMIT: hand-written SQL without GraphQL."""

    def encode(request: ScreenRequest) -> bytes:
        path = SCREENS[request.screen].path(request)
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {request.token}\r\n\r\n"
        return head.encode()

    port = free_port()
    return Server(
        "LIMIT",
        [sys.executable, "-m", "bench.limit_lists", database, str(port)],
        {"BENCH_SOCKETS": str(postgres.sockets), "BENCH_KEY": base64.b64encode(KEY).decode()},
        port,
        encode,
        normalize,
    )


def waymark(postgres: Postgres, database: str, folder: Path, name: str = "Waymark", **environment: str) -> Server:
    """Returns Waymark with its default settings, except that the rate limit is off."""

    def encode(request: ScreenRequest) -> bytes:
        operation_name, text = operation(request.screen)
        return encode_post(text, operation_name, SCREENS[request.screen].variables(request), request.token)

    port = free_port()
    return Server(
        name,
        [sys.executable, "server.py", "serve"],
        {
            "WAYMARK_DATABASE_URL": postgres.url(database),
            "WAYMARK_SECRET_KEYS": "bench:" + base64.b64encode(KEY).decode(),
            "WAYMARK_BASE_URL": f"http://127.0.0.1:{port}",
            "WAYMARK_DATA": str(folder),
            "WAYMARK_PORT": str(port),
            "WAYMARK_LIMIT_BUDGET": "0",
            **environment,
        },
        port,
        encode,
        normalize,
    )


def with_defaults(url: str, folder: Path) -> Server:
    """Returns Waymark with its default settings, for clients that sign in."""
    port = free_port()
    environment = {
        "WAYMARK_DATABASE_URL": url,
        "WAYMARK_DATA": str(folder),
        "WAYMARK_PORT": str(port),
        "WAYMARK_BASE_URL": f"http://127.0.0.1:{port}",
        "WAYMARK_SECRET_KEYS": "bench:" + base64.b64encode(KEY).decode(),
    }
    return Server("Waymark", [sys.executable, "server.py", "serve"], environment, port, lambda request: b"", normalize)


def idiomatic_strawberry(postgres: Postgres, database: str) -> Server:
    """Returns a server with Strawberry's own view over the same tables, written as its documentation shows."""

    def encode(request: ScreenRequest) -> bytes:
        operation_name, text = peer_operation(request.screen, "strawberry")
        return encode_post(text, operation_name, peer_variables(request))

    port = free_port()
    return Server(
        "Strawberry",
        [sys.executable, "-m", "bench.idiomatic", postgres.url(database), str(port)],
        {},
        port,
        encode,
        normalize,
        screens=("map", "dashboard"),
        checks_access=False,
    )


def peer_operation(screen: str, peer: str) -> tuple[str, str]:
    """Returns the name and the text of a peer's operation for a screen: Waymark's own where the schemas agree."""
    if screen == "map" and peer != "postgraphile":
        return operation("map")
    file = HERE / "operations" / f"{screen}_{'postgraphile' if peer == 'postgraphile' else 'peers'}.graphql"
    return ("ProgressMap" if screen == "map" else "Dashboard"), file.read_text(encoding="utf-8")


def peer_variables(request: ScreenRequest) -> dict[str, Any]:
    """Returns the variables of a peer's operation: it takes the viewer as an argument, and pages by offset."""
    if request.screen == "map":
        return {"learnerId": f"Learner_{request.learner}"}
    return {"overview": str(request.overview), "first": 100, "offset": 100 if request.after else 0}


def peer_part(screen: str, data: Any) -> Any:
    """Returns the part of a response that the peers have too."""
    if screen != "dashboard":
        return data
    return {"learners": {key: data["learners"][key] for key in ("totalCount", "nodes")}}


def _clean_environment() -> dict[str, str]:
    """Returns the environment without Waymark's settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}


def _accepts_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
