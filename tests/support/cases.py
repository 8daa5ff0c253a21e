"""Inputs that failed on 0.1.0 with the right value, by table (tests/support/cases.json)."""

import json
from pathlib import Path
from typing import Any

CASES: dict[str, Any] = json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))
