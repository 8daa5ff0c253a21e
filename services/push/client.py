"""Sends one push message to a push service, which is never an address within the operator's own network."""

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

import httpx2

from domain.network import is_public

SECONDS = 10.0
_MAX_RETRY_AFTER = dt.timedelta(hours=1)

# The addresses of a host and port.
Resolve = Callable[[str, int], Awaitable[list[str]]]


class Result(Enum):
    """What a push service did with a message."""

    SENT = auto()
    # The browser has ended the subscription.
    GONE = auto()
    # It may take the message later.
    LATER = auto()
    # It will not take this message.
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt; `reason` is for the log. `wait`: the push service's own wish for the next one."""

    result: Result
    reason: str = ""
    wait: dt.timedelta | None = None


class PrivateAddress(Exception):
    """The name of a push service leads into a private network."""


async def public_addresses(host: str, port: int) -> list[str]:
    """Returns the addresses of a host. Raises PrivateAddress if one of them is not public, and OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not all(is_public(address) for address in addresses):
        raise PrivateAddress
    return addresses


class PushClient:
    """Sends to the address that was checked: between the check and the request the name is not looked up again."""

    def __init__(self, resolve: Resolve = public_addresses, verify: ssl.SSLContext | bool = True) -> None:
        self._resolve, self._verify = resolve, verify
        self._client: httpx2.AsyncClient | None = None

    async def send(self, endpoint: str, body: bytes, headers: dict[str, str]) -> Outcome:
        """Sends a message once. It follows no redirect, and reads nothing of the answer but its head."""
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port or 443
        try:
            async with asyncio.timeout(SECONDS):
                addresses = await self._resolve(host, port)
                if not addresses:
                    return Outcome(Result.LATER, "no address")
                return await self._post(endpoint, addresses[0], host, body, headers)
        except PrivateAddress:
            return Outcome(Result.REFUSED, "a private address")
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
            return Outcome(Result.LATER, type(error).__name__)

    async def close(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _post(self, endpoint: str, address: str, host: str, body: bytes, headers: dict[str, str]) -> Outcome:
        if self._client is None:
            # Made at the first use: it loads the certificates.
            self._client = httpx2.AsyncClient(
                timeout=SECONDS, follow_redirects=False, verify=self._verify, headers={"user-agent": "Waymark"},
                limits=httpx2.Limits(max_connections=20, max_keepalive_connections=5),
            )  # fmt: skip
        url = httpx2.URL(endpoint)
        request = self._client.build_request(
            "POST",
            url.copy_with(host=address),
            content=body,
            headers={**headers, "host": url.netloc.decode()},
            # The certificate has to be that of the name.
            extensions={"sni_hostname": host},
        )
        response = await self._client.send(request, stream=True)
        try:
            return _outcome(response.status_code, response.headers.get("retry-after"))
        finally:
            await response.aclose()


def _outcome(status: int, retry_after: str | None) -> Outcome:
    reason = f"status {status}"
    if status in (200, 201, 202, 204):
        return Outcome(Result.SENT, reason)
    if status in (404, 410):
        return Outcome(Result.GONE, reason)
    if status in (408, 425, 429) or status >= 500:
        seconds = int(retry_after) if retry_after and retry_after.isascii() and retry_after.isdecimal() else None
        wait = None if seconds is None else min(dt.timedelta(seconds=min(seconds, 86_400)), _MAX_RETRY_AFTER)
        return Outcome(Result.LATER, reason, wait)
    return Outcome(Result.REFUSED, reason)
