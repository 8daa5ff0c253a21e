"""The push services that this server sends to: a list of hosts, because browsers name the address."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

# Of Chrome, Edge (also on Android), Firefox and Safari.
WELL_KNOWN = (
    "fcm.googleapis.com", "*.notify.windows.com", "updates.push.services.mozilla.com", "*.push.services.mozilla.com",
    "web.push.apple.com", "*.push.apple.com",
)  # fmt: skip
MAX_ENDPOINT_LENGTH = 1000
HOST = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+(:\d{1,5})?")


class PushServices:
    """Which addresses are those of a push service. `hosts`: `push.example`, `push.example:8443` or `*.push.example`."""

    def __init__(self, hosts: Iterable[str] = WELL_KNOWN) -> None:
        self._hosts = frozenset(hosts)

    @property
    def is_empty(self) -> bool:
        """Whether this server sends to no push service."""
        return not self._hosts

    def has(self, endpoint: str) -> bool:
        """Returns whether a URL is https, of one of the hosts, and has neither a user nor a fragment."""
        if len(endpoint) > MAX_ENDPOINT_LENGTH or not (endpoint.isascii() and endpoint.isprintable()):
            return False
        try:
            parts = urlsplit(endpoint)
            port = parts.port
        except ValueError:
            return False
        if parts.scheme != "https" or "@" in parts.netloc or "\\" in endpoint or " " in endpoint or parts.fragment:
            return False
        host = (parts.hostname or "") + (f":{port}" if port not in (None, 443) else "")
        return host in self._hosts or f"*.{host.partition('.')[2]}" in self._hosts


def origin_of(endpoint: str) -> str:
    """Returns the origin of an endpoint, for which a token is made."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"
