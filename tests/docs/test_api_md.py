"""docs/api.md: every block runs unchanged against the demo, and prints what the page says."""

import asyncio
import dataclasses
import os
import re
from collections.abc import AsyncIterator

import pytest

from tests.support.architecture import ROOT
from tests.support.demo_server import Demo
from tests.support.http_server import RunningServer
from transport.graphql import Limits
from transport.limits import SETTING_PREFIX

PAGE = (ROOT / "docs/api.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
GRAPHQL = [text for language, text in BLOCKS if language == "graphql"]
# Each shell block with its output according to the page; None where the page shows none.
SHELL = [
    (text, after[1] if after[0] == "text" else None)
    for (language, text), after in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True)
    if language == "sh"
]
END = "\x1e"


@pytest.fixture(scope="module")
async def running(demo: Demo) -> AsyncIterator[RunningServer]:
    async with demo.serving("sqlite") as served:
        yield served


def test_every_block_is_run() -> None:
    assert len(GRAPHQL) >= 7 and len(SHELL) >= 11
    assert {language for language, _ in BLOCKS} == {"graphql", "js", "sh", "text"}


@pytest.mark.parametrize("operation", GRAPHQL, ids=lambda text: " ".join(text.split()[1:4]))
async def test_an_operation_runs(running: RunningServer, operation: str) -> None:
    username = re.match(r"# As (\S+)\n", operation)[1]
    async with running.signed_in(username) as person:
        if "subscription" in operation:
            answer = await person.http.post(
                "/graphql", json={"query": operation}, headers={"accept": "text/event-stream"}
            )
            assert "event: next" in answer.text and '"errors"' not in answer.text
            return
        data = await person.data(operation)
        payload = next(iter(data.values()))
        # One example shows what errors look like: it has some, and changes nothing.
        if "no-such-learner" in operation:
            assert {each["code"] for each in payload["errors"]} == {"NOT_FOUND", "REQUIRED", "INVALID"}
        else:
            assert payload and (isinstance(payload, list) or not payload.get("errors"))


async def test_the_shell_blocks_run_in_order_and_print_what_the_page_says(running: RunningServer) -> None:
    script = "set -euo pipefail\n" + "".join(f"{block}\nprintf '{END}'\n" for block, _ in SHELL)
    started = await asyncio.create_subprocess_exec(
        "bash", "-c", script, env={**os.environ, "WAYMARK": running.address, "LC_ALL": "C.UTF-8"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    stdout, stderr = (each.decode() for each in await started.communicate())
    printed = stdout.split(END)
    assert started.returncode == 0, f"{SHELL[len(printed) - 1][0]}\n{printed[-1]}\n{stderr}"
    assert len(printed) == len(SHELL) + 1
    for (block, expected), found in zip(SHELL, printed, strict=False):
        if expected is None:
            assert found == "", block
        else:
            pattern = ".*".join(re.escape(part) for part in expected.strip().split("…"))
            assert re.fullmatch(pattern, found.strip(), re.DOTALL), f"{block}\n{found}"


def test_the_limits_are_those_of_the_server() -> None:
    served = dataclasses.asdict(Limits())
    named = re.findall(rf"^\| `{SETTING_PREFIX}(\w+)` \| ([\d,]+) \|", PAGE, re.MULTILINE)
    assert len(named) >= 10
    for name, said in named:
        assert served[name.lower()] == int(said.replace(",", "")), name


def test_the_codes_are_those_of_the_source() -> None:
    table = PAGE.partition("with `extensions.code`:")[2].partition("\n\nWith `Accept")[0]
    listed = {code for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for code in re.findall(r"`(\w+)`", row)}
    sources = "\n".join(
        path.read_text() for package in ("auth", "transport") for path in (ROOT / package).rglob("*.py")
    )
    assert len(listed) >= 12
    assert {code for code in listed if f'"{code}"' not in sources} == set()
    named = set(
        re.findall(r'^[A-Z_]+ = "([A-Z_]+)"$', (ROOT / "transport/graphql/errors.py").read_text(), re.MULTILINE)
    )
    assert named - listed == set()


async def test_the_user_errors_are_those_of_the_schema(running: RunningServer) -> None:
    async with running.signed_in("assessor") as person:
        data = await person.data('{ __type(name: "UserErrorCode") { enumValues { name } } }')
    for value in data["__type"]["enumValues"]:
        assert f"`{value['name']}`" in PAGE, value["name"]


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", PAGE))))
def test_links_lead_to_files(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
