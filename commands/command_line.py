"""The command line: every command with its arguments and its help.

The function behind a command is imported when the command runs, so that `--help` loads no library.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from services.settings import Settings

_PROVIDER_HELP = "the UKPRN or the name of the provider, if there are several"


def make_parser() -> argparse.ArgumentParser:
    """The parser. The `run` of parsed arguments takes (settings, arguments) and returns the exit status."""
    parser = argparse.ArgumentParser(description="Waymark: an apprenticeship e-portfolio as one GraphQL API.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="serve (the default); the first start without a database makes the demo")
    for add in (
        _add_database, _add_doctor, _add_backup, _add_demo, _add_import, _add_admin, _add_second_factor,
        _add_identity_provider, _add_privacy, _add_operations, _add_schema,
    ):  # fmt: skip
        add(commands)
    return parser


@dataclass(frozen=True, slots=True)
class _Command:
    """Calls a function of a module in `commands`, which is imported when it is called."""

    module: str
    name: str

    def function(self) -> Callable[[Settings, argparse.Namespace], int]:
        """Imports the function."""
        return getattr(import_module(f"commands.{self.module}"), self.name)

    def __call__(self, settings: Settings, arguments: argparse.Namespace) -> int:
        return self.function()(settings, arguments)


def _add_database(commands: Any) -> None:
    migrate = commands.add_parser("migrate", help="bring the tables up to date")
    half = migrate.add_mutually_exclusive_group()
    half.add_argument(
        "--expand", action="store_true", help="only add what this version needs; processes of the last version continue"
    )
    half.add_argument(
        "--contract", action="store_true", help="only remove what the last version needed, once none of it runs"
    )
    migrate.set_defaults(run=_Command("database", "run_migrate"))
    verify = commands.add_parser(
        "verify", help="check the audit trail, the progress sums, the history, signatures and files"
    )
    verify.add_argument(
        "--state", type=Path, metavar="FILE", help="store in FILE how far the check has come, and continue from there"
    )
    verify.set_defaults(run=_Command("database", "run_verify"))


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser("doctor", help="check the installation against docs/operations.md")
    doctor.add_argument("--json", action="store_true", help="print JSON instead of lines")
    doctor.add_argument("--backups", type=Path, metavar="FOLDER", help="the folder of the backups, to check their age")
    doctor.add_argument(
        "--environment-file", type=Path, default=Path("/etc/waymark.env"), metavar="FILE",
        help="the file with the settings (default: /etc/waymark.env)",
    )  # fmt: skip
    doctor.add_argument(
        "--unit", type=Path, default=Path("/etc/systemd/system/waymark@.service"), metavar="FILE",
        help="the systemd unit (default: /etc/systemd/system/waymark@.service)",
    )  # fmt: skip
    doctor.set_defaults(run=_Command("doctor", "run_doctor"))


def _add_backup(commands: Any) -> None:
    backup = commands.add_parser("backup", help="copy the database and the files to a folder, while serving (SQLite)")
    backup.add_argument("folder", type=Path, help="a folder that is new or empty")
    backup.set_defaults(run=_Command("backup", "run_backup"))
    restore = commands.add_parser("restore", help="restore a backup and verify it (SQLite, with the server stopped)")
    restore.add_argument("folder", type=Path, help="a folder that `backup` made")
    restore.add_argument("--overwrite", action="store_true", help="move an existing installation aside first")
    restore.set_defaults(run=_Command("backup", "run_restore"))
    _add_provider_move(commands)


def _add_provider_move(commands: Any) -> None:
    export = commands.add_parser("provider-export", help="write a provider to a file, for another installation")
    export.add_argument("provider", help="the UKPRN or the name of the provider")
    export.add_argument("file", type=Path, help="the file, which must not exist yet")
    export.set_defaults(run=_Command("provider_move", "run_export"))
    add = commands.add_parser("provider-import", help="add the provider of an export, with files and audit trail")
    add.add_argument("file", type=Path, help="a file that `provider-export` made")
    add.set_defaults(run=_Command("provider_move", "run_import"))


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser("demo", help="add a provider with any number of made-up learners, to try things at size")
    demo.add_argument("--learners", type=_whole_number(1_000_000), required=True, help="how many learners")
    demo.add_argument("--seed", type=int, default=2026, help="the same seed makes the same learners (default: 2026)")
    demo.set_defaults(run=_Command("demo", "run_demo"))


def _add_import(commands: Any) -> None:
    parser = commands.add_parser("import", help="import qualifications from JSON or CSV files")
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a JSON file, or a CSV file with one row for each criterion"
    )
    parser.add_argument("--provider", help=_PROVIDER_HELP)
    parser.add_argument("--title", help="the title, for a CSV file")
    parser.add_argument("--reference", help="the reference number, such as ST0499, if the file has none")
    parser.add_argument("--version", help="the version, if the file has none")
    parser.add_argument("--level", type=int, help="the level, if the file has none")
    parser.set_defaults(run=_Command("qualifications", "run_import"))
    hours = commands.add_parser("import-hours", help="import the policy for off-the-job hours from JSON or CSV files")
    hours.add_argument(
        "files", nargs="+", type=Path, metavar="FILE",
        help="with reference, startsFrom, minimumHours, floorHours and source for each rule",
    )  # fmt: skip
    hours.add_argument("--provider", help=_PROVIDER_HELP)
    hours.set_defaults(run=_Command("off_the_job", "run_import_hours"))


def _add_admin(commands: Any) -> None:
    admin = commands.add_parser("admin", help="make a Master Admin, and their provider if it does not exist yet")
    admin.add_argument("--provider", required=True, help="the training provider's name")
    admin.add_argument("--ukprn", help="the provider's UKPRN, 8 digits")
    admin.add_argument("--name", required=True, help="the person's name")
    admin.add_argument("--email", required=True, help="the person's e-mail address, which is also the username")
    admin.set_defaults(run=_Command("admin", "run_admin"))


def _add_second_factor(commands: Any) -> None:
    remove = commands.add_parser(
        "second-factor-remove", help="remove a user's lost second factor, and notify them by e-mail"
    )
    remove.add_argument("username", help="the username")
    remove.add_argument("--provider", help=_PROVIDER_HELP)
    remove.set_defaults(run=_Command("second_factor", "run_remove"))
    seal = commands.add_parser(
        "second-factor-seal",
        help="seal the stored secrets with the newest key, before an older one goes",
    )
    seal.set_defaults(run=_Command("second_factor", "run_seal"))


def _add_identity_provider(commands: Any) -> None:
    group = commands.add_parser(
        "identity-provider", help="add, remove or list identity providers, through which people sign in"
    )
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="add an identity provider, or change the one of that name")
    add.add_argument("--issuer", required=True, help="its issuer, such as https://accounts.college.example")
    add.add_argument("--client-id", required=True, help="the client id that it gave to this installation")
    add.add_argument(
        "--public-client", action="store_true", help="the client has no secret; otherwise it is read from the terminal"
    )
    add.add_argument(
        "--redirect-uri", action="append", metavar="URL",
        help="an address of a client to which it returns people (default: the employer app); can be repeated",
    )  # fmt: skip
    add.add_argument(
        "--second-factor", action="append", metavar="VALUE",
        help="a value of acr or amr, such as mfa, that counts as a second factor; can be repeated",
    )  # fmt: skip
    add.add_argument(
        "--trust-email", action="store_true",
        help="its administrators set the e-mail addresses, so they need no claim email_verified",
    )  # fmt: skip
    remove = actions.add_parser("remove", help="remove an identity provider; sessions that began there end")
    unlink = actions.add_parser("unlink", help="unlink one account, for a person who has a new identity there")
    unlink.add_argument("username", help="the username")
    for parser in (add, remove, unlink):
        parser.add_argument("--provider", help=_PROVIDER_HELP)
        parser.add_argument("--name", required=True, help="what people call it, for the button that opens it")
    listing = actions.add_parser("list", help="list the identity providers")
    for parser, run in ((add, "run_add"), (remove, "run_remove"), (unlink, "run_unlink"), (listing, "run_list")):
        parser.set_defaults(run=_Command("identity_provider", run))


def _add_privacy(commands: Any) -> None:
    learner_help = "the learner's id in the API, such as Learner_7"
    export = commands.add_parser("subject-access", help="write all data about one learner to a ZIP file")
    export.add_argument("learner", help=learner_help)
    export.add_argument("--to", type=Path, required=True, metavar="FILE", help="the ZIP file, which must not exist yet")
    export.set_defaults(run=_Command("privacy", "run_subject_access"))
    erase = commands.add_parser("erase", help="erase a learner; this cannot be undone")
    erase.add_argument("learner", help=learner_help)
    erase.add_argument("--confirm-name", required=True, metavar="NAME", help="the learner's name, exactly as recorded")
    erase.set_defaults(run=_Command("privacy", "run_erase"))
    retention = commands.add_parser(
        "retention", help="list the learners whose retention period has expired, or erase them"
    )
    retention.add_argument("--provider", help=_PROVIDER_HELP)
    retention.add_argument(
        "--years", type=_whole_number(100), help="set how many years learners are kept after their last aim ended"
    )
    retention.add_argument("--erase", action="store_true", help="erase them instead of listing them")
    retention.set_defaults(run=_Command("privacy", "run_retention"))


def _add_operations(commands: Any) -> None:
    group = commands.add_parser("operations", help="add, list or retire the trusted documents of clients")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="add the documents of one version of a client")
    add.add_argument(
        "manifests", nargs="+", type=Path, metavar="MANIFEST",
        help="a manifest of graphql-codegen, Relay or Apollo, a .graphql file, or a folder of these",
    )  # fmt: skip
    add.add_argument("--client", required=True, metavar="NAME", help="the client's name, such as learner-portal")
    add.add_argument("--client-version", required=True, metavar="VERSION", help="its version, such as 1.4.0")
    listing = actions.add_parser("list", help="list the clients, their versions and when each was last used")
    retire = actions.add_parser("retire", help="remove documents that no client uses any more")
    retire.add_argument("--client", metavar="NAME", help="of this client only")
    retire.add_argument("--client-version", metavar="VERSION", help="of this version only")
    retire.add_argument("--unused-days", type=_whole_number(3650), metavar="N", help="that were not used for N days")
    for parser, run in ((add, "run_add"), (listing, "run_list"), (retire, "run_retire")):
        parser.set_defaults(run=_Command("operations", run))


def _add_schema(commands: Any) -> None:
    schema = commands.add_parser("schema", help="print the GraphQL schema (SDL)")
    schema.set_defaults(run=_Command("schema", "run_schema"))


def _whole_number(most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {most:,}")
        return int(text)

    return parse
