"""A qualification read from a file and not yet stored."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

# Of one qualification.
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
class StoredValues:
    """What an earlier import of a version said beside its criteria; `mandatory` by unit number."""

    kind: str | None
    level: int | None
    off_the_job_hours_minimum: int | None
    optional_units_minimum: int
    mandatory: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class QualificationDraft:
    """One version of a qualification; None is a value that its file does not give.

    `partial`: the file is of a kind that cannot say everything (CSV), so that what it does not say is kept when it
    replaces an earlier import of the version. `gives_mandatory`: it says which units are mandatory.
    """

    title: str
    units: tuple[UnitDraft, ...]
    kind: str | None = None
    reference: str | None = None
    version: str | None = None
    level: int | None = None
    off_the_job_hours_minimum: int | None = None
    # How many optional units must be chosen. It says nothing about the content, so the digest leaves it out.
    optional_units_minimum: int = 0
    partial: bool = field(default=False, compare=False)
    gives_mandatory: bool = field(default=True, compare=False)

    def completed(self, stored: "StoredValues") -> "QualificationDraft":
        """Returns the draft with what its file cannot say taken from the import that it replaces."""
        if not self.partial:
            return self
        mandatory = {} if self.gives_mandatory else stored.mandatory
        hours = self.off_the_job_hours_minimum
        return replace(
            self,
            kind=stored.kind if self.kind is None else self.kind,
            level=stored.level if self.level is None else self.level,
            optional_units_minimum=self.optional_units_minimum or stored.optional_units_minimum,
            off_the_job_hours_minimum=stored.off_the_job_hours_minimum if hours is None else hours,
            units=tuple(replace(unit, mandatory=mandatory.get(unit.number, unit.mandatory)) for unit in self.units),
        )

    @property
    def criterion_count(self) -> int:
        """How many criteria all units have."""
        return sum(len(unit.criteria) for unit in self.units)

    @property
    def identity(self) -> tuple[str, str | None]:
        """What distinguishes versions: the reference, or the title if there is no reference, and the version."""
        return self.reference or self.title, self.version

    def digest(self) -> str:
        """SHA-256 of the whole content, in lower-case hexadecimal: equal digests mean equal content."""
        left_out = ("partial", "gives_mandatory", "optional_units_minimum")
        content = {name: value for name, value in asdict(self).items() if name not in left_out}
        canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
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
