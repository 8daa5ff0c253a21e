"""Cohorts of made-up learners, one database each, made once and kept with the bench's PostgreSQL."""

import datetime as dt
import random
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import insert, select

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
    """An Employer Overview who is signed in, and the learners whom they see (200, unless the cohort is smaller)."""

    token: str
    user: int
    learners: tuple[int, ...]


async def cohort(postgres: Postgres, learners: int, files: Path, afresh: bool = False) -> str:
    """The name of the database that holds a cohort of that many, made if it is not there whole."""
    name = f"cohort_{learners}"
    admin = await asyncpg.connect(user=SUPERUSER, host=str(postgres.sockets), database=SUPERUSER)
    try:
        whole = await admin.fetchval(
            "select shobj_description(oid, 'pg_database') = 'whole' from pg_database where datname = $1", name
        )
        if not whole or afresh:
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
    # The keys are right by construction; checking each costs as much as writing it.
    await admin.execute(f"alter database {name} set session_replication_role = replica")
    database = Database(postgres.url(name))
    try:
        await migrate(database)
        await build_cohort(database, open_store(files), learners=learners, progress=True)
    finally:
        await database.close()
    await admin.execute(f"alter database {name} reset session_replication_role")
    connection = await asyncpg.connect(user=SUPERUSER, host=str(postgres.sockets), database=name)
    # What autovacuum would do in its own time: hint bits and the visibility map, so that no run does it for another.
    await connection.execute("vacuum (analyze)")
    await connection.close()
    await admin.execute(f"comment on database {name} is 'whole'")


async def sign_in(url: str, keys: dict[str, bytes], most: int, seed: int = 1) -> list[Viewer]:
    """Signs up to `most` employers' people in, chosen at random, without the price of their passwords."""
    database, tokens, now = Database(url), AccessTokens(keys), clock.now()
    try:
        found = await database.rows(
            select(RoleGrant.user_id, RoleGrant.provider_id)
            .where(RoleGrant.role == Role.EMPLOYER_OVERVIEW)
            .order_by(RoleGrant.user_id)
        )
        chosen = random.Random(seed).sample(list(found), min(most, len(found)))
        viewers = []
        async with database.writing() as session:
            for user, provider in chosen:
                key = await session.scalar(
                    insert(AuthSession)
                    .values(
                        provider_id=provider, user_id=user, role=Role.EMPLOYER_OVERVIEW, started_at=now,
                        expires_at=now + dt.timedelta(days=1),
                    )
                    .returning(AuthSession.id)
                )  # fmt: skip
                theirs = await session.scalars(
                    select(Learner.id)
                    .join(OverviewAllocation, OverviewAllocation.employer_id == Learner.employer_id)
                    .where(OverviewAllocation.user_id == user)
                    .order_by(Learner.id)
                )
                viewers.append(Viewer(tokens.sign(user, Role.EMPLOYER_OVERVIEW, key), user, tuple(theirs)))
        return viewers
    finally:
        await database.close()
