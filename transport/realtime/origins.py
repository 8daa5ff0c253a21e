"""Whether a page of some origin may open a socket: browsers ask no preflight for those, so the server looks."""

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def origin_allowed(origin: bytes | None, host: bytes | None, allowed: frozenset[str]) -> bool:
    """Whether a handshake may go on: it names no origin (no browser), the server's own, or one that is allowed."""
    if origin is None:
        return True
    name = origin.decode("latin-1").lower().rstrip("/")
    if name in {each.lower().rstrip("/") for each in allowed}:
        return True
    try:
        parts = urlsplit(name)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        own = urlsplit("//" + (host or b"").decode("latin-1").lower())
        own_port = own.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return False
    return bool(parts.scheme in ("http", "https") and parts.hostname) and (parts.hostname, port) == (
        own.hostname,
        own_port,
    )
