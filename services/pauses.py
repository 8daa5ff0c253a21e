"""Keeps short what stops the event loop of a server: garbage collections, and threads that run Python."""

import gc
import sys

from services.memory import return_memory

# How long the loop waits for a thread that runs Python, such as the one that compiles: a tenth of Python's own.
SWITCH_SECONDS = 0.0005
# A collection stops everything: small generations, short stops. All objects that are new since the start are visited
# after a hundred million more, if at all.
COLLECTED = (10_000, 1, 5_000)


def keep_pauses_short() -> None:
    """Prepares a process that has started. It is called once, by a server only."""
    # Objects that exist by now live as long as the process: the garbage collector need not visit them again.
    gc.collect()
    return_memory()
    gc.freeze()
    gc.set_threshold(*COLLECTED)
    sys.setswitchinterval(SWITCH_SECONDS)
