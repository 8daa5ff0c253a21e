"""What has become of a process."""

import psutil


def has_ended(pid: int) -> bool:
    """Returns whether a process does nothing any more: it is gone, or its parent has not asked yet how it ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
