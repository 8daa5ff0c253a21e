"""The journeys use every mutation of the schema."""

import re
from pathlib import Path

from tests.support.client import SCHEMA

JOURNEYS = "\n".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_[0-9f]*.py")))
# They have tests of their own: tests/services/privacy, and tests/resolvers/test_push.py with a push service.
BESIDE = {"subjectAccessExport", "pushSubscriptionAdd", "pushSubscriptionRemove"}


def test_every_mutation_is_used_in_a_journey():
    made = set(re.findall(r"\.(?:mutate|payload)\(\s*\"(\w+)\"", JOURNEYS)) | {"fileUploadCreate", "login"}
    assert set(SCHEMA.mutation_type.fields) - BESIDE == made  # type: ignore[union-attr]
