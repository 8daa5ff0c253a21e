"""Reads qualifications from JSON and CSV files: returns drafts, or every problem with its position.

A JSON file is an object with `title` and `units`; it may have `reference`, `version`, `level`, `kind` and
`otj_hours_minimum`, and `optionalUnitsMinimum`: how many of its optional units are to be chosen. A unit has `number`,
`title` and `criteria`, and may have `mandatory` (default true). A criterion has `code` and `description`. Other keys,
such as sources and licences, are ignored.

A CSV file has the columns of `CSV_COLUMNS`, may have a fifth, `mandatory`, and has one row for each criterion;
`ImportOptions` give the rest. It may be saved by Excel: with semicolons or tabs, empty columns at the end, empty rows.
"""

import csv
import dataclasses
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.importer.csv_cells import CSV_COLUMNS, MANDATORY_COLUMN, delimiter_of, mandatory_of, without_empty_end
from services.importer.draft import (
    MAX_CRITERIA,
    MAX_UNITS,
    NO_OPTIONS,
    CriterionDraft,
    ImportOptions,
    QualificationDraft,
    UnitDraft,
)
from services.importer.problems import ImportProblem, ImportRejected, ProblemCollector, json_type

MAX_BYTES = 8 * 1024 * 1024


@dataclass(slots=True)
class _Criterion:
    """A criterion as parsed; None is a value with a problem."""

    position: str
    code: str | None
    description: str | None


@dataclass(slots=True)
class _Unit:
    """A unit as parsed; None is a value with a problem."""

    position: str
    number: str | None
    title: str | None
    mandatory: bool = True
    criteria: list[_Criterion] = field(default_factory=list)


def read_qualifications(paths: Iterable[Path], options: ImportOptions = NO_OPTIONS) -> list[QualificationDraft]:
    """The draft of each file, in order. Raises ImportRejected with the problems of all files.

    It is a problem, too, if two files hold the same version with different content.
    """
    problems: list[ImportProblem] = []
    drafts: list[QualificationDraft] = []
    first: dict[tuple[str, str | None], tuple[str, str]] = {}
    for path in paths:
        try:
            draft = read_qualification(path, options)
        except ImportRejected as error:
            problems.extend(error.problems)
            continue
        digest = draft.digest()
        first_file, first_digest = first.setdefault(draft.identity, (str(path), digest))
        if first_digest != digest:
            problems.append(
                ImportProblem(str(path), "", f"is the same version as {first_file}, but with different content")
            )
        drafts.append(draft)
    if problems:
        raise ImportRejected(problems)
    return drafts


def read_qualification(path: Path, options: ImportOptions = NO_OPTIONS) -> QualificationDraft:
    """The draft of one .json or .csv file. Raises ImportRejected."""
    parsers = {".json": parse_json, ".csv": parse_csv}
    parse = parsers.get(path.suffix.lower())
    if parse is None:
        raise ImportRejected([ImportProblem(str(path), "", "must be a .json or a .csv file")])
    try:
        # Reads one byte more than is allowed: enough to know that a file is too large, however large it is.
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImportRejected([ImportProblem(str(path), "", f"cannot be read: {error.strerror}")]) from error
    return parse(content, options, str(path))


def parse_json(content: bytes, options: ImportOptions = NO_OPTIONS, file: str = "") -> QualificationDraft:
    """The draft of a JSON file. Raises ImportRejected, with positions such as `$.units[2].criteria[0].code`."""
    problems = ProblemCollector(file)
    document = _load_json(problems, _decode(problems, content))
    if not isinstance(document, dict):
        problems.add("$", f"must be an object that describes one qualification, not {json_type(document)}")
        raise ImportRejected(problems.problems)
    units = [
        _json_unit(problems, position, entry)
        for position, entry in _objects(problems, document.get("units"), "$.units", "unit")
    ]
    return _draft(problems, document, options, units)


def _json_unit(problems: ProblemCollector, position: str, entry: dict[str, Any]) -> _Unit:
    criteria = [
        _Criterion(
            f"{place}.code",
            problems.text(criterion.get("code"), f"{place}.code", "code"),
            problems.text(criterion.get("description"), f"{place}.description", "description"),
        )
        for place, criterion in _objects(problems, entry.get("criteria"), f"{position}.criteria", "criterion")
    ]
    mandatory = entry.get("mandatory", True)
    if not isinstance(mandatory, bool):
        problems.add(f"{position}.mandatory", f"must be true or false, not {json_type(mandatory)}")
    number = problems.text(entry.get("number"), f"{position}.number", "number")
    title = problems.text(entry.get("title"), f"{position}.title", "title")
    return _Unit(f"{position}.number", number, title, mandatory, criteria)


def parse_csv(content: bytes, options: ImportOptions = NO_OPTIONS, file: str = "") -> QualificationDraft:
    """The draft of a CSV file. Raises ImportRejected, with line numbers from 1 as positions."""
    problems = ProblemCollector(file)
    text = _decode(problems, content)
    units: dict[str, _Unit] = {}
    # newline="" leaves line ends inside quotes to the csv module; strict rejects quotes that are not closed.
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    line = 1
    try:
        header = next(rows, [])
        if header and header[0].startswith("sep="):
            header = next(rows, [])
        columns = tuple(cell.strip().casefold() for cell in without_empty_end(header))
        if columns not in (CSV_COLUMNS, (*CSV_COLUMNS, MANDATORY_COLUMN)):
            names = ", ".join(CSV_COLUMNS)
            problems.add(
                f"line {rows.line_num or 1}", f"the columns must be {names}, and {MANDATORY_COLUMN} if you like"
            )
            raise ImportRejected(problems.problems)
        while True:
            line = rows.line_num + 1
            row = next(rows, None)
            if row is None:
                break
            if cells := without_empty_end(row):
                missing = [""] * (len(columns) - len(cells))
                _csv_row(problems, f"line {line}", [*cells, *missing], units, columns)
    except csv.Error as error:
        # After a broken quote rows and cells cannot be distinguished, so parsing ends here.
        problems.add(f"line {line}", f"is not valid CSV: {error}")
        raise ImportRejected(problems.problems) from error
    if not units and not problems.problems:
        problems.add("line 2", "there is no criterion")
    draft = _draft(problems, None, options, list(units.values()))
    return dataclasses.replace(draft, partial=True, gives_mandatory=len(columns) > len(CSV_COLUMNS))


def _csv_row(
    problems: ProblemCollector, position: str, row: Sequence[str], units: dict[str, _Unit], columns: Sequence[str]
) -> None:
    if len(row) != len(columns):
        problems.add(position, f"has {len(row)} fields, but {len(columns)} are expected")
        return
    names = ("number", "title", "code", "description")
    number, title, code, description = (
        problems.text(cell, f"{position}, {column}", name)
        for cell, name, column in zip(row, names, CSV_COLUMNS, strict=False)
    )
    if number is None:
        return
    mandatory = mandatory_of(problems, f"{position}, {MANDATORY_COLUMN}", row[4]) if len(columns) > 4 else True
    unit = units.setdefault(number, _Unit(f"{position}, unit_number", number, title, mandatory))
    if mandatory != unit.mandatory:
        problems.add(f"{position}, {MANDATORY_COLUMN}", f"unit {number} has another value in an earlier row")
    if title is not None and unit.title is not None and unit.title != title:
        problems.add(f"{position}, unit_title", f"unit {number} has the title {unit.title!r} in an earlier row")
    unit.criteria.append(_Criterion(f"{position}, criterion_code", code, description))


def _draft(
    problems: ProblemCollector, document: dict[str, Any] | None, options: ImportOptions, units: list[_Unit]
) -> QualificationDraft:
    """The draft from the units, the values of a JSON document (None for CSV) and the options. Raises ImportRejected."""

    def value_of(name: str, key: str) -> tuple[object, str]:
        """A value and its position: the document's, or the option's if the document has none."""
        value = document.get(key) if document is not None else None
        if value is None and (document is None or getattr(options, name) is not None):
            return getattr(options, name), f"--{name.replace('_', '-')}"
        return value, f"$.{key}"

    title, reference, version, kind = (
        problems.text(*value_of(name, name), name) for name in ("title", "reference", "version", "kind")
    )
    level = problems.whole_number(*value_of("level", "level"), 0, 8)
    optional = document.get("optionalUnitsMinimum", document.get("optional_units_minimum")) if document else None
    minimum = problems.whole_number(optional, "$.optionalUnitsMinimum", 0, MAX_UNITS)
    optional_units = sum(not unit.mandatory for unit in units)
    if minimum is not None and minimum > optional_units:
        problems.add("$.optionalUnitsMinimum", f"is {minimum}, but only {optional_units} units are optional")
    hours = problems.whole_number(*value_of("off_the_job_hours_minimum", "otj_hours_minimum"), 0, 20_000)
    _check_unique(problems, "unit number", [(unit.position, unit.number) for unit in units])
    for unit in units:
        codes = [(criterion.position, criterion.code) for criterion in unit.criteria]
        _check_unique(problems, "criterion code of this unit", codes)
    if len(units) > MAX_UNITS:
        problems.add("", f"there are {len(units)} units, but at most {MAX_UNITS} are allowed")
    if (count := sum(len(unit.criteria) for unit in units)) > MAX_CRITERIA:
        problems.add("", f"there are {count} criteria, but at most {MAX_CRITERIA} are allowed")
    problems.raise_problems()
    # Without problems, required values are not None: the empty strings are for the type checker.
    drafts = tuple(
        UnitDraft(
            unit.number or "",
            unit.title or "",
            tuple(CriterionDraft(criterion.code or "", criterion.description or "") for criterion in unit.criteria),
            unit.mandatory,
        )
        for unit in units
    )
    return QualificationDraft(title or "", drafts, kind, reference, version, level, hours, minimum or 0)


def _check_unique(problems: ProblemCollector, what: str, entries: list[tuple[str, str | None]]) -> None:
    first: dict[str, str] = {}
    for position, value in entries:
        if value is not None and first.setdefault(value, position) != position:
            problems.add(position, f"{value!r} is used twice as a {what}, first at {first[value]}")


def _objects(problems: ProblemCollector, value: object, position: str, what: str) -> list[tuple[str, dict[str, Any]]]:
    """The objects of a list that must not be empty, each with its path."""
    if not isinstance(value, list):
        problems.add(position, f"must be a list, not {json_type(value)}" if value is not None else "is required")
        return []
    if not value:
        problems.add(position, f"must contain at least one {what}")
    entries = [(f"{position}[{index}]", entry) for index, entry in enumerate(value)]
    for path, entry in entries:
        if not isinstance(entry, dict):
            problems.add(path, f"must be an object that describes one {what}, not {json_type(entry)}")
    return [(path, entry) for path, entry in entries if isinstance(entry, dict)]


def _decode(problems: ProblemCollector, content: bytes) -> str:
    """The text of a UTF-8 file, with or without a byte order mark. Raises ImportRejected with each invalid line."""
    if len(content) > MAX_BYTES:
        problems.add("", f"is larger than {MAX_BYTES // 1024 // 1024} MiB")
        raise ImportRejected(problems.problems)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        problems.add("", "is in UTF-16; save it as UTF-8")
        raise ImportRejected(problems.problems)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        for number, line in enumerate(content.split(b"\n"), 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                byte = line[error.start]
                problems.add(f"line {number}", f"byte {error.start + 1} (0x{byte:02X}) is not UTF-8; save it as UTF-8")
        raise ImportRejected(problems.problems) from None


def _load_json(problems: ProblemCollector, text: str) -> object:
    """The document. A repeated key of an object is a problem, because Python's parser silently keeps the last one."""

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        entry = dict(items)
        if len(entry) != len(items):
            repeated = [key for key, times in Counter(key for key, _ in items).items() if times > 1]
            problems.add("", f"the key {', '.join(map(repr, repeated))} is used twice in one object")
        return entry

    def constant(name: str) -> None:
        problems.add("", f"{name} is not a JSON value")

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        problems.add(f"line {error.lineno}, column {error.colno}", f"is not valid JSON: {error.msg}")
    except RecursionError:
        problems.add("", "is nested too deeply")
    except ValueError as error:
        # A number with more digits than Python converts to an int.
        problems.add("", f"is not valid JSON: {error}")
    raise ImportRejected(problems.problems)
