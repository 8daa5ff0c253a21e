"""`admin` makes the first Master Admin of a real installation, and their provider; everyone else is invited in the graph."""

import argparse
import getpass
import sys
from typing import Any

from auth.auth_sessions import account_by_username
from auth.passwords import hash_password, password_weakness
from commands.database_session import fail, with_database
from db.database import Database
from db.migrate import missing_migrations
from db.models.provider import Provider, provider_named
from db.models.user import RoleGrant, User
from domain import clock
from domain.enums import Role
from services.settings import Settings


def add(commands: Any) -> None:
    """Adds the command."""
    making = commands.add_parser("admin", help="make a Master Admin, and the provider if there is none of that name")
    making.add_argument("--provider", required=True, help="the training provider's name")
    making.add_argument("--ukprn", help="the provider's UKPRN, 8 digits")
    making.add_argument("--name", required=True, help="the person's name")
    making.add_argument("--email", required=True, help="their e-mail, which is the username too")
    making.set_defaults(run=_admin)


def _admin(settings: Settings, asked: argparse.Namespace) -> int:
    if asked.ukprn is not None and not (asked.ukprn.isdecimal() and len(asked.ukprn) == 8):
        return fail("--ukprn: eight digits")
    # Never on the command line, where others can read it.
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if fault := password_weakness(password, asked.email, asked.name):
        return fail(f"Password: {fault}")

    async def work(database: Database) -> int:
        if await missing_migrations(database):
            return fail("The tables are older than this version: run `server.py migrate` first.")
        hashed, now = await hash_password(password), clock.now()
        username = asked.email.strip().lower()
        async with database.writing() as session:
            if await account_by_username(session, username) is not None:
                return fail(f"There is a login named {username} already.")
            provider = await provider_named(session, asked.provider)
            if provider is None:
                provider = Provider(name=asked.provider, ukprn=asked.ukprn, created_at=now)
                session.add(provider)
                await session.flush()
            user = User(
                provider_id=provider.id,
                username=username,
                name=asked.name,
                email=asked.email.strip(),
                password_hash=hashed,
                created_at=now,
            )
            session.add(user)
            await session.flush()
            session.add(RoleGrant(provider_id=provider.id, user_id=user.id, role=Role.MASTER_ADMIN, granted_at=now))
        print(f"{username} can sign in as a Master Admin of {asked.provider}.")
        return 0

    return with_database(settings, work)
