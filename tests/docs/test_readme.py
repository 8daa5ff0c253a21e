"""The README: its shell blocks parse, and the scripts and pages that it names exist."""

import re
import subprocess

import pytest

from tests.support.architecture import ROOT

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Returns the README's fenced blocks in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks("sh"))
def test_a_shell_block_parses(block: str):
    subprocess.run(["bash", "-n"], input=block, text=True, check=True)


def test_the_scripts_and_pages_that_it_names_exist():
    named = re.findall(r"\]\(([^):#]+)\)", README) + re.findall(r"\bscripts/[a-z-]+", README)
    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).exists()] == []
