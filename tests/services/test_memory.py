"""Memory that was freed is returned to the system."""

import subprocess
import sys

from tests.support.architecture import ROOT

# Allocates and frees, then prints how much of it, in MB, the process still has. What stays lies above what was freed.
PROGRAM = """
import ctypes, gc, sys
from services.memory import limit_kept_memory, return_memory

def private():
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:")) / 1024

if "limit" in sys.argv:
    limit_kept_memory()
library = ctypes.CDLL(None)
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
# A large allocation, after whose end glibc by itself takes smaller ones from the heap, and keeps what they leave.
library.free(library.malloc(32 * 2**20 - 10_000))
before = private()
held = [0] * 300
for number in range(300):
    held[number] = library.malloc(100_000)
    ctypes.memset(held[number], 1, 100_000)
stays = library.malloc(100_000) if "inside" in sys.argv else None
for each in held:
    library.free(each)
if "return" in sys.argv:
    return_memory()
print(round(private() - before))
"""


def kept(*words: str) -> int:
    """Returns what stays of 30 MB that were freed, in MB."""
    made = subprocess.run([sys.executable, "-c", PROGRAM, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(made.stdout)


def test_what_is_freed_at_the_end_of_a_heap_is_returned_at_once():
    assert kept() > 20
    assert kept("limit") < 5


def test_what_is_freed_inside_a_heap_is_returned_on_request():
    assert kept("limit", "inside") > 20
    assert kept("limit", "inside", "return") < 5
