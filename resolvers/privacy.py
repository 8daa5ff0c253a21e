"""Exports a learner's record in full, or erases it."""

import asyncio
from pathlib import Path

import structlog

from db.database import Database
from db.models.learner import Learner
from db.models.user import User
from db.sqlite_file import truncate_log
from domain.enums import UserErrorCode
from domain.sentences import say
from domain.text import clean_line
from repositories.file import referenced_storage_keys
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.rules.learner import LEARNER, LearnerState
from services.mail.mail_folder import erase_mail_files
from services.privacy.erasure import Erased, erase_learner, other_roles
from services.storage.file_store import FileStore, StoreUnavailable

log = structlog.get_logger(__name__)


@mutation("learnerErase")
async def erase(uow: UnitOfWork, *, id: str, confirm_name: str) -> int:
    """Erases a learner, whose name must be repeated to confirm it. Returns the learner's key.

    What remains has no name (`services/privacy/erasure.py`); open aims are withdrawn. Rejects with NOT_FOUND,
    NOT_ALLOWED, INVALID for another name, and CONFLICT while the person holds another role.
    """
    learner = await uow.get(Learner, id, "id")
    uow.authorize()
    if learner.erased_at is not None:
        return learner.id
    user = await uow.session.get_one(User, learner.user_id)
    uow.require(LEARNER, LearnerState.of(learner), other_roles=await other_roles(uow.session, user.id))
    if clean_line(confirm_name) != clean_line(user.name):
        message = say("NAME_NOT_CONFIRMED")
        uow.add_error(UserErrorCode.INVALID, message, "confirmName")
    uow.raise_errors()
    erased = await erase_learner(uow.session, learner, uow.now)
    services = uow.services
    uow.after_commit(lambda: delete_remains(services.database, services.files, services.mail_folder, erased))
    uow.audit("Learner", learner.id, learner_id=learner.id, files=len(erased.storage_keys))
    return learner.id


async def delete_remains(database: Database, store: FileStore, mail_folder: Path | None, erased: Erased) -> None:
    """Deletes what the transaction could not, after its commit: stored files, mail files, SQLite's log.

    Files that remain, because the store is unreachable or the server is killed, are deleted at the next start.
    """
    await _delete_stored_files(database, store, erased.storage_keys)
    if mail_folder is not None:
        try:
            await asyncio.to_thread(erase_mail_files, mail_folder, erased.address, erased.name)
        except OSError as error:
            log.warning("erased_mail_not_deleted", cause=type(error).__name__)
    if not await truncate_log(database.url):
        # The sweeper does it within five minutes.
        log.info("write_ahead_log_not_truncated")


async def _delete_stored_files(database: Database, store: FileStore, storage_keys: list[str]) -> None:
    referenced = set(await referenced_storage_keys(database, storage_keys)) if storage_keys else set()
    try:
        for storage_key in storage_keys:
            if storage_key not in referenced:
                await store.delete(storage_key)
    except (StoreUnavailable, OSError) as error:
        log.warning("erased_files_not_deleted", cause=type(error).__name__, files=len(storage_keys))


@mutation("subjectAccessExport")
async def subject_access(uow: UnitOfWork, *, learner_id: str) -> int:
    """Records that everything about a learner is exported. Returns the learner's key, for the link to the export.

    Rejects with NOT_FOUND and NOT_ALLOWED.
    """
    learner = await uow.get(Learner, learner_id, "learnerId", locked=False)
    uow.require(LEARNER, LearnerState.of(learner))
    uow.audit("Learner", learner.id, learner_id=learner.id)
    return learner.id
