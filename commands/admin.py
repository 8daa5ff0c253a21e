"""`admin` makes the first Master Admin of an installation, with their provider; all others are invited over the API."""

import argparse
import getpass
import sys

from auth.passwords import hash_password, password_weakness_here
from commands.database_session import fail, with_database
from db.database import Database
from db.models.provider import Provider, provider_named
from db.models.user import RoleGrant, User
from domain import clock
from domain.enums import Role
from domain.text import clean_line
from repositories.user import use_of_username
from services.settings import Settings


def run_admin(settings: Settings, arguments: argparse.Namespace) -> int:
    """Reads the password from the terminal or from standard input, and adds the account."""
    if arguments.ukprn is not None and not (arguments.ukprn.isdecimal() and len(arguments.ukprn) == 8):
        return fail("--ukprn: must be 8 digits")
    # Not an argument: other users of the machine can read those.
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if weakness := password_weakness_here(password, arguments.email, arguments.name, provider=arguments.provider):
        return fail(f"Password: {weakness}")

    async def work(database: Database) -> int:
        username, now = clean_line(arguments.email).lower(), clock.now()
        async with database.writing() as session:
            provider = await provider_named(session, arguments.provider)
            use = await use_of_username(session, provider.id if provider else 0, username)
            if use.user_key is not None:
                return fail(f"There is already an account with the username {username}.")
            if provider is None:
                provider = Provider(name=arguments.provider, ukprn=arguments.ukprn, created_at=now)
                session.add(provider)
                await session.flush()
            user = User(
                provider_id=provider.id,
                username=username,
                name=arguments.name,
                email=clean_line(arguments.email),
                password_hash=await hash_password(password, use.password_hash),
                created_at=now,
            )
            session.add(user)
            await session.flush()
            session.add(RoleGrant(provider_id=provider.id, user_id=user.id, role=Role.MASTER_ADMIN, granted_at=now))
        print(f"{username} can sign in as a Master Admin of {arguments.provider}.")
        return 0

    return with_database(settings, work, migrated=True)
