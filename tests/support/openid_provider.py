"""OpenID providers in a process of their own, one process for all tests of a session, on a real socket.

    async with OpenIdProvider(redirect_uri) as provider:
        provider.tell(person={"sub": "1", "email": "ana@hill.example", "email_verified": True})

`tests/support/openid_process.py` is that process. It ends with the one that started it.
"""

import asyncio
import atexit
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import httpx2

from tests.support.architecture import ROOT

Claims = dict[str, Any]
# An answer that is too large, and the right one, piece by piece, without a long pause.
HUGE, DRIPPING = "huge", "dripping"


def elsewhere(url: str) -> Claims:
    """Returns an answer that leads to another address."""
    return {"location": url}


@dataclass(frozen=True)
class Registered:
    """The one client of a provider: a Waymark installation."""

    client_id: str
    secret: str
    redirect_uri: str


class OpenIdProvider:
    """A provider, and what it does wrong."""

    def __init__(self, redirect_uri: str) -> None:
        self._redirect_uri = redirect_uri
        self.issuer = ""
        self.client = Registered("", "", redirect_uri)

    async def __aenter__(self) -> Self:
        self._control = httpx2.Client(base_url=await asyncio.to_thread(_address), timeout=30)
        made = self._control.post("/control", json={"redirect_uri": self._redirect_uri}).json()
        self.issuer = made["issuer"]
        self.client = Registered(made["client_id"], made["secret"], self._redirect_uri)
        self._place = f"/control/{made['number']}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._control.delete(self._place)
        self._control.close()

    def tell(self, **state: Any) -> None:
        """Sets who is signed in (`person`, the claims) and what it does wrong, until the next call.

        `changed_claims`: of ID tokens; None takes a claim away, `{"iat": 100}` is a time after `iat`. `algorithm`: of
        their signature, or "another key". `only_in_user_info`: claims. `wrong`: what a path answers instead: HUGE,
        DRIPPING, `elsewhere(...)`, or after so many seconds.
        """
        self._control.patch(self._place, json=state).raise_for_status()

    def behave(self) -> None:
        """Does nothing wrong any more."""
        self.tell(changed_claims={}, algorithm="RS256", only_in_user_info=[], wrong={})

    def rotate_keys(self) -> None:
        """Replaces the keys, as an identity provider does now and then."""
        self._control.post(f"{self._place}/keys").raise_for_status()

    @property
    def requests(self) -> list[str]:
        """What was requested since the last `forget_requests`: discovery, token, keys, userinfo."""
        found: list[str] = self._control.get(self._place).json()
        return found

    def forget_requests(self) -> None:
        """Empties `requests`."""
        self._control.post(f"{self._place}/forget").raise_for_status()


@cache
def _address() -> str:
    # Started once; it ends when its standard input does, however this process ends.
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.openid_process"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    atexit.register(process.stdin.close)
    port = process.stdout.readline().strip()
    assert port, "the OpenID provider did not start"
    return f"http://127.0.0.1:{port}"
