"""Privacy: everything about one learner to hand out, and a learner erased."""

from typing import TypedDict

import structlog

from db.database import Database
from db.models.learner import Learner
from db.models.user import User
from domain.enums import UserErrorCode
from repositories.file import known_files
from resolvers import signed_urls as link
from resolvers.core.context import Context
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.exports.labels import ROLE
from resolvers.signed_urls import Download
from services.privacy.erasure import erase_learner, other_roles
from services.storage.file_store import FileStore, StoreUnavailable

log = structlog.get_logger(__name__)


class _Erased(TypedDict):
    key: int
    storage_keys: list[str]


async def erase(context: Context, *, id: str, confirm_name: str) -> int:
    """Erases a learner, once the name has been written out as it stands; gives their key.

    What is kept carries no name (`services/privacy/erasure.py`). Aims that still run are withdrawn. Refuses with NOT_FOUND,
    NOT_ALLOWED, INVALID for another name, CONFLICT while the person holds another role.
    """
    erased = await _erase(context, id=id, confirm_name=confirm_name)
    await drop_bytes(context.services.database, context.services.files, erased["storage_keys"])
    return erased["key"]


@mutation("learnerErase")
async def _erase(uow: UnitOfWork, *, id: str, confirm_name: str) -> _Erased:
    learner = await uow.get(Learner, id, "id")
    uow.authorize()
    if learner.erased_at is not None:
        return {"key": learner.id, "storage_keys": []}
    user = await uow.session.get_one(User, learner.user_id)
    if " ".join(confirm_name.split()) != user.name:
        message = "Write the learner's name as it stands in their record, to be sure that it is them."
        uow.add_error(UserErrorCode.INVALID, message, "confirmName")
    if held := await other_roles(uow.session, user.id):
        named = ", ".join(ROLE[role] for role in held)
        uow.add_error(UserErrorCode.CONFLICT, f"This person is {named} as well. Revoke those roles first.", "id")
    uow.raise_errors()
    storage_keys = await erase_learner(uow.session, learner, uow.now)
    uow.audit("Learner", learner.id, learner_id=learner.id, files=len(storage_keys))
    return {"key": learner.id, "storage_keys": storage_keys}


async def drop_bytes(database: Database, store: FileStore, storage_keys: list[str]) -> None:
    """Removes the bytes that no record names any more, after the commit.

    What a store that is away keeps, or a killed server, is taken by the sweep at the next start.
    """
    named = set(await known_files(database, storage_keys)) if storage_keys else set()
    try:
        for storage_key in storage_keys:
            if storage_key not in named:
                await store.delete(storage_key)
    except (StoreUnavailable, OSError) as error:
        log.warning("erased_files_remain", cause=type(error).__name__, files=len(storage_keys))


async def subject_access(context: Context, *, learner_id: str) -> Download:
    """A link to everything about one learner as a ZIP, made when it is opened; the trail says that it was asked for.

    Refuses with NOT_FOUND, NOT_ALLOWED.
    """
    return link.to_subject_access(context, await _ask(context, learner_id=learner_id))


@mutation("subjectAccessExport")
async def _ask(uow: UnitOfWork, *, learner_id: str) -> int:
    learner = await uow.get(Learner, learner_id, "learnerId", locked=False)
    uow.authorize()
    uow.audit("Learner", learner.id, learner_id=learner.id)
    return learner.id
