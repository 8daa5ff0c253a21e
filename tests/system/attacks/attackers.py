"""What the attackers do: each is a process of its own, so that its work is not the measured user's.

python -m tests.system.attacks.attackers ATTACK PORT SECONDS ARGUMENT prints the number of answers by status as JSON.
"""

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import websockets

from tests.support.architecture import ROOT
from tests.support.client import PASSWORD

# As many documents as were in flight when the attack was found, of 28 kB with 480 names that the schema does not have.
DOCUMENTS = 240
NAMES = 480
PASSWORDS = 30
SIGN_INS_A_SECOND = 5.0
VARIABLES = 30
EXPORTS = 8
SOCKETS = 300
# The letters that zxcvbn reads as others: three times over it took six seconds.
SUBSTITUTED = "4@8({[<3691!|70$5+7%2" * 3


class Requests:
    """Requests over kept connections, counted by the status of their answers."""

    def __init__(self, port: int, until: float) -> None:
        self._port, self._until = port, until
        self.statuses: Counter[str] = Counter()

    async def once(self, request: bytes) -> None:
        """Sends one request over a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(request)
            status, _ = await _answer(reader)
            self.statuses[status] += 1
        finally:
            writer.close()

    async def repeat(self, make: Callable[[int], bytes], number: int, *, patient: bool = False) -> None:
        """Sends the request `number`, then another after each answer, until the time is over.

        The `patient` wait after a refusal as long as it asks.
        """
        while time.monotonic() < self._until:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                self.statuses["no connection"] += 1
                await asyncio.sleep(0.1)
                continue
            try:
                while time.monotonic() < self._until:
                    writer.write(make(number))
                    async with asyncio.timeout(self._until - time.monotonic() + 60):
                        status, retry_after = await _answer(reader)
                    self.statuses[status] += 1
                    number += DOCUMENTS
                    if patient and retry_after:
                        await asyncio.sleep(min(retry_after, max(0.0, self._until - time.monotonic())))
            except (OSError, asyncio.IncompleteReadError):
                self.statuses["closed"] += 1
            finally:
                writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[str, float]:
    """Reads an answer; returns its status and its Retry-After in seconds, 0 without one."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    headers = dict(line.split(": ", 1) for line in head.lower().split("\r\n")[1:] if line)
    await reader.readexactly(int(headers["content-length"]))
    return head.split()[1], float(headers.get("retry-after", 0))


def _post(body: dict[str, Any], address: str | None = None, token: str | None = None) -> bytes:
    text = json.dumps(body).encode()
    more = f"X-Forwarded-For: {address}\r\n" if address else ""
    more += f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"{more}Content-Length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


def unknown_names(number: int) -> str:
    """A document of 28 kB that names 480 fields which the schema does not have; another one for each number."""
    return (
        "{"
        + " ".join(f"field{number:06d}{index:03d}" + "OfSomeNameThatIsNotInTheSchemaAtAllYet" for index in range(NAMES))
        + "}"
    )


async def documents(port: int, until: float, token: str | None) -> Counter[str]:
    """240 documents in flight, from one address."""
    requests = Requests(port, until)
    await asyncio.gather(
        *(requests.repeat(lambda n: _post({"query": unknown_names(n)}, token=token), n) for n in range(DOCUMENTS))
    )
    return requests.statuses


async def documents_of_many(port: int, until: float, token: str | None) -> Counter[str]:
    """240 documents in flight, each from a network of its own."""
    requests = Requests(port, until)
    await asyncio.gather(
        *(
            requests.repeat(lambda n: _post({"query": unknown_names(n)}, f"2001:db8:{n % DOCUMENTS:x}::{n}"), n)
            for n in range(DOCUMENTS)
        )
    )
    return requests.statuses


def lookalike(number: int) -> str:
    """A document of nearly 4 kB that names a sign-in field, so that it is parsed."""
    names = " ".join(f"field{number:06d}{index:03d}" for index in range(200))
    return f'mutation {{ login(input: {{ username: "a", password: "b" }}) {{ {names} }} }}'


async def lookalikes_of_many(port: int, until: float, token: str | None) -> Counter[str]:
    """240 documents in flight that look like a sign-in, each from a network of its own."""
    requests = Requests(port, until)
    await asyncio.gather(
        *(
            requests.repeat(lambda n: _post({"query": lookalike(n)}, f"2001:db8:{n % DOCUMENTS:x}::{n}"), n)
            for n in range(DOCUMENTS)
        )
    )
    return requests.statuses


async def passwords(port: int, until: float, token: str | None) -> Counter[str]:
    """30 password resets in flight, with the token of a link in place of an access token."""
    query = "mutation($input: PasswordResetInput!) { passwordReset(input: $input) { errors { code message } } }"
    body = {"query": query, "variables": {"input": {"token": token, "newPassword": SUBSTITUTED}}}
    requests = Requests(port, until)
    await asyncio.gather(*(requests.repeat(lambda n: _post(body), n) for n in range(PASSWORDS)))
    return requests.statuses


async def variables(port: int, until: float, token: str | None) -> Counter[str]:
    """30 bodies of nearly a megabyte in flight, all of it fields that the input does not have."""
    query = "mutation($input: EvidenceSubmitInput!) { evidenceSubmit(input: $input) { errors { code } } }"
    request = _post({"query": query, "variables": {"input": {f"f{n}": n for n in range(60_000)}}}, token=token)
    requests = Requests(port, until)
    await asyncio.gather(*(requests.repeat(lambda _: request, n) for n in range(VARIABLES)))
    return requests.statuses


def _get(link: str) -> bytes:
    return f"GET {link} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


async def exports(port: int, until: float, links: str | None) -> Counter[str]:
    """8 exports in flight, or as many as links, by the links of as many users, who wait as long as a refusal asks."""
    made = [_get(link) for link in (links or "").split()]
    requests = Requests(port, until)
    await asyncio.gather(
        *(requests.repeat(lambda _, n=n: made[n % len(made)], n, patient=True) for n in range(max(EXPORTS, len(made))))
    )
    return requests.statuses


async def exports_of_one(port: int, until: float, links: str | None) -> Counter[str]:
    """8 exports in flight, by the link of one user, sent again as soon as one is refused."""
    request = _get((links or "").split()[0])
    requests = Requests(port, until)
    await asyncio.gather(*(requests.repeat(lambda _: request, n) for n in range(EXPORTS)))
    return requests.statuses


async def sign_ins(port: int, until: float, usernames: str | None) -> Counter[str]:
    """300 sign-ins a minute, whether or not those before were answered."""
    names = (usernames or "").split()
    requests = Requests(port, 0.0)
    sent = []
    for number in itertools.count():
        variables = {"username": names[number % len(names)], "password": PASSWORD}
        request = _post({"documentId": "sign_in", "variables": variables})
        sent.append(asyncio.create_task(requests.once(request)))
        if time.monotonic() + 1 / SIGN_INS_A_SECOND > until:
            break
        await asyncio.sleep(1 / SIGN_INS_A_SECOND)
    await asyncio.gather(*sent)
    return requests.statuses


async def sockets(port: int, until: float, token: str | None) -> Counter[str]:
    """300 WebSockets that send nothing, and are opened again when they are closed; each from a network of its own."""
    counts: Counter[str] = Counter()

    async def idle(number: int) -> None:
        headers = {"X-Forwarded-For": f"2001:db8:{number:x}::1"}
        while time.monotonic() < until:
            try:
                async with (
                    websockets.connect(
                        f"ws://127.0.0.1:{port}/graphql",
                        subprotocols=["graphql-transport-ws"],
                        additional_headers=headers,
                    ) as socket,
                    asyncio.timeout(until - time.monotonic()),
                ):
                    await socket.wait_closed()
                    counts[str(socket.close_code)] += 1
            except TimeoutError:
                counts["open"] += 1
            except (OSError, websockets.WebSocketException):
                counts["no connection"] += 1
                await asyncio.sleep(0.1)

    await asyncio.gather(*(idle(number) for number in range(SOCKETS)))
    return counts


ATTACKS = {
    each.__name__: each
    for each in (
        documents,
        documents_of_many,
        lookalikes_of_many,
        passwords,
        variables,
        exports,
        exports_of_one,
        sign_ins,
        sockets,
    )
}


@asynccontextmanager
async def attacking(
    attack: str, port: int, seconds: float, argument: str = ""
) -> AsyncIterator[asyncio.Task[dict[str, int]]]:
    """Runs an attack in a process of its own. Gives the task of its counts, which ends with the attack."""
    command = (sys.executable, "-m", __name__, attack, str(port), str(seconds), argument)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    reading = asyncio.create_task(process.stdout.read())

    async def counts() -> dict[str, int]:
        return json.loads(await reading)

    task = asyncio.create_task(counts())
    try:
        yield task
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


if __name__ == "__main__":
    name, port_, seconds_, token_ = sys.argv[1:]
    print("ready", flush=True)
    made = asyncio.run(ATTACKS[name](int(port_), time.monotonic() + float(seconds_), token_ or None))
    print(json.dumps(made))
