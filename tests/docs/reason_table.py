"""The table of reasons in docs/api.md, made from the catalogue: `python -m tests.docs.reason_table` writes it again."""

import re
import string

from domain.sentences import ENGLISH, Template
from tests.support.architecture import ROOT

PAGE = ROOT / "docs" / "api.md"
HEADING = "| `UserError.reason` | parameters | in English |\n|---|---|---|\n"


def _parameters(template: Template) -> str:
    texts = [template] if isinstance(template, str) else ["{count}", *template.values()]
    names = dict.fromkeys(name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name)
    return ", ".join(f"`{name}`" for name in names)


def _sentence(template: Template) -> str:
    text = template if isinstance(template, str) else template["other"]
    return re.sub(r":\w+}", "}", text)


def table() -> str:
    """Returns a row for each reason, in alphabetical order."""
    rows = (
        f"| `{reason}` | {_parameters(template)} | {_sentence(template)} |\n"
        for reason, template in sorted(ENGLISH.sentences.items())
    )
    return HEADING + "".join(rows)


if __name__ == "__main__":
    before, _, after = PAGE.read_text().partition(HEADING)
    PAGE.write_text(before + table() + after[re.match(r"(\|.*\n)*", after).end() :])  # type: ignore[union-attr]  # matches
