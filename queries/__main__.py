"""The command line: `python -m queries list`, `show NAME`, `run NAME`."""

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import Any

from graphql import GraphQLEnumType
from tqdm import tqdm

from queries.client import Client
from queries.contract import contract
from queries.faults import Fault, NotLetIn, WrongUse
from queries.output import FORMATS, format_of, save
from queries.result import Result
from queries.running import DEFAULT_URL, fetch
from queries.saved import find, find_query, saved_operations
from queries.variables import described, read_variables


def parser() -> argparse.ArgumentParser:
    """The parser; a command's function stands in `run`."""
    made = argparse.ArgumentParser(
        prog="python -m queries",
        description="Runs Waymark's saved operations. Passwords and tokens come from WAYMARK_PASSWORD and "
        "WAYMARK_TOKEN, or are asked for; never from the command line, where others can read them.",
    )
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    listing = commands.add_parser("list", help="what there is, a line each")
    listing.set_defaults(run=_list)
    showing = commands.add_parser("show", help="one operation: what it answers, its variables, columns and text")
    showing.add_argument("name", metavar="NAME")
    showing.set_defaults(run=_show)
    running = commands.add_parser("run", help="fetch every page of one operation")
    running.add_argument("name", metavar="NAME")
    running.add_argument("--var", action="append", default=[], metavar="NAME=VALUE", help="a variable; see `show`")
    running.add_argument("--url", help=f"the server (WAYMARK_URL, else {DEFAULT_URL})")
    running.add_argument("--sign-in", metavar="USERNAME", help="who asks (WAYMARK_USERNAME)")
    running.add_argument("--role", help="the role to act in, for a login that holds several")
    running.add_argument("--out", type=Path, metavar="FILE", help="write a file, in the format that its name ends in")
    running.add_argument("--format", choices=FORMATS, help="table unless the file's name says another")
    running.set_defaults(run=_run)
    return made


def _list(_: argparse.Namespace) -> None:
    operations = saved_operations()
    width = max(map(len, operations))
    for name, operation in operations.items():
        kind = "" if operation.is_query else f" ({operation.kind})"
        print(f"{name:<{width}}  {operation.title}{kind}")


def _show(asked: argparse.Namespace) -> None:
    operation = find(asked.name)
    print(operation.comment)
    for title, lines in (
        ("Variables", described(operation)),
        ("Columns", [f"{column.name}: {column.kind.value}" for column in operation.shape.columns]),
    ):
        print(f"\n{title}:")
        print("\n".join(f"  {line}" for line in lines) or "  none")
    body = operation.text.splitlines()[len(operation.comment.splitlines()) :]
    print("\n" + "\n".join(body).strip())


def _run(asked: argparse.Namespace) -> None:
    operation = find_query(asked.name)
    format = format_of(asked.out, asked.format)
    if asked.role is not None:
        _check_role(asked.role)
    variables = read_variables(operation, asked.var)
    if asked.out is not None and not asked.out.absolute().parent.is_dir():
        raise WrongUse(f"There is no folder {asked.out.parent} to write {asked.out.name} into.")
    with tqdm(desc=asked.name, unit=" entries", file=sys.stderr, disable=None, leave=False) as bar:

        def reached(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        result = fetch(
            operation,
            variables,
            asked.url,
            lambda client: _sign_in(client, asked),
            reached,
            lambda line: tqdm.write(line, file=sys.stderr),
        )
    _write(result, format, asked.out)


def _write(result: Result, format: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(FORMATS[format](result))
        sys.stdout.flush()
    else:
        save(result, out, format)
    where = f" in {out}" if out else ""
    print(f"{len(result)} rows{where}, {result.cost} points", file=sys.stderr)
    for note in result.notes:
        print(f"Not all: {note}. Ask for more with --var first=100, where it has that.", file=sys.stderr)


def _check_role(role: str) -> None:
    known: Any = contract().type_map["Role"]
    assert isinstance(known, GraphQLEnumType)
    if role not in known.values:
        raise WrongUse(f"There is no role {role!r}: it is one of {', '.join(known.values)}.")


def _sign_in(client: Client, asked: argparse.Namespace) -> None:
    token = None if asked.sign_in else os.environ.get("WAYMARK_TOKEN")
    if token:
        if asked.role:
            raise WrongUse("A token carries its role: --role goes with --sign-in.")
        client.use_token(token)
        return
    username = asked.sign_in or os.environ.get("WAYMARK_USERNAME") or _prompt("Username: ", input)
    password = os.environ.get("WAYMARK_PASSWORD") or _prompt(f"Password of {username}: ", getpass.getpass)
    client.sign_in(username, password, asked.role)


def _prompt(question: str, ask: Any) -> str:
    if not sys.stdin.isatty():
        raise NotLetIn("Say who asks: set WAYMARK_USERNAME and WAYMARK_PASSWORD, or WAYMARK_TOKEN.")
    return ask(question)


def main(arguments: list[str] | None = None) -> int:
    """Gives the exit status: 0, or that of the fault, whose sentence is on stderr."""
    asked = parser().parse_args(arguments)
    try:
        asked.run(asked)
    except Fault as fault:
        print(fault, file=sys.stderr)
        return fault.status
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
