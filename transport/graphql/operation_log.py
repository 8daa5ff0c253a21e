"""What logs and metrics record of an operation."""

import time
from dataclasses import dataclass, field

from db.database import statement_count


@dataclass(slots=True)
class OperationLog:
    """The record of one operation. It has no variables and no personal data."""

    request_id: str = ""
    transport: str = "http"
    kind: str | None = None
    name: str | None = None
    saved_name: str | None = None
    viewer: int | None = None
    role: str | None = None
    access_key: int | None = None
    cost: int = 0
    cost_left: int | None = None  # of the rate limit; None without one
    deprecated: tuple[str, ...] = ()
    code: str | None = None  # of the first error
    status: int = 0
    statements: list[int] = field(default_factory=lambda: [0])  # one number, which the operation's tasks share
    started: float = field(default_factory=time.perf_counter)  # seconds of the performance counter

    def count_statements(self) -> None:
        """Counts the SQL statements of the current task, from now on."""
        statement_count.set(self.statements)
