"""The README: what it tells a reader to run is sound shell, and what it points at is there."""

import re
import subprocess

import pytest

from tests.support.architecture import ROOT

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The README's fenced blocks in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks("sh"))
def test_a_block_is_sound_shell(block: str):
    subprocess.run(["bash", "-n"], input=block, text=True, check=True)


def test_every_script_and_page_that_it_names_is_there():
    named = re.findall(r"\]\(([^):#]+)\)", README) + re.findall(r"\bscripts/[a-z-]+", README)
    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).exists()] == []
