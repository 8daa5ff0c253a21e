"""The command line: `waymark list`, `show`, `run`, `export`, `download`; in the repository `python -m queries`."""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from graphql import is_enum_type
from tqdm import tqdm

from . import exports
from .client import Client
from .errors import COMMAND, AuthenticationError, UsageError, WaymarkError
from .operations import get_operation, get_query, saved_operations
from .output import FORMATS, choose_format, save, to_text
from .result import Result
from .runner import DEFAULT_URL, fetch
from .saving import check_folder
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
    _add_variables(run_command)
    _add_login(run_command)
    run_command.add_argument("--out", type=Path, metavar="FILE", help="write a file, in the format of its extension")
    run_command.add_argument("--format", choices=FORMATS, help="the format (default: the file's extension, else table)")
    run_command.set_defaults(run=_run)
    export_command = commands.add_parser("export", help="let the server make a file of everything, and download it")
    export_command.add_argument("name", metavar="NAME")
    _add_variables(export_command)
    _add_login(export_command)
    export_command.add_argument("--out", type=Path, metavar="FILE", required=True, help="the file to write")
    export_command.add_argument("--format", choices=exports.FORMATS, help="the format (default: the file's extension)")
    export_command.set_defaults(run=_export)
    download_command = commands.add_parser(
        "download", help="download an export that was started before, once it is made"
    )
    download_command.add_argument("id", metavar="ID", help="such as BulkExport_7")
    _add_login(download_command)
    download_command.add_argument("--out", type=Path, metavar="FILE", required=True, help="the file to write")
    download_command.set_defaults(run=_download)
    return parser


def _add_variables(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--var", action="append", default=[], metavar="NAME=VALUE", help="set a variable; `show` lists them"
    )


def _add_login(command: argparse.ArgumentParser) -> None:
    command.add_argument("--url", help=f"the server's URL (default: WAYMARK_URL, else {DEFAULT_URL})")
    command.add_argument("--sign-in", metavar="USERNAME", help="the username (default: WAYMARK_USERNAME)")
    command.add_argument("--role", help="the role to sign in with, if the account has several")


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
    _check_role(arguments.role)
    variables = parse_variables(operation, arguments.var)
    if arguments.out is not None:
        check_folder(arguments.out)
    with tqdm(desc=arguments.name, unit=" entries", file=sys.stderr, disable=None, leave=False) as bar:

        def update(done: int, total: int | None) -> None:
            bar.total = total
            bar.set_postfix_str("", refresh=False)
            bar.update(done - bar.n)

        result = fetch(
            operation,
            variables,
            arguments.url,
            lambda client: _sign_in(client, arguments),
            update,
            partial(_show_wait, bar),
        )
    _write(result, format, arguments.out)


def _show_wait(bar: "tqdm[NoReturn]", message: str) -> None:
    """Shows a wait in the bar; where there is none, in a log, as a line."""
    if bar.disable:
        print(message, file=sys.stderr)
    else:
        bar.set_postfix_str(message)


def _export(arguments: argparse.Namespace) -> None:
    operation = get_query(arguments.name)
    format = exports.choose_format(arguments.out, arguments.format)
    _check_role(arguments.role)
    variables = parse_variables(operation, arguments.var)
    check_folder(arguments.out)
    id = ""

    def started(made: str) -> None:
        nonlocal id
        id = made

    try:
        _fetch_file(
            arguments.name, arguments.out,
            partial(exports.fetch_export, operation, variables, arguments.out, format, on_start=started),
            arguments,
        )  # fmt: skip
    except (KeyboardInterrupt, WaymarkError) as error:
        if id and not isinstance(error, exports.ExportFailed):
            print(f"The server keeps it: {COMMAND} download {id} --out {arguments.out}", file=sys.stderr)
        raise


def _download(arguments: argparse.Namespace) -> None:
    _check_role(arguments.role)
    check_folder(arguments.out)
    _fetch_file(arguments.id, arguments.out, partial(exports.fetch_made, arguments.id, arguments.out), arguments)


def _fetch_file(
    title: str, out: Path, fetch_file: Callable[..., exports.Exported], arguments: argparse.Namespace
) -> None:
    with tqdm(desc=title, unit=" rows", unit_scale=True, file=sys.stderr, disable=None, leave=False) as bar:

        def update(unit: str, done: int) -> None:
            if bar.disable:
                return
            if bar.unit != f" {unit}":
                bar.unit = f" {unit}"
                bar.reset()
            bar.set_postfix_str("", refresh=False)
            bar.update(done - bar.n)

        made = fetch_file(
            url=arguments.url,
            sign_in=lambda client: _sign_in(client, arguments),
            on_progress=update,
            on_wait=partial(_show_wait, bar),
        )
    print(f"{_rows(made.rows)} as of {to_text(made.as_of)} in {out}, {made.size} bytes", file=sys.stderr)


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"


def _write(result: Result, format: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(FORMATS[format](result))
        sys.stdout.flush()
    else:
        save(result, out, format)
    file_name = f" in {out}" if out else ""
    as_of = f" as of {to_text(result.as_of)}" if result.as_of else ""
    print(f"{_rows(len(result))}{as_of}{file_name}, {result.cost} points", file=sys.stderr)
    for note in result.notes:
        print(f"Incomplete: {note}. Fetch more with --var first=100 if it has that variable.", file=sys.stderr)


def _check_role(role: str | None) -> None:
    if role is None:
        return
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
