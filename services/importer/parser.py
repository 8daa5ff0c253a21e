"""Reading qualifications from JSON and CSV files: every fault with its place, all of them together, or clean drafts.

JSON has the shape of a published catalogue: an object with `title`, `units` (each `number`, `title`, `criteria`, and
`mandatory` where it is not) and `criteria` (each `code`, `description`), and may give `reference`, `version`, `level`,
`kind` and `otj_hours_minimum`. Other keys (sources, licences, duties) are left alone.

CSV has the columns of `CSV_COLUMNS`, one criterion a line; the rest comes from `ImportOptions`.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.importer.draft import (
    MAX_CRITERIA,
    MAX_UNITS,
    NO_OPTIONS,
    CriterionDraft,
    ImportOptions,
    ImportProblem,
    ImportRejected,
    ParsedQualifications,
    QualificationDraft,
    UnitDraft,
    kind_of,
)

CSV_COLUMNS = ("unit_number", "unit_title", "criterion_code", "criterion_description")
MAX_BYTES = 8 * 1024 * 1024


@dataclass(slots=True)
class _Unit:
    """A unit as it was found: with its place in the file, and None where a value was at fault."""

    place: str
    number: str | None
    title: str | None
    mandatory: bool = True
    criteria: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    """(place, code, description)"""


def read_qualifications(paths: Iterable[Path], options: ImportOptions = NO_OPTIONS) -> list[QualificationDraft]:
    """The draft of each file, in their order. Raises ImportFaults with the faults of all the files together, also
    where two of them hold the same version with different content."""
    faults: list[ImportProblem] = []
    drafts: list[QualificationDraft] = []
    seen: dict[tuple[str, str | None], tuple[str, str]] = {}
    for path in paths:
        try:
            draft = read_qualification(path, options)
        except ImportRejected as error:
            faults.extend(error.faults)
            continue
        digest = draft.digest()
        first_file, first_digest = seen.setdefault(draft.identity, (str(path), digest))
        if first_digest != digest:
            faults.append(ImportProblem(str(path), "", f"is the same version as {first_file}, with different content"))
        drafts.append(draft)
    if faults:
        raise ImportRejected(faults)
    return drafts


def read_qualification(path: Path, options: ImportOptions = NO_OPTIONS) -> QualificationDraft:
    """The draft of one file, whose name ends in .json or .csv; ImportFaults with everything that is wrong with it."""
    readers = {".json": parse_json, ".csv": parse_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ImportRejected([ImportProblem(str(path), "", "must be a .json or a .csv file")])
    try:
        # One byte more than is allowed is enough to know that a file is too long, whatever its size.
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImportRejected([ImportProblem(str(path), "", f"cannot be read: {error.strerror}")]) from error
    return reader(content, options, str(path))


def parse_json(content: bytes, options: ImportOptions = NO_OPTIONS, file: str = "") -> QualificationDraft:
    """The draft in the bytes of a JSON file; faults are placed by path, such as `$.units[2].criteria[0].code`."""
    reading = ParsedQualifications(file)
    document = _load_json(reading, _decode(reading, content))
    if not isinstance(document, dict):
        reading.fault("$", f"must be an object that describes one qualification, not {kind_of(document)}")
        raise ImportRejected(reading.faults)
    units = []
    for place, entry in _objects(reading, document.get("units"), "$.units", "unit"):
        criteria = [
            (
                f"{spot}.code",
                reading.text(item.get("code"), f"{spot}.code", "code"),
                reading.text(item.get("description"), f"{spot}.description", "description"),
            )
            for spot, item in _objects(reading, entry.get("criteria"), f"{place}.criteria", "criterion")
        ]
        mandatory = entry.get("mandatory", True)
        if not isinstance(mandatory, bool):
            reading.fault(f"{place}.mandatory", f"must be true or false, not {kind_of(mandatory)}")
        number = reading.text(entry.get("number"), f"{place}.number", "number")
        title = reading.text(entry.get("title"), f"{place}.title", "title")
        units.append(_Unit(f"{place}.number", number, title, mandatory, criteria))
    return _draft(reading, document, options, units)


def parse_csv(content: bytes, options: ImportOptions = NO_OPTIONS, file: str = "") -> QualificationDraft:
    """The draft in the bytes of a CSV file; faults are placed by line, the first line of the file being line 1."""
    reading = ParsedQualifications(file)
    text = _decode(reading, content)
    units: dict[str, _Unit] = {}
    # newline="" leaves line ends inside quotes to the csv module; strict finds quotes that are never closed.
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        header = next(rows, [])
        if tuple(cell.strip() for cell in header) != CSV_COLUMNS:
            reading.fault("line 1", f"the columns must be exactly {', '.join(CSV_COLUMNS)}")
            raise ImportRejected(reading.faults)
        while True:
            line = rows.line_num + 1
            row = next(rows, None)
            if row is None:
                break
            if row:
                _csv_row(reading, f"line {line}", row, units)
    except csv.Error as error:
        # Behind a broken quote nothing can be told apart any more: this is the one fault that ends the reading.
        reading.fault(f"line {line}", f"is not valid CSV: {error}")
        raise ImportRejected(reading.faults) from error
    if not units and not reading.faults:
        reading.fault("line 2", "there is no criterion")
    return _draft(reading, None, options, list(units.values()))


def _csv_row(reading: ParsedQualifications, place: str, row: Sequence[str], units: dict[str, _Unit]) -> None:
    if len(row) != len(CSV_COLUMNS):
        reading.fault(place, f"has {len(row)} fields; {len(CSV_COLUMNS)} are expected")
        return
    names = ("number", "title", "code", "description")
    number, title, code, description = (
        reading.text(cell, f"{place}, {column}", name)
        for cell, name, column in zip(row, names, CSV_COLUMNS, strict=True)
    )
    if number is None:
        return
    unit = units.setdefault(number, _Unit(f"{place}, unit_number", number, title))
    if title is not None and unit.title is not None and unit.title != title:
        reading.fault(f"{place}, unit_title", f"unit {number} was called {unit.title!r} further up")
    unit.criteria.append((f"{place}, criterion_code", code, description))


def _draft(
    reading: ParsedQualifications, document: dict | None, options: ImportOptions, units: list[_Unit]
) -> QualificationDraft:
    """The draft made of a file's own words (None where it has no room for any), the options, and its units.

    Raises ImportFaults with all that was found.
    """

    def given(name: str, key: str) -> tuple[object, str]:
        """A value and its place: the file's own, or the option's where the file says nothing."""
        value = document.get(key) if document is not None else None
        if value is None and (document is None or getattr(options, name) is not None):
            return getattr(options, name), f"--{name.replace('_', '-')}"
        return value, f"$.{key}"

    texts = {name: reading.text(*given(name, name), name) for name in ("title", "reference", "version", "kind")}
    level = reading.whole(*given("level", "level"), 0, 8)
    hours = reading.whole(*given("off_the_job_hours_minimum", "otj_hours_minimum"), 0, 20_000)
    _no_twins(reading, [(unit.place, unit.number) for unit in units], "unit number")
    for unit in units:
        _no_twins(reading, [(place, code) for place, code, _ in unit.criteria], "criterion code of this unit")
    if len(units) > MAX_UNITS:
        reading.fault("", f"there are {len(units)} units; at most {MAX_UNITS} can be kept")
    if (count := sum(len(unit.criteria) for unit in units)) > MAX_CRITERIA:
        reading.fault("", f"there are {count} criteria; at most {MAX_CRITERIA} can be kept")
    if reading.faults:
        raise ImportRejected(reading.faults)
    drafted = tuple(
        UnitDraft(
            unit.number,
            unit.title,
            tuple(CriterionDraft(code, text) for _, code, text in unit.criteria),
            unit.mandatory,
        )
        for unit in units
    )
    return QualificationDraft(units=drafted, level=level, off_the_job_hours_minimum=hours, **texts)


def _no_twins(reading: ParsedQualifications, entries: list[tuple[str, str | None]], what: str) -> None:
    first: dict[str, str] = {}
    for place, value in entries:
        if value is not None and first.setdefault(value, place) != place:
            reading.fault(place, f"{value!r} stands twice as a {what}; first at {first[value]}")


def _objects(reading: ParsedQualifications, value: object, place: str, what: str) -> list[tuple[str, dict]]:
    """The objects of a list that must not be empty, each with its path."""
    if not isinstance(value, list):
        reading.fault(place, f"must be a list, not {kind_of(value)}" if value is not None else "is required")
        return []
    if not value:
        reading.fault(place, f"must hold at least one {what}")
    entries = [(f"{place}[{index}]", entry) for index, entry in enumerate(value)]
    for spot, entry in entries:
        if not isinstance(entry, dict):
            reading.fault(spot, f"must be an object that describes one {what}, not {kind_of(entry)}")
    return [(spot, entry) for spot, entry in entries if isinstance(entry, dict)]


def _decode(reading: ParsedQualifications, content: bytes) -> str:
    """The text of a file in UTF-8, with or without a byte order mark. Each line that is not is a fault of its own."""
    if len(content) > MAX_BYTES:
        reading.fault("", f"is larger than {MAX_BYTES // 1024 // 1024} MiB")
        raise ImportRejected(reading.faults)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        reading.fault("", "is in UTF-16; save it as UTF-8")
        raise ImportRejected(reading.faults)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        for number, line in enumerate(content.split(b"\n"), 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                wrong = line[error.start]
                reading.fault(
                    f"line {number}", f"byte {error.start + 1} (0x{wrong:02X}) is not UTF-8; save it as UTF-8"
                )
        raise ImportRejected(reading.faults) from None


def _load_json(reading: ParsedQualifications, text: str) -> object:
    """The document in the text. A key that stands twice in one object is a fault: JSON would drop the first unsaid."""

    def pairs(items: list[tuple[str, object]]) -> dict:
        entry = dict(items)
        if len(entry) != len(items):
            twice = (key for key, times in Counter(key for key, _ in items).items() if times > 1)
            reading.fault("", f"the key {', '.join(map(repr, twice))} stands twice in one object")
        return entry

    def constant(name: str) -> None:
        reading.fault("", f"{name} is not a JSON value")

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        reading.fault(f"line {error.lineno}, column {error.colno}", f"is not valid JSON: {error.msg}")
    except RecursionError:
        reading.fault("", "is nested too deeply")
    except ValueError as error:
        # A number of more digits than Python turns into an int.
        reading.fault("", f"is not valid JSON: {error}")
    raise ImportRejected(reading.faults)
