"""The pages name only what exists: files, tests, names in the code, links, scripts and commands."""

import re
from pathlib import Path

import pytest

from commands.command_line import make_parser
from tests.support.architecture import ROOT, files
from tests.support.references import Tree, broken_references

PAGES = [path for path in files() if path.endswith(".md") and path.startswith(("docs/", "README", "CONTRIBUTING"))]
# The changelog names what no longer exists.
HISTORY = "docs/changelog.md"


def commands() -> set[str]:
    (action,) = [action for action in make_parser()._actions if getattr(action, "choices", None)]
    return set(action.choices)


def test_the_pages_name_only_what_exists() -> None:
    tree = Tree(ROOT, files(), commands())
    assert broken_references(tree, [page for page in PAGES if page != HISTORY]) == []
    assert len(PAGES) > 30


def test_the_rules_of_the_product_have_unique_names_in_order() -> None:
    rules = re.findall(r"^\| ([a-z]+)-(\d+) \|", (ROOT / "docs/behaviours.md").read_text(), re.MULTILINE)
    assert len(rules) > 80
    sections = dict.fromkeys(section for section, _ in rules)
    assert rules == [(s, str(n)) for s in sections for n in range(1, sum(each == s for each, _ in rules) + 1)]


SOURCES = {
    "auth/limits.py": "import os\n\ndepth = os.environ['WAYMARK_HOST']\n",
    "auth/scope.py": "class Scope:\n    limit: int\n    def __init__(self):\n        self.role = 1\n"
    "    def sees(self):\n        pass\n\ndef sees_aim():\n    pass\n",
    "tests/auth/test_scope.py": "def test_sees():\n    pass\n",
    "schema/schema.graphql": "type Kpis { aheadCount: Int }\n",
    "scripts/serve": "#!/bin/sh\n",
    "docs/other.md": "# Other\n\n## A heading, with marks\n",
}
GOOD = """
# Page

`auth/scope.py`, `auth/`, `auth/<entity>.py`, `auth/*.py`, `tests/auth/test_scope.py::test_sees`, `scope.py`,
`other.md`, `docs/other.md`, `auth.scope.sees_aim`, `auth.scope.Scope.sees`, `Scope.limit`, `Scope.role`,
`Scope.sees()`, `Kpis.aheadCount`, `aheadCount`, `sees_aim`, `Kpis_7`, `WAYMARK_HOST`, `WAYMARK_HOST/files`,
`WAYMARK_LIMIT_DEPTH`, `scripts/serve`, `var/files`, `server.py verify`, `server.py verify --all`, `text/plain`,
`/graphql`, `a sentence`, `word`, [a](other.md#a-heading-with-marks)

```sh
nothing/of/this.py
```
"""


def written(root: Path, page: str) -> list[str]:
    for path, source in {**SOURCES, "docs/page.md": page}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(source)
    tree = Tree(root, [*SOURCES, "docs/page.md"], {"verify"})
    return broken_references(tree, ["docs/page.md"])


def test_a_sound_page_has_no_findings(tmp_path: Path) -> None:
    assert written(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    "broken",
    [
        "`auth/gone.py`", "`gone/`", "`auth/gone/<entity>.py`", "`gone/*.py`", "`gone.py`",
        "`tests/auth/test_scope.py::test_gone`", "`tests/auth/test_gone.py::test_sees`",
        "`auth.scope.gone`", "`auth.gone.sees_aim`", "`auth.scope.Scope.gone`", "`Scope.gone`", "`Scope.gone()`",
        "`Kpis.gone`", "`goneCount`", "`sees_gone`", "`pageInfo.goneCursor`",
        "`Gone_7`", "`WAYMARK_GONE`", "`WAYMARK_LIMIT_GONE`",
        "[gone](gone.md)", "[gone](other.md#gone)", "[gone](#gone)",
        "`scripts/gone`", "```sh\nscripts/gone\n```", "`server.py gone`", "```sh\npython server.py gone\n```",
    ],
)  # fmt: skip
def test_a_broken_reference_is_found(tmp_path: Path, broken: str) -> None:
    assert len(written(tmp_path, f"{GOOD}\n{broken}\n")) == 1
