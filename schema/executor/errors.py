"""The two reasons for which compiled code does not answer an operation."""


class Unsupported(Exception):
    """Raised by the compiler: the generic executor runs this operation every time."""


class Deopt(Exception):
    """Raised while compiled code runs: its result is dropped, and the generic executor runs the operation again."""
