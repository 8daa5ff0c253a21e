"""The servers that are compared: how each is started, asked, and read. All of them on loopback, one process each."""

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

ROOT = Path(__file__).parent.parent
HERE = ROOT / "bench"
KEY = secrets.token_bytes(32)
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ask:
    """One request in plain words: which screen, for whom, of whom, from where on."""

    screen: str
    token: str
    overview: int
    learner: int = 0
    after: str | None = None


@dataclass(slots=True)
class Server:
    """A server. `raw` spells a request as it goes over the socket; `read` makes answers comparable."""

    name: str
    command: list[str]
    environment: dict[str, str]
    port: int
    raw: Callable[[Ask], bytes]
    read: Callable[[str, Any], Any]
    screens: tuple[str, ...] = ("map", "dashboard", "kpis")
    # Checked for sign-in and scope; the peers are not, which is in their favour.
    guarded: bool = True
    process: subprocess.Popen | None = field(default=None, repr=False)

    def start(self, folder: Path, cores: set[int] | None = None) -> None:
        """Starts it on those cores and returns once it answers."""
        with (folder / f"{self.name.split()[0].lower()}.log").open("wb") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env={**_plain_environment(), **self.environment}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
            )  # fmt: skip
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _listens(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.name} did not start:\n{Path(log.name).read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ends it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def data(self, ask: Ask) -> Any:
        """The comparable data of one request. RuntimeError for an answer that is none."""
        head, _, body = self.raw(ask).partition(b"\r\n\r\n")
        line, *headers = head.decode().split("\r\n")
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{line.split()[1]}",
            method=line.split()[0],
            data=body or None,
            headers=dict(header.split(": ", 1) for header in headers),
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                found = json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{self.name} answered {error.code}: {error.read()[:2000]!r}") from None
        if "errors" in found:
            raise RuntimeError(f"{self.name} answered with errors: {str(found['errors'])[:2000]}")
        return self.read(ask.screen, found["data"])


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def post(query: str, operation: str, variables: dict[str, Any], token: str | None = None) -> bytes:
    """A GraphQL request as it goes over the socket."""
    body = json.dumps({"query": query, "operationName": operation, "variables": variables}).encode()
    signed = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\n{signed}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def limit(postgres: Postgres, database: str) -> Server:
    """SQL by hand."""

    def raw(ask: Ask) -> bytes:
        path = {
            "map": f"/map/{ask.learner}",
            "dashboard": f"/dashboard?after={ask.after}" if ask.after else "/dashboard",
            "kpis": "/kpis",
        }[ask.screen]
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {ask.token}\r\n\r\n"
        return head.encode()

    port = free_port()
    return Server(
        "LIMIT",
        [sys.executable, "-m", "bench.limit", database, str(port)],
        {"BENCH_SOCKETS": str(postgres.sockets), "BENCH_KEY": base64.b64encode(KEY).decode()},
        port,
        raw,
        read_data,
    )


_OPERATIONS = {
    "map": ("ProgressMap", "progress_map"),
    "dashboard": ("EmployerDashboard", "employer_dashboard"),
    "kpis": ("EmployerKpis", "employer_kpis"),
}


def operation(screen: str) -> tuple[str, str]:
    """The name and text of the contract's operation behind a screen."""
    name, file = _OPERATIONS[screen]
    return name, (HERE / "operations" / f"{file}.graphql").read_text(encoding="utf-8")


def variables_of(ask: Ask) -> dict[str, Any]:
    """The operation's variables."""
    if ask.screen == "map":
        return {"learnerId": f"Learner_{ask.learner}"}
    return {"first": 100, "after": ask.after} if ask.screen == "dashboard" else {}


def waymark(postgres: Postgres, database: str, folder: Path, name: str = "Waymark", **environment: str) -> Server:
    """The product, as it is served; only its budget is off, which would refuse a caller as busy as this one."""
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
        lambda ask: post(operation(ask.screen)[1], operation(ask.screen)[0], variables_of(ask), ask.token),
        read_data,
    )


def idiomatic(postgres: Postgres, database: str) -> Server:
    """A stock Strawberry server over the same tables."""
    port = free_port()
    return Server(
        "Strawberry",
        [sys.executable, "-m", "bench.idiomatic", postgres.url(database), str(port)],
        {},
        port,
        lambda ask: post(*reversed(peer_operation(ask.screen, "strawberry")), peer_variables(ask)),
        read_data,
        screens=("map", "dashboard"),
        guarded=False,
    )


def peer_operation(screen: str, peer: str) -> tuple[str, str]:
    """The name and text of what a peer is asked for a screen: the contract's operation where the peer can spell it so."""
    if screen == "map" and peer != "postgraphile":
        return operation("map")
    file = HERE / "operations" / f"{screen}_{'postgraphile' if peer == 'postgraphile' else 'peers'}.graphql"
    return ("ProgressMap" if screen == "map" else "Dashboard"), file.read_text(encoding="utf-8")


def peer_variables(ask: Ask) -> dict[str, Any]:
    """A peer knows no viewer: it is told whose learners are wanted, and pages by number."""
    if ask.screen == "map":
        return {"learnerId": f"Learner_{ask.learner}"}
    return {"overview": str(ask.overview), "first": 100, "offset": 100 if ask.after else 0}


def for_peers(screen: str, data: Any) -> Any:
    """What of a guarded server's data a peer has as well."""
    return (
        {"learners": {key: data["learners"][key] for key in ("totalCount", "nodes")}} if screen == "dashboard" else data
    )


def read_data(screen: str, data: Any) -> Any:
    """The moment at which the numbers were read is the only thing that may differ."""
    if screen == "kpis":
        del data["viewer"]["kpis"]["generatedAt"]
    return data


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
