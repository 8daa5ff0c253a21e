"""The command line: `waymark list`, `show NAME`, `run NAME`; in the repository `python -m queries`."""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

from graphql import is_enum_type
from tqdm import tqdm

from .client import Client
from .errors import COMMAND, AuthenticationError, UsageError, WaymarkError
from .operations import get_operation, get_query, saved_operations
from .output import FORMATS, choose_format, save, to_text
from .result import Result
from .runner import DEFAULT_URL, fetch
from .schema import load_schema
from .variables import describe_variables, parse_variables


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser. The parsed arguments hold the command's function as `run`."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Runs Waymark's saved operations. Passwords and tokens are read from WAYMARK_PASSWORD and "
        "WAYMARK_TOKEN or prompted for. They are never arguments, because other users could see them.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    list_command = commands.add_parser("list", help="list the operations")
    list_command.set_defaults(run=_list)
    show_command = commands.add_parser("show", help="show an operation's description, variables, columns and text")
    show_command.add_argument("name", metavar="NAME")
    show_command.set_defaults(run=_show)
    run_command = commands.add_parser("run", help="run a query and fetch every page")
    run_command.add_argument("name", metavar="NAME")
    run_command.add_argument(
        "--var", action="append", default=[], metavar="NAME=VALUE", help="set a variable; `show` lists them"
    )
    run_command.add_argument("--url", help=f"the server's URL (default: WAYMARK_URL, else {DEFAULT_URL})")
    run_command.add_argument("--sign-in", metavar="USERNAME", help="the username (default: WAYMARK_USERNAME)")
    run_command.add_argument("--role", help="the role to sign in with, if the account has several")
    run_command.add_argument("--out", type=Path, metavar="FILE", help="write a file, in the format of its extension")
    run_command.add_argument("--format", choices=FORMATS, help="the format (default: the file's extension, else table)")
    run_command.set_defaults(run=_run)
    return parser


def _list(_: argparse.Namespace) -> None:
    operations = saved_operations()
    width = max(map(len, operations))
    for name, operation in operations.items():
        suffix = "" if operation.is_query else f" ({operation.type})"
        print(f"{name:<{width}}  {operation.title}{suffix}")


def _show(arguments: argparse.Namespace) -> None:
    operation = get_operation(arguments.name)
    print(operation.description)
    for title, lines in (
        ("Variables", describe_variables(operation)),
        ("Columns", [f"{column.name}: {column.type.value}" for column in operation.shape.columns]),
    ):
        print(f"\n{title}:")
        print("\n".join(f"  {line}" for line in lines) or "  none")
    print("\n" + operation.body)


def _run(arguments: argparse.Namespace) -> None:
    operation = get_query(arguments.name)
    format = choose_format(arguments.out, arguments.format)
    if arguments.role is not None:
        _check_role(arguments.role)
    variables = parse_variables(operation, arguments.var)
    if arguments.out is not None and not arguments.out.resolve().parent.is_dir():
        raise UsageError(f"The folder {arguments.out.parent} does not exist.")
    with tqdm(desc=arguments.name, unit=" entries", file=sys.stderr, disable=None, leave=False) as bar:

        def update(done: int, total: int | None) -> None:
            bar.total = total
            bar.set_postfix_str("", refresh=False)
            bar.update(done - bar.n)

        def wait(message: str) -> None:
            # One bar: a wait is shown in it. Where there is none, in a log, it is a line.
            if bar.disable:
                print(message, file=sys.stderr)
            else:
                bar.set_postfix_str(message)

        result = fetch(
            operation,
            variables,
            arguments.url,
            lambda client: _sign_in(client, arguments),
            update,
            wait,
        )
    _write(result, format, arguments.out)


def _write(result: Result, format: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(FORMATS[format](result))
        sys.stdout.flush()
    else:
        save(result, out, format)
    file_name = f" in {out}" if out else ""
    as_of = f" as of {to_text(result.as_of)}" if result.as_of else ""
    print(f"{len(result)} rows{as_of}{file_name}, {result.cost} points", file=sys.stderr)
    for note in result.notes:
        print(f"Incomplete: {note}. Fetch more with --var first=100 if it has that variable.", file=sys.stderr)


def _check_role(role: str) -> None:
    role_type = load_schema().type_map["Role"]
    assert is_enum_type(role_type)
    if role not in role_type.values:
        raise UsageError(f"Unknown role {role!r}. Use one of {', '.join(role_type.values)}.")


def _sign_in(client: Client, arguments: argparse.Namespace) -> None:
    token = None if arguments.sign_in else os.environ.get("WAYMARK_TOKEN")
    if token:
        if arguments.role:
            raise UsageError("--role cannot be used with WAYMARK_TOKEN, because a token has its role. Use --sign-in.")
        client.use_token(token)
        return
    username = arguments.sign_in or os.environ.get("WAYMARK_USERNAME") or _prompt("Username: ", input)
    password = os.environ.get("WAYMARK_PASSWORD") or _prompt(f"Password for {username}: ", getpass.getpass)
    client.sign_in(username, password, arguments.role)


def _prompt(question: str, read: Callable[[str], str]) -> str:
    if not sys.stdin.isatty():
        raise AuthenticationError("No credentials. Set WAYMARK_USERNAME and WAYMARK_PASSWORD, or WAYMARK_TOKEN.")
    return read(question)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns the exit status. The message of an error goes to stderr."""
    parsed = build_parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except WaymarkError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    return 0


def command() -> None:
    """The command of the installed client: `waymark`."""
    sys.exit(main())


if __name__ == "__main__":
    command()
