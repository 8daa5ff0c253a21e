"""The problems of an imported file, and the checks of its values that find them."""

import re
from dataclasses import dataclass, field

MAX_LENGTHS = {"title": 300, "reference": 40, "version": 40, "kind": 40, "number": 40, "code": 40, "description": 4_000}
OPTIONAL = {"reference", "version", "kind"}

# Control characters, of which PostgreSQL refuses NUL, and lone surrogates, which JSON can carry but UTF-8 cannot.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """A problem of a file. `position` is a line of a CSV file, or a path into a JSON document."""

    file: str
    position: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.position, self.message) if part)


class ImportRejected(Exception):
    """The problems of all files, in the order of the files. Nothing was imported."""

    def __init__(self, problems: list[ImportProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(slots=True)
class ProblemCollector:
    """Checks the values of one file and collects its problems.

    A check returns None for a value with a problem, so that parsing continues and one pass finds every problem.
    """

    file: str
    problems: list[ImportProblem] = field(default_factory=list)

    def add(self, position: str, message: str) -> None:
        """Adds a problem."""
        self.problems.append(ImportProblem(self.file, position, message))

    def raise_problems(self) -> None:
        """Raises ImportRejected if there are problems."""
        if self.problems:
            raise ImportRejected(self.problems)

    def text(self, value: object, position: str, name: str) -> str | None:
        """The text without surrounding white space. Fields in OPTIONAL may be null or empty, which returns None."""
        required = name not in OPTIONAL
        if value is None:
            if required:
                self.add(position, "is required")
            return None
        if not isinstance(value, str):
            self.add(position, f"must be text, not {json_type(value)}")
            return None
        if forbidden := _FORBIDDEN.search(value):
            self.add(position, f"contains the character U+{ord(forbidden.group()):04X}, which cannot be stored")
            return None
        value = value.strip()
        if not value:
            if required:
                self.add(position, "is empty")
            return None
        if len(value) > MAX_LENGTHS[name]:
            self.add(position, f"is {len(value)} characters long, but at most {MAX_LENGTHS[name]} are allowed")
            return None
        return value

    def whole_number(self, value: object, position: str, minimum: int, maximum: int) -> int | None:
        """A whole number from `minimum` to `maximum`; None if the file has none."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.add(position, f"must be a whole number, not {json_type(value)}")
            return None
        if not minimum <= value <= maximum:
            self.add(position, f"must be from {minimum} to {maximum}")
            return None
        return value


def json_type(value: object) -> str:
    """The type of a JSON value in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "an object"
