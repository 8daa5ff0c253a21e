"""A qualification as read from a file, before anything is stored: plain dataclasses, their rules, their digest."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field

MAX_UNITS = 200
MAX_CRITERIA = 5_000
MAX_LENGTHS = {"title": 300, "reference": 40, "version": 40, "kind": 40, "number": 40, "code": 40, "description": 4_000}
OPTIONAL = {"reference", "version", "kind"}

# What no text of a qualification may hold: control characters (PostgreSQL refuses NUL), and halves of surrogate
# pairs, which JSON can spell but UTF-8 cannot carry.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """One thing that is wrong with a file, and where: `place` is a line of a CSV or a path into a JSON document."""

    file: str
    place: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.place, self.message) if part)


class ImportRejected(Exception):
    """Every fault of the files that were read, in the order of the files; nothing of them has been imported."""

    def __init__(self, faults: list[ImportProblem]):
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class CriterionDraft:
    """One criterion; `code` is unique within its unit only (every unit of a diploma has a 1.1)."""

    code: str
    description: str


@dataclass(frozen=True, slots=True)
class UnitDraft:
    """One unit with its criteria in the order of the file."""

    number: str
    title: str
    criteria: tuple[CriterionDraft, ...]
    mandatory: bool = True


@dataclass(frozen=True, slots=True)
class QualificationDraft:
    """One version of a qualification; `off_the_job_hours_minimum` in hours. None is what its file does not give."""

    title: str
    units: tuple[UnitDraft, ...]
    kind: str | None = None
    reference: str | None = None
    version: str | None = None
    level: int | None = None
    off_the_job_hours_minimum: int | None = None

    @property
    def criterion_count(self) -> int:
        return sum(len(unit.criteria) for unit in self.units)

    @property
    def identity(self) -> tuple[str, str | None]:
        """What makes it this version and no other: its reference (its title where it has none), and its version."""
        return self.reference or self.title, self.version

    def digest(self) -> str:
        """SHA-256, in lower-case hexadecimal, of everything in it: two versions are the same where this is equal."""
        canonical = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What is said about a qualification beside its file. It fills in what the file leaves out (a CSV has only units
    and criteria); what a file says for itself is kept."""

    title: str | None = None
    reference: str | None = None
    version: str | None = None
    level: int | None = None
    kind: str | None = None
    off_the_job_hours_minimum: int | None = None


NO_OPTIONS = ImportOptions()


@dataclass(slots=True)
class ParsedQualifications:
    """The faults found so far in one file. Each check notes what is wrong and hands back a stand-in, so that reading
    goes on and every fault is found in one pass."""

    file: str
    faults: list[ImportProblem] = field(default_factory=list)

    def fault(self, place: str, message: str) -> None:
        self.faults.append(ImportProblem(self.file, place, message))

    def text(self, value: object, place: str, name: str) -> str | None:
        """The value without the white space around it. What may be left out may be null or empty, and gives None."""
        required = name not in OPTIONAL
        if value is None:
            if required:
                self.fault(place, "is required")
            return None
        if not isinstance(value, str):
            self.fault(place, f"must be text, not {kind_of(value)}")
            return None
        if found := _UNFIT.search(value):
            self.fault(place, f"holds the character U+{ord(found.group()):04X}, which cannot be kept")
            return None
        value = value.strip()
        if not value:
            if required:
                self.fault(place, "is empty")
            return None
        if len(value) > MAX_LENGTHS[name]:
            self.fault(place, f"is {len(value)} characters long; at most {MAX_LENGTHS[name]} can be kept")
            return None
        return value

    def whole(self, value: object, place: str, least: int, most: int) -> int | None:
        """A whole number from least to most, or None where the file gives none."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(place, f"must be a whole number, not {kind_of(value)}")
            return None
        if not least <= value <= most:
            self.fault(place, f"must be from {least} to {most}")
            return None
        return value


def kind_of(value: object) -> str:
    """The JSON word for a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return {str: "text", list: "a list", dict: "an object"}[type(value)]
