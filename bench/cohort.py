"""Cohorts of generated learners, one database each, built once and kept with the bench's PostgreSQL."""

import datetime as dt
import random
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import Select, insert, select

from auth.tokens import AccessTokens
from bench.postgres import SUPERUSER, Postgres
from db.database import Database
from db.migrate import migrate
from db.models.auth_session import AuthSession
from db.models.learner import Learner
from db.models.user import OverviewAllocation, RoleGrant
from domain import clock
from domain.enums import Role
from services.demo.cohort import build_cohort
from services.storage.file_store import open_store


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in Employer Overview and the keys of the learners they see (200, or all of a smaller cohort)."""

    token: str
    user: int
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


async def create_sessions(url: str, keys: dict[str, bytes], limit: int, seed: int = 1) -> list[Viewer]:
    """Signs in up to `limit` random Employer Overviews, by writing their sessions without checking passwords."""
    database, tokens, now = Database(url), AccessTokens(keys), clock.now()
    grants: Select = (
        select(RoleGrant.user_id, RoleGrant.provider_id)
        .where(RoleGrant.role == Role.EMPLOYER_OVERVIEW)
        .order_by(RoleGrant.user_id)
    )
    try:
        found = list(await database.rows(grants))
        viewers = []
        async with database.writing() as session:
            for grant in random.Random(seed).sample(found, min(limit, len(found))):
                new_session = insert(AuthSession).values(
                    provider_id=grant.provider_id, user_id=grant.user_id, role=Role.EMPLOYER_OVERVIEW, started_at=now,
                    expires_at=now + dt.timedelta(days=1),
                )  # fmt: skip
                key = (await session.scalars(new_session.returning(AuthSession.id))).one()
                learners = await session.scalars(
                    select(Learner.id)
                    .join(OverviewAllocation, OverviewAllocation.employer_id == Learner.employer_id)
                    .where(OverviewAllocation.user_id == grant.user_id)
                    .order_by(Learner.id)
                )
                token = tokens.sign(grant.user_id, Role.EMPLOYER_OVERVIEW, key)
                viewers.append(Viewer(token, grant.user_id, tuple(learners)))
        return viewers
    finally:
        await database.close()
