"""Values that no client means to send, for each scalar. Texts among them have a mark that no answer repeats."""

import base64
import json
from functools import cache
from typing import Any

from db.models.registry import mapped_classes

MARK = "zqxmarkxqz"

# No sequence of characters that a database, a spreadsheet, a mail or a page could take for something else.
TEXTS: list[Any] = [
    f"{MARK}\0", "\0", f"{MARK}\ud800", "\udfff", "", " \t\n", f"{MARK}\x01\x08\x1f\x7f", f"{MARK}\ufffe\uffff\ufeff",
    f"\u202e{MARK}\u2066", f"{MARK}\U0001f468\u200d\U0001f469" + "\u0301" * 50, f"{MARK}%_\\'\";--",
    f"{MARK}\r\nBcc: a@b.example",
    f"={MARK}()", f"<b>{MARK}</b>{{{{7*7}}}}", MARK * 20, MARK * 150, MARK * 2_001, MARK * 6_000, MARK,
]  # fmt: skip
# Of another type than every scalar but its own.
OTHERS: list[Any] = [
    None,
    True,
    12,
    -1,
    2**31,
    2**63,
    10**30,
    1.5,
    1e308,
    [],
    [MARK],
    [[None]],
    {},
    {"nothing": MARK},
    {"value": MARK},
]
NUMBERS: list[Any] = [0, -1, 1, 2**31 - 1, -(2**31), 2**31, 2**53 + 1, 10**300, 1e308, -1e308, 5e-324, 0.1, "5", MARK]
DATES: list[Any] = [
    "0001-01-01", "9999-12-31", "1000-01-01", "1899-12-31", "3000-01-01", "0000-01-01", "10000-01-01", "2026-02-30",
    "2026-13-01", "2026-11-02T00:00:00", "20261102", "2026-W45-1", "+2026-01-01", "٢٠٢٦-٠١-٠١", "", MARK,
]  # fmt: skip
TIMES: list[Any] = [
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "1000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "3000-01-01T00:00:00Z", "2026-11-02T10:00:00", "2026-11-02T25:00:00Z", "2026-11-02",
    "2026-10-25T01:30:00", "2026-11-02T10:00:00+99:99", "1e9", "today", "1793613600", "", MARK,
]  # fmt: skip


@cache
def ids() -> list[Any]:
    """Ids of each type with keys that no table has or no column can hold, and texts that are no ids."""
    names = sorted(
        {one.__entity__.type_name for one in mapped_classes() if one.__entity__} | {"Unit", "Criterion", "Nothing"}
    )
    keys = ("0", "2147483648", "9223372036854775808", "999999999999999999", "999999999999999999.999999999999999999")
    made = [f"{name}_{key}" for name in names for key in keys]
    return [*made, "Learner_1.1", "Unit_1", "learner_1", "Learner_٣", f"Learner_{MARK}", f"Learner_{'9' * 40}", *TEXTS]


def _cursor(content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).rstrip(b"=").decode()


@cache
def cursors(orders: tuple[str, ...]) -> list[Any]:
    """Forged cursors: of each order, with values and keys of every kind, and what is no cursor at all."""
    values = (None, True, 0, -1, 2**63, 10**30, 1.5, "", MARK, "\0", "2026-01-01", "9999-12-31", [], {}, ["a", 1])
    forged = [_cursor([order, value, 1]) for order in orders for value in values]
    keys = (None, True, -1, 2**31, 2**63, 10**30, 1.5, "1", [], {})
    forged += [_cursor([order, "2026-01-01", key]) for order in orders for key in keys]
    other = ["", "null", "[]", "{}", "[1,2,3]", "[" * 200, '["date"', "\ud800", "1e999", '{"a":1}', MARK]
    return [*forged, *map(_cursor, other), "=", "====", "é", "a" * 5_000, "YQ=a", *TEXTS]


BY_SCALAR = {
    "String": lambda: [*TEXTS, *OTHERS],
    "ID": lambda: [*ids(), *OTHERS],
    "Int": lambda: [*NUMBERS, *OTHERS],
    "Float": lambda: [*NUMBERS, *OTHERS],
    "Boolean": lambda: ["true", "", MARK, *OTHERS],
    "Date": lambda: [*DATES, *TEXTS, *OTHERS],
    "DateTime": lambda: [*TIMES, *TEXTS, *OTHERS],
}
ENUM = [MARK, "", "constructor", "__proto__", *OTHERS]
