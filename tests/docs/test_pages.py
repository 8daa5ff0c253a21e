"""docs/security.md and docs/operations.md: each test, setting and command that they name exists; the changelog."""

import ast
import re
from collections import Counter
from dataclasses import fields

from commands.command_line import make_parser
from services import quotas
from services.quotas import Quotas
from tests.support.architecture import PACKAGES, ROOT, files
from transport.limits import SETTING_PREFIX, Limits

SECURITY = (ROOT / "docs" / "security.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def _tests_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name for node in found if node.name.startswith("test_")}


def test_every_line_of_the_security_list_has_a_figure_and_existing_tests() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", SECURITY, re.MULTILINE)
    lines = [int(row[0]) for row in rows]
    assert lines == sorted(set(lines)) and set(range(1, 25)) <= set(lines)
    for line, what, figure, tests in rows:
        assert what.strip() and figure.strip()
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests)
        assert named, f"line {line} names no test"
        for path, name in named:
            assert (ROOT / path).is_file(), f"line {line}: there is no {path}"
            assert name in _tests_of(path), f"line {line}: {path} has no {name}"


def test_exactly_the_settings_that_are_read_are_documented() -> None:
    read: set[str] = set()
    for path in files():
        if path.endswith(".py") and path.split("/")[0] in (*PACKAGES, "server.py"):
            read |= set(re.findall(r'"(WAYMARK_[A-Z_]+)"', (ROOT / path).read_text()))
    read = {name for name in read if not name.startswith(SETTING_PREFIX)}
    read.discard(quotas.SETTING_PREFIX)
    read |= {quotas.SETTING_PREFIX + each.name.upper() for each in fields(Quotas)}
    documented = set(re.findall(r"^\| `(WAYMARK_[A-Z_]+)` \|", OPERATIONS, re.MULTILINE))
    assert {name for name in documented if not name.startswith(SETTING_PREFIX)} == read


def test_the_limits_have_the_defaults_that_the_page_says() -> None:
    documented = re.findall(rf"^\| `{SETTING_PREFIX}([A-Z_]+)` \| ([\d,.]+) \|", OPERATIONS, re.MULTILINE)
    assert len(documented) > 5
    for name, default in documented:
        assert getattr(Limits(), name.lower()) == float(default.replace(",", "")), name


def test_the_quotas_have_the_defaults_that_the_page_says() -> None:
    documented = dict(re.findall(rf"^\| `{quotas.SETTING_PREFIX}([A-Z_]+)` \| ([\d,]+) \|", OPERATIONS, re.MULTILINE))
    defaults = {each.name.upper(): f"{each.default:,}" for each in fields(Quotas)}
    assert documented == defaults


def test_every_command_that_a_page_names_exists() -> None:
    (commands,) = [action for action in make_parser()._actions if getattr(action, "choices", None)]
    named = set(re.findall(r"server\.py ([a-z][a-z-]+)", SECURITY + OPERATIONS))
    assert named <= set(commands.choices) and {"backup", "restore", "verify", "retention", "erase"} <= named


def test_links_between_pages_lead_somewhere() -> None:
    for page in (SECURITY, OPERATIONS):
        for target in re.findall(r"\]\(([\w./-]+\.md)\)", page):
            assert (ROOT / "docs" / target).is_file(), target
        for script in re.findall(r"`(scripts/[\w-]+)`", page):
            assert (ROOT / script).is_file(), script


def test_the_changelog_says_nothing_twice() -> None:
    """As it did after two branches had added to the same lines."""
    text = (ROOT / "docs" / "changelog.md").read_text()
    entries = Counter(" ".join(entry.split()) for entry in re.split(r"\n(?=- |#)", text) if entry.startswith("- "))
    assert [entry for entry, times in entries.items() if times > 1] == []
