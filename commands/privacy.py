"""`subject-access` exports all data about a learner, `erase` erases one, `retention` those whose period has expired."""

import argparse
import sys
from pathlib import Path

from commands.database_session import fail, with_database
from db.database import Database
from db.models.audit_event import AuditEvent
from db.models.learner import Learner
from db.models.provider import provider_named
from db.models.user import User
from domain import clock
from domain import global_id as ids
from domain.text import number_of
from resolvers.privacy import delete_remains
from services.audit.append import append
from services.privacy.erasure import erase_learner, other_roles
from services.privacy.retention import ExpiredLearner, learners_past_retention
from services.privacy.subject_access_zip import write_export
from services.settings import Settings
from services.storage.file_store import FileStore, StoreUnavailable, open_store


def run_subject_access(settings: Settings, arguments: argparse.Namespace) -> int:
    """Writes the ZIP file, readable by its owner alone; leaves no file behind if that fails."""
    path = arguments.to

    async def work(database: Database) -> int:
        key = ids.decode("Learner", arguments.learner)
        try:
            with path.open("xb") as out:
                path.chmod(0o600)
                name = await write_export(database, open_store(settings.files_location), key or 0, out, clock.now())
        except FileExistsError:
            return fail(f"{path} already exists.")
        except (OSError, StoreUnavailable) as error:
            path.unlink(missing_ok=True)
            return fail(f"Nothing was written: {error}")
        if name is None:
            path.unlink()
            return fail(f"There is no learner {arguments.learner}.")
        print(f"{path}: all data about {name}")
        return 0

    return with_database(settings, work)


def run_erase(settings: Settings, arguments: argparse.Namespace) -> int:
    """Erases a learner whose name was given exactly as recorded."""

    async def work(database: Database) -> int:
        key = ids.decode("Learner", arguments.learner)
        async with database.snapshot() as session:
            learner = await session.get(Learner, key or 0)
            if learner is None:
                return fail(f"There is no learner {arguments.learner}.")
            user = await session.get_one(User, learner.user_id)
            if user.name != arguments.confirm_name:
                return fail("That is not the learner's name. Nothing was erased.")
        store = open_store(settings.files_location)
        roles = await erase_as_operator(database, store, learner.id, settings.mail_folder)
        if roles is not None:
            return fail(f"This person also has other roles ({roles}): revoke those first. Nothing was erased.")
        print(f"{arguments.learner} is erased.")
        return 0

    return with_database(settings, work)


async def erase_as_operator(
    database: Database, store: FileStore, learner_key: int, mail_folder: Path | None = None
) -> str | None:
    """Erases a learner with an audit line that names no actor.

    Returns None, or the person's other roles, because of which nothing was erased. Files that the store could not
    delete now are deleted by the sweep at the next start of a server.
    """
    async with database.writing() as session:
        learner = await session.get_one(Learner, learner_key, with_for_update={"key_share": True})
        if roles := await other_roles(session, learner.user_id):
            return ", ".join(role.value for role in roles)
        if learner.erased_at is not None:
            return None
        now = clock.now()
        erased = await erase_learner(session, learner, now)
        event = AuditEvent(
            provider_id=learner.provider_id, at=now, action="learnerErase", subject_type="Learner",
            subject_key=learner.id, learner_id=learner.id, detail={"files": len(erased.storage_keys)},
        )  # fmt: skip
        await append(session, event)
    await delete_remains(database, store, mail_folder, erased)
    return None


def run_retention(settings: Settings, arguments: argparse.Namespace) -> int:
    """Sets the retention period, if given, and then lists or erases the learners whose period has expired."""

    async def work(database: Database) -> int:
        async with database.writing() as session:
            provider = await provider_named(session, arguments.provider)
            if provider is None and (arguments.provider or arguments.years):
                return fail("Name the provider with --provider: its UKPRN or its name.")
            if provider is not None and arguments.years:
                provider.retention_years = arguments.years
                provider.settings_version += 1
                event = AuditEvent(
                    provider_id=provider.id,
                    at=clock.now(),
                    action="providerSettingsUpdate",
                    detail={"fields": ["retention_years"]},
                )
                await append(session, event)
            provider_key = provider.id if provider is not None else None
        async with database.snapshot() as session:
            expired = await learners_past_retention(session, clock.today(), provider_key)
        return await _erase_all(database, settings, expired) if arguments.erase else _list(expired)

    return with_database(settings, work)


def _list(expired: list[ExpiredLearner]) -> int:
    for learner in expired:
        print(
            f"{ids.encode('Learner', learner.learner_key)}  {learner.name}: last aim ended {learner.ended_on}, "
            f"retention expired {learner.expired_on}"
        )
    learners = number_of(len(expired), "learner")
    print(f"The retention period has expired for {learners}.{' Erase with --erase.' if expired else ''}")
    return 0


async def _erase_all(database: Database, settings: Settings, expired: list[ExpiredLearner]) -> int:
    store, kept = open_store(settings.files_location), 0
    for learner in expired:
        if roles := await erase_as_operator(database, store, learner.learner_key, settings.mail_folder):
            learner_id = ids.encode("Learner", learner.learner_key)
            print(f"{learner_id} also has other roles ({roles}) and was not erased.", file=sys.stderr)
            kept += 1
    print(f"Erased {number_of(len(expired) - kept, 'learner')}.")
    return 1 if kept else 0
