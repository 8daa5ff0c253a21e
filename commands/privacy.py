"""`subject-access` writes out everything about a learner, `erase` erases one, `retention` those whose time is over."""

import argparse
import sys
from pathlib import Path
from typing import Any

from commands.database_session import fail, with_database
from db.database import Database
from db.models.audit_event import AuditEvent
from db.models.learner import Learner
from db.models.provider import provider_named
from db.models.user import User
from domain import clock
from domain import global_id as ids
from resolvers.privacy import drop_bytes
from services.audit.append import append
from services.privacy.erasure import erase_learner, other_roles
from services.privacy.retention import ExpiredLearner, learners_past_retention
from services.privacy.subject_access_zip import write_export
from services.settings import Settings
from services.storage.file_store import FileStore, StoreUnavailable, open_store


def add(commands: Any) -> None:
    """Adds the commands."""
    access = commands.add_parser("subject-access", help="write everything about one learner to a ZIP")
    access.add_argument("learner", help="the learner's id in the graph, such as Learner_7")
    access.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help="the ZIP to write; it must not exist yet"
    )
    access.set_defaults(run=_subject_access)
    erasing = commands.add_parser("erase", help="erase a learner for good")
    erasing.add_argument("learner", help="the learner's id in the graph, such as Learner_7")
    erasing.add_argument("--confirm-name", required=True, metavar="NAME", help="the learner's name as it stands")
    erasing.set_defaults(run=_erase)
    retaining = commands.add_parser(
        "retention", help="list the learners who have been kept for long enough, or erase them"
    )
    retaining.add_argument("--provider", help="the UKPRN or name of the provider, where there are several")
    retaining.add_argument("--years", type=_years, help="set for how many years after their last aim learners are kept")
    retaining.add_argument("--erase", action="store_true", help="erase them, instead of listing them")
    retaining.set_defaults(run=_retention)


def _years(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError("a whole number of years from 1 to 100")
    return int(text)


def _subject_access(settings: Settings, asked: argparse.Namespace) -> int:
    async def work(database: Database) -> int:
        key = ids.decode("Learner", asked.learner)
        try:
            with asked.to.open("xb") as out:
                asked.to.chmod(0o600)
                name = await write_export(database, open_store(settings.files_location), key or 0, out, clock.now())
        except FileExistsError:
            return fail(f"{asked.to} is there already.")
        except (OSError, StoreUnavailable) as fault:
            asked.to.unlink(missing_ok=True)
            return fail(f"Nothing was written: {fault}")
        if name is None:
            asked.to.unlink()
            return fail(f"There is no learner {asked.learner}.")
        print(f"{asked.to}: everything about {name}")
        return 0

    return with_database(settings, work)


def _erase(settings: Settings, asked: argparse.Namespace) -> int:
    async def work(database: Database) -> int:
        key = ids.decode("Learner", asked.learner)
        async with database.snapshot() as session:
            learner = await session.get(Learner, key or 0)
            if learner is None:
                return fail(f"There is no learner {asked.learner}.")
            user = await session.get_one(User, learner.user_id)
            if user.name != asked.confirm_name:
                return fail("That is not the learner's name. Nothing was erased.")
        if held := await erase_one(database, open_store(settings.files_location), learner.id):
            return fail(f"This person holds other roles too ({held}): revoke them first. Nothing was erased.")
        print(f"{asked.learner} is erased.")
        return 0

    return with_database(settings, work)


async def erase_one(database: Database, store: FileStore, learner_key: int) -> str | None:
    """Erases a learner as the operator, with a line in the audit trail; what stands in the way, or None.

    Raises StoreUnavailable never: bytes that stay behind are taken by the sweep at the server's next start.
    """
    async with database.writing() as session:
        learner = await session.get_one(Learner, learner_key, with_for_update={"key_share": True})
        if held := await other_roles(session, learner.user_id):
            return ", ".join(role.value for role in held)
        if learner.erased_at is not None:
            return None
        now = clock.now()
        storage_keys = await erase_learner(session, learner, now)
        line = AuditEvent(
            provider_id=learner.provider_id, at=now, action="learnerErase", subject_type="Learner",
            subject_key=learner.id, learner_id=learner.id, detail={"files": len(storage_keys)},
        )  # fmt: skip
        await append(session, line)
    await drop_bytes(database, store, storage_keys)
    return None


def _retention(settings: Settings, asked: argparse.Namespace) -> int:
    async def work(database: Database) -> int:
        async with database.writing() as session:
            provider = await provider_named(session, asked.provider)
            if provider is None and (asked.provider or asked.years):
                return fail("Name the provider with --provider: its UKPRN or its name.")
            if provider is not None and asked.years:
                provider.retention_years = asked.years
                provider.settings_version += 1
                detail = {"fields": ["retention_years"]}
                line = AuditEvent(
                    provider_id=provider.id, at=clock.now(), action="providerSettingsUpdate", detail=detail
                )
                await append(session, line)
        async with database.snapshot() as session:
            due = await learners_past_retention(session, clock.today(), provider and provider.id)
        return await _erase_due(database, settings, due) if asked.erase else _list(due)

    return with_database(settings, work)


def _list(due: list[ExpiredLearner]) -> int:
    for one in due:
        print(f"{ids.encode('Learner', one.learner_key)}  {one.name}, ended {one.ended_on}, due since {one.expired_on}")
    print(f"{len(due):,} learners have been kept for long enough.{' Add --erase to erase them.' if due else ''}")
    return 0


async def _erase_due(database: Database, settings: Settings, due: list[ExpiredLearner]) -> int:
    store, kept = open_store(settings.files_location), 0
    for one in due:
        if held := await erase_one(database, store, one.learner_key):
            print(
                f"{ids.encode('Learner', one.learner_key)} holds other roles too ({held}), and stays.", file=sys.stderr
            )
            kept += 1
    print(f"{len(due) - kept:,} learners were erased.")
    return 1 if kept else 0
