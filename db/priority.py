"""Runs threads and processes at lower priorities than the threads that answer requests."""

import errno
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

# Nice values: of what a sign-in waits for, and of what can take its time. A session with the second gets a tenth of the
# processor time of one without; with 15 it would get a thirtieth, and an export end at its limit on a busy machine.
LOWER = 5
BACKGROUND = 10
# The system allows a user ten changes of a group's priority a second; workers that start together take turns.
_ATTEMPTS, _PAUSE_SECONDS = 10, 0.12


def lower_priority() -> None:
    """Lets other threads come first: for a thread that works for long. Only Linux has priorities of single threads."""
    with suppress(OSError, AttributeError):
        thread = threading.get_native_id()
        # Not above that of a process which has a lower one already.
        os.setpriority(os.PRIO_PROCESS, thread, max(LOWER, os.getpriority(os.PRIO_PROCESS, thread)))


def lower_process_priority(niceness: int) -> None:
    """Gives this process, which has just started, a session of its own and a lower priority than its server's.

    Linux may share the processor out between sessions first (autogroups) and compare nice values only within one. So
    the session gets the nice value too, where there is such a group and it can be changed. In a session of its own the
    process also gets no signal that a terminal sends to the server.
    """
    # A process that leads a group already cannot have another session.
    with suppress(PermissionError):
        os.setsid()
    os.nice(niceness)
    _lower_group(niceness)


def _lower_group(niceness: int) -> None:
    for _ in range(_ATTEMPTS):
        try:
            Path("/proc/self/autogroup").write_text(str(niceness))
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return
            time.sleep(_PAUSE_SECONDS)
        else:
            return
