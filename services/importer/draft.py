"""A qualification read from a file and not yet stored."""

import hashlib
import json
from dataclasses import asdict, dataclass

MAX_UNITS = 200
MAX_CRITERIA = 5_000


@dataclass(frozen=True, slots=True)
class CriterionDraft:
    """One criterion. `code` is unique within its unit only: every unit of a diploma has a 1.1."""

    code: str
    description: str


@dataclass(frozen=True, slots=True)
class UnitDraft:
    """One unit with its criteria, in the order of the file."""

    number: str
    title: str
    criteria: tuple[CriterionDraft, ...]
    mandatory: bool = True


@dataclass(frozen=True, slots=True)
class QualificationDraft:
    """One version of a qualification; None stands for what its file does not give."""

    title: str
    units: tuple[UnitDraft, ...]
    kind: str | None = None
    reference: str | None = None
    version: str | None = None
    level: int | None = None
    off_the_job_hours_minimum: int | None = None

    @property
    def criterion_count(self) -> int:
        """How many criteria all units have."""
        return sum(len(unit.criteria) for unit in self.units)

    @property
    def identity(self) -> tuple[str, str | None]:
        """What tells versions apart: the reference, or the title if there is no reference, and the version."""
        return self.reference or self.title, self.version

    def digest(self) -> str:
        """SHA-256 of the whole content, in lower-case hexadecimal: equal digests mean equal content."""
        canonical = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Values for what a file does not give, such as everything but the units of a CSV file. The file's values win."""

    title: str | None = None
    reference: str | None = None
    version: str | None = None
    level: int | None = None
    kind: str | None = None
    off_the_job_hours_minimum: int | None = None


NO_OPTIONS = ImportOptions()
