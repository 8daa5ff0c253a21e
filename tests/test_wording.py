"""The words of the repository: phrases that may not come back, and the check that finds them."""

from pathlib import Path

import pytest

from tests.support.architecture import ROOT, files
from tests.support.wording import PHRASES, forbidden_words


def test_the_repository_uses_plain_words() -> None:
    assert forbidden_words(ROOT, files()) == []


def written(root: Path, path: str, text: str) -> list[str]:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
    return forbidden_words(root, [path], exceptions={})


@pytest.mark.parametrize("phrase", PHRASES)
def test_every_phrase_is_found(tmp_path: Path, phrase: str) -> None:
    assert any(f'docs/page.md:2: "{phrase}"' in line for line in written(tmp_path, "docs/page.md", f"# A\n{phrase}.\n"))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("db/a.py", '"""Gives it to\nwhoever has it."""\n'),
        ("db/a.py", "# Goes on as it\n    # stands.\n"),
        ("db/a.py", "own_desk = 1\n"),
        ("db/a.py", 'raise ValueError("WHOEVER")\n'),
        ("web/js/a.js", "/* As they\n * stand. */\n"),
        ("web/a.css", "/* nobody's */\n"),
        ("schema/schema.graphql", '"""The red border [000]."""\n'),
        ("scripts/run", "#!/bin/sh\n# told twice\n"),
    ],
)
def test_a_phrase_is_found_wherever_it_is(tmp_path: Path, path: str, text: str) -> None:
    assert len(written(tmp_path, path, text)) == 1


def test_other_words_pass(tmp_path: Path) -> None:
    text = (
        "A recommended amendment for the warehouse; the shelfmark [0001]; retold; an indoor desktop; goods once sold.\n"
    )
    assert written(tmp_path, "docs/page.md", text) == []


def test_released_schemas_are_not_checked(tmp_path: Path) -> None:
    assert len(written(tmp_path, "schema/other.graphql", "# whoever\n")) == 1
    assert written(tmp_path, "schema/released/0.1.0.graphql", "# whoever\n") == []


def test_an_exception_applies_to_its_file_and_phrase_only(tmp_path: Path) -> None:
    exceptions = {("docs/a.md", "whoever"): "a quotation"}
    written(tmp_path, "docs/a.md", "whoever told it\n")
    written(tmp_path, "docs/b.md", "whoever\n")
    found = forbidden_words(tmp_path, ["docs/a.md", "docs/b.md"], exceptions)
    assert [line.split(", ")[0] for line in found] == ['docs/a.md:1: "told"', 'docs/b.md:1: "whoever"']


def test_an_exception_that_is_not_needed_is_found(tmp_path: Path) -> None:
    written(tmp_path, "docs/a.md", "# A page\n")
    found = forbidden_words(tmp_path, ["docs/a.md"], {("docs/a.md", "whoever"): "a quotation"})
    assert found == ['docs/a.md: the exception for "whoever" is not needed']
