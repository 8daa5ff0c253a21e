"""Commands of server.py in the process of the tests."""

import os

import server


def run_here(*words: str) -> int:
    """Runs a command and returns its exit status. The process gets its umask back, which `server.main` sets."""
    umask = os.umask(0o022)
    try:
        return server.main(list(words))
    finally:
        os.umask(umask)
