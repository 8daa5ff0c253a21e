"""Whatever is sent in an argument, a header, a path or a body: no 5xx, no INTERNAL, and nothing of it comes back.

A part of the values is sent here; `scripts/fuzz` sends all of them.
"""

from itertools import islice, product
from pathlib import Path

import pytest

from tests.schema.test_anonymous import DECLARED
from tests.support.argument_values import SCHEMA
from tests.support.databases import BACKENDS
from tests.support.demo_server import Demo
from tests.support.http_server import serving
from tests.system.fuzz.arguments import targets
from tests.system.fuzz.fuzzing import NO_LIMITS, Fuzzer, known_ids, problem, refused_guess
from tests.system.fuzz.hostile_values import MARK
from tests.system.fuzz.planted_rows import NO_SIZES, places, planted, reads
from tests.system.fuzz.raw_requests import requests, send


async def test_every_argument_of_every_field_is_fuzzed(demo: Demo) -> None:
    fuzzed = {target.name for target in targets(await known_ids(await demo.database_url("sqlite")))}
    with_arguments = {
        f"{type_.name}.{name}"
        for type_ in SCHEMA.type_map.values()
        if not type_.name.startswith("__")
        for name, field in getattr(type_, "fields", {}).items()
        if getattr(field, "args", None)
    }
    assert fuzzed == with_arguments
    assert len(fuzzed) > 80


USERNAMES = ("master.admin", "assessor", "learner")
LONG = [pytest.param(*case, 20, marks=pytest.mark.long) for case in product(BACKENDS, USERNAMES)]


@pytest.mark.parametrize(
    ("backend", "username", "every"),
    [("sqlite", "master.admin", 960), *LONG],
    indirect=["backend"],
)
async def test_hostile_arguments(
    demo: Demo, backend: str, username: str, every: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    url = await demo.database_url(backend)
    async with serving(url, tmp_path, **NO_LIMITS) as running, running.signed_in(username) as client:
        fuzzer = Fuzzer(client.http, await known_ids(url), every=every)
        await fuzzer.run()
    assert fuzzer.problems == []
    assert fuzzer.sent > 30_000 / every
    assert MARK not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("backend", "every"),
    [("sqlite", 36), ("postgresql", 64), *(pytest.param(backend, 2, marks=pytest.mark.long) for backend in BACKENDS)],
    indirect=["backend"],
)
async def test_hostile_arguments_of_sign_ins(
    demo: Demo, backend: str, every: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    url = await demo.database_url(backend)
    async with serving(url, tmp_path, **NO_LIMITS) as running, running.anonymous() as client:
        fuzzer = Fuzzer(client.http, await known_ids(url), every=every)
        await fuzzer.run(only=DECLARED)
    assert fuzzer.problems == []
    assert fuzzer.sent > 700 / every
    assert MARK not in "".join(capfd.readouterr())


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize(
    ("backend", "every"),
    [("sqlite", 4), ("postgresql", 8), *(pytest.param(backend, 1, marks=pytest.mark.long) for backend in BACKENDS)],
    indirect=["backend"],
)
async def test_hostile_headers_paths_and_bodies(
    demo: Demo, backend: str, every: int, signed_in: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with (
        serving(await demo.database_url(backend), tmp_path, **NO_LIMITS) as running,
        running.signed_in("assessor") as client,
    ):
        port, token = int(running.address.rpartition(":")[2]), client.tokens["accessToken"] if signed_in else None
        sent = list(requests(token))[::every]
        answers = [(what, *await send(port, request)) for what, request in sent]
    assert [(what, status) for what, status, _ in answers if not status] == []
    answers = [each for each in answers if not refused_guess(*each[:2])]
    assert [(what, found) for what, status, text in answers if (found := problem(status, text))] == []
    assert MARK not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("backend", "every"),
    [("sqlite", 66), *(pytest.param(backend, 1, marks=pytest.mark.long) for backend in BACKENDS)],
    indirect=["backend"],
)
async def test_a_row_with_extreme_values_never_takes_its_list_with_it(
    demo: Demo, backend: str, every: int, tmp_path: Path
) -> None:
    url = await demo.database_url(backend)
    async with (
        serving(url, tmp_path, **NO_LIMITS, **NO_SIZES) as running,
        running.signed_in("master.admin") as client,
    ):
        documents = reads(await known_ids(url))
        database, found, tried = running.server.services.database, [], 0
        for entity, column, value in islice(places(), 0, None, every):
            async with planted(database, column, value) as is_planted:
                tried += is_planted
                for name in ({entity.__name__, "lists"} & documents.keys()) if is_planted else ():
                    query, variables = documents[name]
                    answer = await client.response(query, **variables)
                    if "errors" in answer or None in answer["data"].values():
                        found.append((column.table.name, column.name, value, name, answer.get("errors")))
    assert found == []
    assert tried > 80 / every
