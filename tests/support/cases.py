"""Inputs that failed on 0.1.0 with the right value, by table.

They are read from the cases that were handed over with the issues, where they stand beside the repository, else from
the copy here (tests/support/cases.json).
"""

import json
from pathlib import Path
from typing import Any

COPY = Path(__file__).with_name("cases.json")
HANDED_OVER = Path(__file__).parents[3] / "shared" / "cases" / "cases.json"

CASES: dict[str, Any] = json.loads((HANDED_OVER if HANDED_OVER.exists() else COPY).read_text(encoding="utf-8"))
