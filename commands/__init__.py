"""What an operator does from the command line: one file a subject, each command explained by `--help`."""

import argparse

from commands import backup, database, demo, people, privacy, qualifications, schema
from commands.demo import prepare

__all__ = ["parser", "prepare"]


def parser() -> argparse.ArgumentParser:
    """The parser; a command's function stands in `run` and takes (settings, arguments)."""
    made = argparse.ArgumentParser(description="Waymark: an apprenticeship e-portfolio as one graph.")
    commands = made.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="serve (unless another command is named); makes the demo on first start")
    for room in (database, backup, demo, qualifications, people, privacy, schema):
        room.add(commands)
    return made
