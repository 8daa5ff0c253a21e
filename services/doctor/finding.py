"""What a check of an installation finds."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The result of one check of an installation."""

    OK = "ok"
    # The server works, but the installation is not as docs/operations.md describes.
    WARNING = "warning"
    # Users lose data, security or service.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: the name of the check, and a sentence that says what is so and, unless it is ok, what to do.

    No sentence repeats the value of a setting, which may hold a password.
    """

    check: str
    status: Status
    message: str


def ok(check: str, message: str) -> Finding:
    """Nothing needs to be done."""
    return Finding(check, Status.OK, message)


def warning(check: str, message: str) -> Finding:
    """The installation differs from the documentation, and works."""
    return Finding(check, Status.WARNING, message)


def problem(check: str, message: str) -> Finding:
    """Something is lost, open or broken."""
    return Finding(check, Status.PROBLEM, message)
