"""The installation's settings: environment variables, read once at start, with every problem reported at once."""

import base64
import binascii
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.push.push_services import HOST, WELL_KNOWN

_MIN_KEY_BYTES = 32
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")
# A token of RFC 9110.
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_WEB = re.compile(r"https?://")


class SettingsError(Exception):
    """One or more settings cannot be used; the message has a line for each that says what to set."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting. The server listens on `host` and `port`; `base_url` is the address that people open."""

    host: str
    port: int
    data: Path
    database_url: str
    read_database_url: str | None
    # Connections kept open to each database; at peak load as many again are opened.
    pool_size: int
    # The longest that a statement of the server may take.
    statement_seconds: int
    # The connection pooler in front of the database: a value of db.postgres_connection.Pooler.
    pooler: str
    # PostgreSQL itself, for notifications, if `database_url` leads to a pooler.
    listen_url: str | None
    # Key id -> at least 32 bytes. The first key signs; all of them verify.
    secret_keys: dict[str, bytes]
    base_url: str
    # Where a record is opened in the provider's frontend, with {id}; None for the employer app.
    open_url: str | None
    is_demo: bool
    smtp_url: str | None
    mail_from: str
    files_url: str | None
    executor: str
    operations: str
    # Whether browsers that open /graphql get GraphiQL.
    graphiql: bool
    allowed_origins: tuple[str, ...]
    # Headers that pages of these origins may send in addition to the usual ones.
    allowed_headers: tuple[str, ...]
    # The push services that browsers may name, or none.
    push_services: tuple[str, ...]
    # Host and port of /metrics; None switches it off.
    metrics_address: tuple[str, int] | None
    trusted_proxies: str
    # How long the server keeps serving after SIGTERM, so that a proxy sees /ready fail.
    drain_seconds: int
    # From which delay of the event loop it is logged what it was busy with.
    loop_milliseconds: int
    # The settings WAYMARK_LIMIT_…, which the transport reads.
    limits: Mapping[str, str]

    @property
    def mail_folder(self) -> Path:
        """The folder for e-mails as files, if there is no SMTP server."""
        return self.data / "mail"

    @property
    def files_location(self) -> str | Path:
        """The place of uploaded files: a folder, or an s3:// URL."""
        return self.files_url or self.data / "files"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings. Raises SettingsError with every problem.

    Without WAYMARK_DATABASE_URL this is a demo, with its own SQLite database and key under WAYMARK_DATA.
    """
    reader = _Reader(environment)
    data = Path(reader.text("WAYMARK_DATA", "var")).absolute()
    database_url = reader.url("WAYMARK_DATABASE_URL")
    is_demo = database_url is None
    host = reader.text("WAYMARK_HOST", "127.0.0.1")
    port = reader.number("WAYMARK_PORT", 8000, 0, 65535)
    settings = Settings(
        host=host,
        port=port,
        data=data,
        database_url=database_url or f"sqlite:///{data / 'demo.db'}",
        read_database_url=reader.url("WAYMARK_READ_DATABASE_URL"),
        pool_size=reader.number("WAYMARK_POOL_SIZE", 16, 1, 200),
        statement_seconds=reader.number("WAYMARK_STATEMENT_SECONDS", 8, 1, 600),
        pooler=reader.choice("WAYMARK_POOLER", "none", "session", "transaction", "transaction-unprepared"),
        listen_url=reader.url("WAYMARK_LISTEN_URL"),
        secret_keys=_demo_key(data) if is_demo and "WAYMARK_SECRET_KEYS" not in environment else reader.keys(),
        base_url=reader.text("WAYMARK_BASE_URL", f"http://{host}:{port}").rstrip("/"),
        open_url=reader.template("WAYMARK_OPEN_URL"),
        is_demo=is_demo,
        smtp_url=environment.get("WAYMARK_SMTP_URL") or None,
        mail_from=reader.text("WAYMARK_MAIL_FROM", "waymark@localhost"),
        files_url=environment.get("WAYMARK_FILES_URL") or None,
        executor=reader.choice("WAYMARK_EXECUTOR", "compiled", "generic"),
        operations=reader.choice("WAYMARK_OPERATIONS", "any", "trusted"),
        graphiql=reader.choice("WAYMARK_GRAPHIQL", *(("on", "off") if is_demo else ("off", "on"))) == "on",
        allowed_origins=reader.origins("WAYMARK_ALLOWED_ORIGINS"),
        allowed_headers=reader.header_names("WAYMARK_ALLOWED_HEADERS"),
        push_services=reader.push_services("WAYMARK_PUSH_SERVICES"),
        metrics_address=reader.address("WAYMARK_METRICS", "127.0.0.1:9464"),
        trusted_proxies=reader.text("WAYMARK_TRUSTED_PROXIES", "127.0.0.1"),
        drain_seconds=reader.number("WAYMARK_DRAIN_SECONDS", 0, 0, 300),
        loop_milliseconds=reader.number("WAYMARK_LOOP_MILLISECONDS", 100, 10, 60_000),
        limits={name: environment[name] for name in environment if name.startswith("WAYMARK_LIMIT_")},
    )
    if not is_demo and "WAYMARK_BASE_URL" not in environment:
        reader.problems.append(
            "WAYMARK_BASE_URL: set it to the address that people open, such as https://portfolio.example"
        )
    if settings.pooler.startswith("transaction") and settings.listen_url is None:
        reader.problems.append(
            "WAYMARK_LISTEN_URL: set it to the URL of PostgreSQL itself: a pooler in transaction mode passes on no "
            "notifications"
        )
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


class _Reader:
    """Reads settings one by one and collects the problems."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str, default: str) -> str:
        return self._environment.get(name) or default

    def number(self, name: str, default: int, minimum: int, maximum: int) -> int:
        text = self._environment.get(name) or str(default)
        if text.isdecimal() and minimum <= int(text) <= maximum:
            return int(text)
        self.problems.append(f"{name}: set a whole number from {minimum} to {maximum}, not {text!r}")
        return default

    def address(self, name: str, default: str) -> tuple[str, int] | None:
        text = self._environment.get(name) or default
        if text == "off":
            return None
        host, _, port = text.rpartition(":")
        if host and port.isdecimal() and int(port) <= 65535:
            return host.removeprefix("[").removesuffix("]"), int(port)
        self.problems.append(f"{name}: set host:port, such as {default}, or off, not {text!r}")
        return None

    def origins(self, name: str) -> tuple[str, ...]:
        origins = tuple(self._environment.get(name, "").replace(",", " ").split())
        for origin in origins:
            # The format of a browser's Origin header: no path, not even a slash. A wildcard is refused.
            if not _ORIGIN.fullmatch(origin):
                self.problems.append(f"{name}: set origins such as https://app.example, without a path, not {origin!r}")
        return origins

    def header_names(self, name: str) -> tuple[str, ...]:
        names = tuple(self._environment.get(name, "").replace(",", " ").split())
        for header in names:
            # A wildcard is a token too, and would allow every header.
            if header == "*" or not _HEADER.fullmatch(header):
                self.problems.append(f"{name}: set names of headers such as x-datadog-trace-id, not {header!r}")
        return names

    def push_services(self, name: str) -> tuple[str, ...]:
        text = self._environment.get(name)
        if not text:
            return WELL_KNOWN
        hosts = () if text == "off" else tuple(text.lower().replace(",", " ").split())
        for host in hosts:
            if not HOST.fullmatch(host):
                self.problems.append(f"{name}: set hosts such as push.example or *.push.example, or off, not {host!r}")
        return hosts

    def template(self, name: str) -> str | None:
        text = self._environment.get(name) or None
        if text is not None and not (_WEB.match(text) and "{id}" in text):
            self.problems.append(f"{name}: set an address with {{id}} such as https://app.example/records/{{id}}")
            return None
        return text

    def choice(self, name: str, *choices: str) -> str:
        text = self._environment.get(name) or choices[0]
        if text not in choices:
            self.problems.append(f"{name}: set one of {', '.join(choices)}, not {text!r}")
        return text

    def url(self, name: str) -> str | None:
        text = self._environment.get(name)
        if not text:
            return None
        # Imported here: the command line's --help needs this module and no SQLAlchemy.
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            scheme = make_url(text).get_backend_name()
        except ArgumentError:
            scheme = "none"
        if scheme not in ("postgresql", "postgres", "sqlite"):
            # The value is not repeated: it may hold a password.
            self.problems.append(
                f"{name}: set a URL such as postgresql://user:password@host/database or sqlite:////path/to/file"
            )
        return text

    def keys(self) -> dict[str, bytes]:
        text = self._environment.get("WAYMARK_SECRET_KEYS", "")
        instruction = (
            "WAYMARK_SECRET_KEYS: set it to id:key, where key is at least 32 random bytes in base64, such as the "
            "output of `openssl rand -base64 32`; separate several keys with commas, newest first"
        )
        keys: dict[str, bytes] = {}
        for part in filter(None, text.split(",")):
            name, _, encoded = part.strip().partition(":")
            try:
                keys[name] = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                keys[name] = b""
        if not keys or "" in keys or any(_is_weak(key) for key in keys.values()):
            self.problems.append(instruction)
        return keys


def _is_weak(key: bytes) -> bool:
    # Few different bytes mean a made-up example, not a random key.
    return len(key) < _MIN_KEY_BYTES or len(set(key)) < 12


def _demo_key(data: Path) -> dict[str, bytes]:
    """The demo's key, generated on the first run in a file that only its owner can read."""
    path = data / "keys" / "demo.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(_MIN_KEY_BYTES)).decode())
    return {"demo": base64.b64decode(path.read_text())}
