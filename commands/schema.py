"""`schema` prints the SDL that is served, sorted, so that two versions can be compared."""

import argparse

from schema.root import printed
from services.settings import Settings


def run_schema(_: Settings, __: argparse.Namespace) -> int:
    """Prints the SDL."""
    print(printed(), end="")
    return 0
