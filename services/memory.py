"""Lets the C library return freed memory to the system."""

import ctypes
from contextlib import suppress

# Parameters of `mallopt` in malloc.h, and their values. What is set stays so: by itself glibc raises both thresholds
# after a large allocation, and a server then keeps 40 MB that its start and a sign-in have used.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_VALUES = {_TRIM_THRESHOLD: 2**20, _MMAP_THRESHOLD: 2**20, _ARENA_MAX: 2}


def limit_kept_memory() -> None:
    """Lets little freed memory stay at the end of each heap. Does nothing where there is no glibc."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for parameter, value in _VALUES.items():
            library.mallopt(parameter, value)


def return_memory() -> None:
    """Returns the free pages of all heaps, in some milliseconds. Does nothing where there is no glibc."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
