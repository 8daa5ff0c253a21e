"""docs/quickstart.md: its commands fit the starter, and its page fits the schema."""

import json
import re
import subprocess

from graphql import parse, validate

from tests.support.architecture import ROOT
from tests.support.client import SCHEMA

PAGE = (ROOT / "docs/quickstart.md").read_text()
EXAMPLE = ROOT / "examples/learner-progress"
SHELL = "".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def test_its_commands_exist() -> None:
    subprocess.run(["bash", "-n"], input=SHELL, text=True, check=True)
    assert f"cd {EXAMPLE.relative_to(ROOT)}\n" in SHELL
    scripts = json.loads((EXAMPLE / "package.json").read_text())["scripts"]
    assert set(re.findall(r"npm run (\w+)", SHELL)) == {"dev", "build"} <= set(scripts)
    assert set(re.findall(r"^\| \[([\w/.]+)\]", PAGE, re.MULTILINE)) == {
        "src/graphql.ts", "src/session.ts", "src/Learners.tsx", "vite.config.ts", "codegen.json",
    }  # fmt: skip


def test_the_server_allows_the_address_of_the_page() -> None:
    (origins,) = re.findall(r"WAYMARK_ALLOWED_ORIGINS=(\S+)", SHELL)
    (port,) = re.findall(r"server: \{ host: \"127.0.0.1\", port: (\d+)", (EXAMPLE / "vite.config.ts").read_text())
    assert origins.split(",") == [f"http://{host}:{port}" for host in ("127.0.0.1", "localhost")]
    assert f"<http://127.0.0.1:{port}>" in PAGE
    assert origins in (ROOT / "README.md").read_text()


def test_its_query_is_valid() -> None:
    (query,) = re.findall(r"graphql\(`(.*?)`\)", PAGE, re.DOTALL)
    assert validate(SCHEMA, parse(query)) == []
