"""`schema` prints the SDL that is served, sorted, so that two of them can be compared."""

import argparse
from typing import Any

from schema.root import printed
from services.settings import Settings


def add(commands: Any) -> None:
    """Adds the command."""
    printing = commands.add_parser("schema", help="print the schema (SDL)")
    printing.set_defaults(run=_schema)


def _schema(_: Settings, __: argparse.Namespace) -> int:
    print(printed(), end="")
    return 0
