"""Sends requests to an identity provider: JSON of limited size within seconds, and no redirect to another server."""

import asyncio
import json
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx2

SECONDS = 5.0
MAX_BYTES = 256 * 1024


class IdentityUnavailable(Exception):
    """The identity provider cannot be reached, or its answer cannot be used. The message is for the log."""


def is_safe_url(url: str) -> bool:
    """Returns whether a URL is https, or http of this machine, without a user and a fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
        return is_secure and bool(host) and "@" not in parts.netloc and not parts.fragment and url.isprintable()
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class IdentityHttp:
    """A client for all identity providers. It follows no redirect."""

    def __init__(self) -> None:
        self._client: httpx2.AsyncClient | None = None

    async def get(self, url: str, token: str | None = None) -> dict[str, Any]:
        """Returns the JSON object at a URL. Raises IdentityUnavailable."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        status, found = await self._send("GET", url, headers=headers)
        if status != 200:
            raise IdentityUnavailable(f"status {status}")
        return found

    async def post(self, url: str, form: dict[str, str], auth: tuple[str, str] | None) -> tuple[int, dict[str, Any]]:
        """Sends a form and returns the status and the JSON object. Raises IdentityUnavailable."""
        return await self._send("POST", url, data=form, **({} if auth is None else {"auth": auth}))

    async def _send(self, method: str, url: str, **request: Any) -> tuple[int, dict[str, Any]]:
        if not is_safe_url(url):
            raise IdentityUnavailable("not an https address")
        if self._client is None:
            # Made at the first use: few installations have an identity provider.
            self._client = httpx2.AsyncClient(
                timeout=SECONDS, follow_redirects=False, headers={"accept": "application/json"},
                limits=httpx2.Limits(max_connections=20, max_keepalive_connections=5),
            )  # fmt: skip
        try:
            async with asyncio.timeout(SECONDS), self._client.stream(method, url, **request) as response:
                status, body = response.status_code, bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > MAX_BYTES:
                        raise IdentityUnavailable(f"an answer of more than {MAX_BYTES} bytes")
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
            raise IdentityUnavailable(type(error).__name__) from error
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise IdentityUnavailable(f"status {status}, not JSON") from None
        if not isinstance(found, dict):
            raise IdentityUnavailable(f"status {status}, not a JSON object")
        return status, found
