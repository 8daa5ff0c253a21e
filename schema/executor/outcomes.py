"""What can come of an operation: the two ways out of the compiled path, and the counts of every path taken."""

from dataclasses import dataclass


class Unsupported(Exception):
    """Raised while compiling: the generic executor answers this operation, always."""


class Deopt(Exception):
    """Raised while a plan runs: its answer is thrown away and the generic executor answers this once."""


@dataclass(slots=True)
class Counters:
    """How often each path was taken since the executor class was made; plain integers, read at any time."""

    compiled: int = 0  # plans made
    fast: int = 0  # operations answered by a plan
    deopt: int = 0  # operations begun by a plan and answered by the generic executor
    unsupported: int = 0  # operations without a plan: mutations, introspection, foreign directives, ...
    rested: int = 0  # operations with a plan that failed too often of late, answered generically
    evicted: int = 0  # plans dropped to keep within the bounds
