"""The columns and cells of CSV files, as spreadsheet programs write them."""

from collections.abc import Sequence

from services.importer.problems import ProblemCollector

CSV_COLUMNS = ("unit_number", "unit_title", "criterion_code", "criterion_description")
MANDATORY_COLUMN = "mandatory"
_DELIMITERS = (",", ";", "\t")
_YES, _NO = {"true", "yes", "y", "1", "wahr"}, {"false", "no", "n", "0", "falsch"}


def delimiter_of(text: str) -> str:
    """The delimiter of the first line that has one: Excel writes semicolons where the comma is the decimal sign."""
    first, _, rest = text.partition("\n")
    if first.startswith("sep="):
        return first.removeprefix("sep=").strip("\r")[:1] or ","
    return max(_DELIMITERS, key=first.count)


def without_empty_end(row: Sequence[str]) -> list[str]:
    """The cells without the empty ones at the end; an empty row has none left."""
    cells = list(row)
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def mandatory_of(problems: ProblemCollector, position: str, cell: str) -> bool:
    """Whether a unit is mandatory; a cell that is empty says yes."""
    word = cell.strip().casefold()
    if word and word not in _YES | _NO:
        problems.add(position, "must be true or false")
    return word not in _NO
