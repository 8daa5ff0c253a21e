"""Cohorts of generated learners, one database each, built once and kept with the bench's PostgreSQL."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import Select, insert, select, update

from auth.tokens import AccessTokens
from bench.postgres import SUPERUSER, Postgres
from db.database import Database
from db.migrate import migrate
from db.models.aim import Aim
from db.models.auth_session import AuthSession
from db.models.evidence import Evidence
from db.models.file import File
from db.models.learner import Learner
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.user import OverviewAllocation, RoleGrant
from domain import clock
from domain.enums import AimStatus, EvidenceStatus, Role, SignatureRequestStatus
from services.demo.cohort import build_cohort
from services.storage.file_store import open_store

# What waits for an employer: a document of each fifth learner, and the returned evidence of each fifth.
_DOCUMENT, _LEARNERS_A_DOCUMENT = "Commitment statement", 5


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in user and the keys of the learners they see: of an employer 200, of an assessor 40."""

    token: str
    user: int
    role: Role
    learners: tuple[int, ...]


async def prepare_cohort(postgres: Postgres, learners: int, files: Path, rebuild: bool = False) -> str:
    """Returns the name of the database with a cohort of that size; builds it if it is missing or incomplete."""
    name = f"cohort_{learners}"
    admin = await asyncpg.connect(user=SUPERUSER, host=str(postgres.sockets), database=SUPERUSER)
    try:
        is_complete = await admin.fetchval(
            "select shobj_description(oid, 'pg_database') = 'complete' from pg_database where datname = $1", name
        )
        if not is_complete or rebuild:
            await admin.execute(f"drop database if exists {name} with (force)")
            await admin.execute(f"create database {name} template template0")
            await _fill(postgres, admin, name, learners, files)
    finally:
        await admin.close()
    database = Database(postgres.url(name))
    try:
        await migrate(database)
        await _add_tasks(database)
    finally:
        await database.close()
    return name


async def _fill(postgres: Postgres, admin: asyncpg.Connection, name: str, learners: int, files: Path) -> None:
    # Disables foreign key checks: the builder writes valid keys, and each check costs as much as a write.
    await admin.execute(f"alter database {name} set session_replication_role = replica")
    database = Database(postgres.url(name))
    try:
        await migrate(database)
        await build_cohort(database, open_store(files), learners=learners, progress=True)
    finally:
        await database.close()
    await admin.execute(f"alter database {name} reset session_replication_role")
    connection = await asyncpg.connect(user=SUPERUSER, host=str(postgres.sockets), database=name)
    # Sets hint bits and the visibility map now, as autovacuum would, so that no measurement pays for it.
    await connection.execute("vacuum (analyze)")
    await connection.close()
    await admin.execute(f"comment on database {name} is 'complete'")


async def create_sessions(
    url: str, keys: dict[str, bytes], limit: int, seed: int = 1,
    roles: Sequence[Role] = (Role.EMPLOYER_OVERVIEW, Role.ASSESSOR),
) -> list[Viewer]:  # fmt: skip
    """Signs in up to `limit` random users of each of the roles, without checking passwords."""
    database, tokens, now = Database(url), AccessTokens(keys), clock.now()
    try:
        viewers = []
        for role in roles:
            grants: Select = (
                select(RoleGrant.user_id, RoleGrant.provider_id)
                .where(RoleGrant.role == role)
                .order_by(RoleGrant.user_id)
            )
            found = list(await database.rows(grants))
            async with database.writing() as session:
                for grant in random.Random(seed).sample(found, min(limit, len(found))):
                    new_session = insert(AuthSession).values(
                        provider_id=grant.provider_id, user_id=grant.user_id, role=role, started_at=now,
                        expires_at=now + dt.timedelta(days=1),
                    )  # fmt: skip
                    key = (await session.scalars(new_session.returning(AuthSession.id))).one()
                    learners = await session.scalars(_learners_of(role, grant.user_id))
                    token = tokens.sign(grant.user_id, role, key)
                    viewers.append(Viewer(token, grant.user_id, role, tuple(learners)))
        return viewers
    finally:
        await database.close()


def _learners_of(role: Role, user: int) -> Select[int]:
    if role is Role.ASSESSOR:
        return select(Aim.learner_id).where(Aim.assessor_id == user).distinct().order_by(Aim.learner_id)
    if role is Role.LEARNER:
        return select(Learner.id).where(Learner.user_id == user)
    if role is not Role.EMPLOYER_OVERVIEW:
        # unscoped: one learner for requests that name one
        return select(Learner.id).order_by(Learner.id).limit(1)
    theirs = OverviewAllocation.employer_id == Learner.employer_id
    return (
        select(Learner.id)
        .join(OverviewAllocation, theirs)
        .where(OverviewAllocation.user_id == user)
        .order_by(Learner.id)
    )


async def _add_tasks(database: Database) -> None:
    """Gives the Employer Overviews what a cohort lacks: documents to sign, and returned evidence of their own."""
    async with database.writing() as session:
        # unscoped: the bench reads every learner
        found = (
            select(Learner, Aim.assessor_id, OverviewAllocation.user_id)
            .join(Aim, Aim.learner_id == Learner.id)
            .join(OverviewAllocation, OverviewAllocation.employer_id == Learner.employer_id)
            .where(Aim.status == AimStatus.IN_TRAINING, Aim.assessor_id.is_not(None))
            .distinct(Learner.id)
            .order_by(Learner.id, Aim.id)
        )
        people = (await session.execute(found)).all()
        if await session.scalar(select(SignatureRequest.id).where(SignatureRequest.title == _DOCUMENT).limit(1)):
            return
        for number, (learner, assessor, overview) in enumerate(people):
            owner = {"provider_id": learner.provider_id, "learner_id": learner.id}
            if number % _LEARNERS_A_DOCUMENT == 0:
                file = (await session.scalars(select(File).where(File.learner_id == learner.id).limit(1))).one()
                requested = clock.now() - dt.timedelta(days=number % 20, minutes=number)
                document = SignatureRequest(
                    title=_DOCUMENT, file_id=file.id, document_sha256=file.sha256, requested_by_id=assessor,
                    status=SignatureRequestStatus.PENDING, requested_at=requested, **owner,
                )  # fmt: skip
                session.add(document)
                await session.flush()
                for role in (Role.EMPLOYER_OVERVIEW, Role.LEARNER):
                    session.add(SignatureSlot(request_id=document.id, role=role, **owner))
            elif number % _LEARNERS_A_DOCUMENT == 1:
                returned = Evidence.learner_id == learner.id, Evidence.status == EvidenceStatus.RETURNED
                await session.execute(update(Evidence).where(*returned).values(submitted_by_id=overview))
