"""Talks to a server over HTTP: signs in, asks for saved operations, refreshes its token, and waits when told to."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2

from queries.faults import NotLetIn, Unanswered
from queries.saved import Saved, find

# How long a server may let us wait at once, how often in a row, and how often a broken connection is tried again.
LONGEST_WAIT = 300.0
MOST_WAITS = 10
TRIES = 3

_HELD_BACK = {
    "PASSWORD_CHANGE_REQUIRED": "The password has to be changed first",
    "DISCLAIMER_REQUIRED": "The provider's disclaimer has to be read and accepted first",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The data of one operation, and its cost in points where the server said it."""

    data: dict[str, Any]
    cost: int | None


class Client:
    """A signed-in client. `url` is the server's address or its endpoint; `told` is given a line for each wait.

    Every method raises NotLetIn where the person may not come in, and Unanswered for every other fault of the server.
    """

    def __init__(
        self,
        url: str,
        told: Callable[[str], None] = lambda line: None,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        try:
            address = httpx2.URL(url if "://" in url else f"http://{url}")
        except httpx2.InvalidURL as fault:
            raise Unanswered(f"{url} is no address: {fault}.") from None
        self._endpoint = address if address.path.strip("/") else address.copy_with(path="/graphql")
        self._http = httpx2.Client(
            timeout=60, transport=transport, headers={"accept": "application/graphql-response+json, application/json"}
        )
        self._told = told
        self._sleep = sleep
        self._token: str | None = None
        self._refresh_token: str | None = None
        # Operations that the server knows only in another version.
        self._unknown: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends a sign-in that was begun here, and the connection."""
        try:
            if self._refresh_token is not None:
                self._send(find("log_out"), {"refreshToken": self._refresh_token})
        except (Unanswered, NotLetIn):
            # It ends by itself; what was fetched is not lost for it.
            pass
        finally:
            self._http.close()

    def use_token(self, token: str) -> None:
        """From here on with this access token."""
        self._token = token

    def sign_in(self, username: str, password: str, role: str | None = None) -> None:
        """Signs in; `role` is for a login that holds several."""
        answer = self._send(find("sign_in"), {"username": username, "password": password, "role": role})
        self._take(self._data(answer, "sign_in").data["login"], f"{username} could not sign in: ")

    def ask(self, operation: Saved, variables: Mapping[str, Any]) -> Answer:
        """The answer to one operation."""
        answer = self._send(operation, variables)
        if self._refresh_token is not None and _code(answer) == "UNAUTHENTICATED":
            self._refresh()
            answer = self._send(operation, variables)
        return self._data(answer, operation.name)

    def _refresh(self) -> None:
        used, self._refresh_token, self._token = self._refresh_token, None, None
        answer = self._send(find("token_refresh"), {"refreshToken": used})
        self._take(self._data(answer, "token_refresh").data["tokenRefresh"], "The sign-in has ended: ")

    def _take(self, payload: Mapping[str, Any], otherwise: str) -> None:
        """From here on with the tokens of a payload."""
        if payload["errors"]:
            raise NotLetIn(otherwise + " ".join(error["message"] for error in payload["errors"]))
        self._token, self._refresh_token = payload["accessToken"], payload["refreshToken"]
        viewer = payload["viewer"]
        if viewer and viewer["mustChangePassword"]:
            raise _held_back("PASSWORD_CHANGE_REQUIRED")
        if viewer and viewer["mustAcceptDisclaimer"]:
            raise _held_back("DISCLAIMER_REQUIRED")

    def _data(self, answer: Mapping[str, Any], name: str) -> Answer:
        errors = answer.get("errors")
        if errors:
            code = _code(answer)
            if code in _HELD_BACK:
                raise _held_back(code)
            if code == "UNAUTHENTICATED":
                raise NotLetIn(errors[0]["message"])
            if code == "DOCUMENT_NOT_TRUSTED":
                raise Unanswered(
                    f"The server knows {name} in another version only, and runs nothing else. Use the queries/ of the "
                    "version that it runs."
                )
            said = "; ".join(error["message"] for error in errors)
            raise Unanswered(f"The server did not answer {name}: {said}")
        cost = answer.get("extensions", {}).get("cost", {}).get("requested")
        return Answer(answer["data"], cost)

    def _send(self, operation: Saved, variables: Mapping[str, Any]) -> dict[str, Any]:
        """By its hash, which every server of this version knows; by its text where this one does not."""
        if operation.name not in self._unknown:
            answer = self._post(operation, {"documentId": f"sha256:{operation.sha256}", "variables": variables})
            if _code(answer) != "BAD_REQUEST":
                return answer
            self._unknown.add(operation.name)
        return self._post(operation, {"query": operation.text, "variables": variables})

    def _post(self, operation: Saved, body: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
        waits = tries = 0
        while True:
            try:
                response = self._http.post(self._endpoint, json=body, headers=headers)
            except httpx2.ConnectError:
                raise Unanswered(f"There is no server at {self._endpoint}.") from None
            except httpx2.TransportError as fault:
                tries += 1
                # Asking twice for what only reads changes nothing.
                if not operation.is_query or tries == TRIES:
                    raise Unanswered(f"The connection to {self._endpoint} broke: {type(fault).__name__}.") from None
                continue
            pause = _pause(response)
            if pause is None or waits == MOST_WAITS:
                return _read(response)
            if pause > LONGEST_WAIT:
                raise Unanswered(f"The server asks to come back in {pause:.0f} seconds. Try again then.")
            waits += 1
            self._told(f"The server asks to wait {pause:.0f} s ({_reason(response)})")
            self._sleep(pause)


def _pause(response: httpx2.Response) -> float | None:
    """Seconds to wait before asking again; None where the answer stands."""
    if response.status_code not in (429, 503):
        return None
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else None


def _reason(response: httpx2.Response) -> str:
    return {429: "the budget of this minute is spent"}.get(response.status_code, "it is not available at the moment")


def _read(response: httpx2.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not ("data" in answer or "errors" in answer):
        raise Unanswered(f"{response.url} answered HTTP {response.status_code}, and not as a graph. Is it Waymark?")
    return answer


def _code(answer: Mapping[str, Any]) -> str | None:
    errors = answer.get("errors")
    return errors[0].get("extensions", {}).get("code") if errors else None


def _held_back(code: str) -> NotLetIn:
    return NotLetIn(f"{_HELD_BACK[code]}: do it in the e-portfolio, then run this again.")
