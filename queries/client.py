"""An HTTP client: signs in, executes saved operations, refreshes its tokens and waits when it is rate limited."""

import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx2

from .errors import AuthenticationError, ServerError
from .file_part import FilePart
from .operations import SavedOperation, get_operation
from .retries import GATEWAY_STATUSES, MAX_ATTEMPTS, Restart, retry_after, wait_reason

_REQUIRED_STEPS = {
    "PASSWORD_CHANGE_REQUIRED": "The password must be changed first",
    "DISCLAIMER_REQUIRED": "The provider's disclaimer must be accepted first",
    "SECOND_FACTOR_REQUIRED": "A second factor must be set up first",
}


@dataclass(frozen=True, slots=True)
class OperationResult:
    """The data of one response, its cost in points if the server sent it, and when it was read."""

    data: dict[str, Any]
    cost: int | None
    as_of: dt.datetime


class Client:
    """A client of one server. `url` is its base URL or its GraphQL endpoint; `on_wait` gets a message for each wait.

    Methods raise AuthenticationError if the sign-in fails or has ended, and ServerError for every other failure.
    """

    def __init__(
        self,
        url: str,
        on_wait: Callable[[str], None] = lambda message: None,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        try:
            base_url = httpx2.URL(url if "://" in url else f"http://{url}")
        except httpx2.InvalidURL as error:
            raise ServerError(f"{url} is not a valid URL: {error}.") from None
        self._endpoint = base_url if base_url.path.strip("/") else base_url.copy_with(path="/graphql")
        self._http = httpx2.Client(
            timeout=60, transport=transport, headers={"accept": "application/graphql-response+json, application/json"}
        )
        self._on_wait = on_wait
        self._sleep = sleep
        self._token: str | None = None
        self._refresh_token: str | None = None
        # Operations whose hash the server does not know: they are sent as text.
        self._send_as_text: set[str] = set()
        # Whether the server has answered: one that has is waited for, a wrong address is not.
        self._has_answered = False
        self._as_of = dt.datetime.now(dt.UTC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Signs out, if this client signed in, and closes the connection."""
        try:
            if self._refresh_token is not None:
                self._send(get_operation("log_out"), {"refreshToken": self._refresh_token})
        except (ServerError, AuthenticationError):
            # The session expires by itself. A failed sign-out must not discard the data already fetched.
            pass
        finally:
            self._http.close()

    def use_token(self, token: str) -> None:
        """Sets the access token of the following requests."""
        self._token = token

    def sign_in(self, username: str, password: str, role: str | None = None) -> None:
        """Signs in; `role` chooses one of the roles of an account that has several."""
        response = self._send(get_operation("sign_in"), {"username": username, "password": password, "role": role})
        self._use_tokens(self._result(response, "sign_in").data["login"], f"{username} could not sign in: ")

    def execute(self, operation: SavedOperation, variables: Mapping[str, Any]) -> OperationResult:
        """Executes one operation, with new tokens if the access token has expired."""
        response = self._send(operation, variables)
        if self._refresh_token is not None and _error_code(response) == "UNAUTHENTICATED":
            self._refresh()
            response = self._send(operation, variables)
        return self._result(response, operation.name)

    def download(self, path: str) -> Iterator[bytes]:
        """Yields the bytes of a file of the server; resumes after a broken connection, and waits for a restart.

        `path`: relative to the server's address. What arrived is compared with the file's digest at the end.
        """
        part, waits, restart, refreshed = FilePart(), 0, Restart(), False
        while not part.is_complete:
            delay, reason = None, "the server does not answer"
            headers = {"authorization": f"Bearer {self._token}", **part.headers}
            try:
                with self._http.stream("GET", self._endpoint.join(path), headers=headers) as response:
                    delay = retry_after(response, waits)
                    if response.status_code == 401 and self._refresh_token is not None and not refreshed:
                        self._refresh()
                        refreshed = True
                        continue
                    if delay is not None:
                        waits, reason = waits + 1, wait_reason(response)
                    elif response.status_code not in GATEWAY_STATUSES:
                        for chunk in part.read(response):
                            restart, refreshed = Restart(), False
                            yield chunk
            except httpx2.TransportError:
                # The next request is for the rest.
                pass
            if not part.is_complete:
                if delay is None and restart.is_over:
                    raise ServerError(f"Cannot connect to {self._endpoint}.")
                self._wait(delay if delay is not None else restart.pause(), reason)

    def _refresh(self) -> None:
        refresh_token, self._refresh_token, self._token = self._refresh_token, None, None
        response = self._send(get_operation("token_refresh"), {"refreshToken": refresh_token})
        self._use_tokens(self._result(response, "token_refresh").data["tokenRefresh"], "The session has ended: ")

    def _use_tokens(self, payload: Mapping[str, Any], error_prefix: str) -> None:
        if payload["errors"]:
            raise AuthenticationError(error_prefix + " ".join(error["message"] for error in payload["errors"]))
        self._token, self._refresh_token = payload["accessToken"], payload["refreshToken"]
        viewer = payload["viewer"]
        if viewer and viewer["mustChangePassword"]:
            raise _step_required("PASSWORD_CHANGE_REQUIRED")
        if viewer and viewer["mustAcceptDisclaimer"]:
            raise _step_required("DISCLAIMER_REQUIRED")
        if viewer and viewer["mustSetUpSecondFactor"]:
            raise _step_required("SECOND_FACTOR_REQUIRED")

    def _result(self, response: Mapping[str, Any], name: str) -> OperationResult:
        errors = response.get("errors")
        if errors:
            code = _error_code(response)
            if code in _REQUIRED_STEPS:
                raise _step_required(code)
            if code == "UNAUTHENTICATED":
                raise AuthenticationError(errors[0]["message"])
            if code == "DOCUMENT_NOT_TRUSTED":
                raise ServerError(
                    f"The server has another version of {name} and accepts no other text. Use the queries/ folder of "
                    "the server's version."
                )
            messages = "; ".join(error["message"] for error in errors)
            raise ServerError(f"The server rejected {name}: {messages}")
        cost = response.get("extensions", {}).get("cost", {}).get("requested")
        return OperationResult(response["data"], cost, self._as_of)

    def _send(self, operation: SavedOperation, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Sends an operation by its hash, and by its text if the server does not know the hash."""
        if operation.name not in self._send_as_text:
            response = self._post(operation, {"documentId": f"sha256:{operation.sha256}", "variables": variables})
            if _error_code(response) != "BAD_REQUEST":
                return response
            self._send_as_text.add(operation.name)
        return self._post(operation, {"query": operation.text, "variables": variables})

    def _post(self, operation: SavedOperation, body: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
        if not operation.is_query:
            # The server may ask for a repetition without knowing whether the first request had its effect.
            headers["idempotency-key"] = str(uuid.uuid4())
        waits, restart = 0, Restart()
        while True:
            sent = dt.datetime.now(dt.UTC)
            try:
                response = self._http.post(self._endpoint, json=body, headers=headers)
            except httpx2.TransportError as error:
                refused = isinstance(error, httpx2.ConnectError)
                if not self._may_repeat(operation, refused, restart):
                    if refused:
                        raise ServerError(f"Cannot connect to {self._endpoint}.") from None
                    raise ServerError(f"The connection to {self._endpoint} failed: {type(error).__name__}.") from None
                self._wait(restart.pause(), "the server does not answer")
                continue
            may_wait = operation.is_query and self._has_answered and not restart.is_over
            if response.status_code in GATEWAY_STATUSES and may_wait:
                self._wait(restart.pause(), "the server does not answer")
                continue
            self._has_answered, self._as_of = True, _server_time(response, sent)
            delay = retry_after(response, waits)
            if delay is None:
                return _parse_body(response)
            waits += 1
            self._wait(delay, wait_reason(response))

    def _may_repeat(self, operation: SavedOperation, refused: bool, restart: Restart) -> bool:
        # A request that was not received is safe to repeat; the server may have executed any other.
        if not (refused or operation.is_query):
            return False
        if not self._has_answered:
            return not refused and restart.attempts < MAX_ATTEMPTS - 1
        return not restart.is_over

    def _wait(self, seconds: float, reason: str) -> None:
        self._on_wait(f"Waiting {seconds:.0f} s: {reason}")
        self._sleep(seconds)


def _server_time(response: httpx2.Response, sent: dt.datetime) -> dt.datetime:
    """Returns when a request was sent, by the server's clock: what was recorded before is in its response."""
    try:
        answered = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return sent
    return answered.astimezone(dt.UTC) - (dt.datetime.now(dt.UTC) - sent)


def _parse_body(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or not ("data" in body or "errors" in body):
        raise ServerError(
            f"{response.url} answered HTTP {response.status_code} without a GraphQL response. Check the URL."
        )
    return body


def _error_code(response: Mapping[str, Any]) -> str | None:
    errors = response.get("errors")
    return errors[0].get("extensions", {}).get("code") if errors else None


def _step_required(code: str) -> AuthenticationError:
    return AuthenticationError(f"{_REQUIRED_STEPS[code]}. Do this in Waymark, then run the command again.")
