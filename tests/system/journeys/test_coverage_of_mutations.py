"""The journeys together: every mutation of the graph is made by somebody in one of them, and refused to somebody."""

import re
from pathlib import Path

from tests.support.client import SCHEMA

JOURNEYS = "\n".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_[0-9f]*.py")))
# What the law asks of the provider is no part of a journey, and has tests of its own.
BESIDE = {"learnerErase", "subjectAccessExport"}


def test_every_mutation_is_made_in_a_journey():
    made = set(re.findall(r"\.(?:mutate|payload)\(\s*\"(\w+)\"", JOURNEYS)) | {"fileUploadCreate", "login"}
    assert set(SCHEMA.mutation_type.fields) - BESIDE == made  # type: ignore[union-attr]
