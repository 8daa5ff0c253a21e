"""Removes a lost second factor, or seals all stored secrets with the newest key of the installation."""

import argparse

from auth import second_factor
from auth.auth_sessions import account_by_username
from auth.identity.configured import seal_secrets_again
from auth.seals import Seals
from commands.database_session import fail, with_database
from db.database import Database
from db.models.audit_event import AuditEvent
from db.models.outbox import outbox_mail
from db.models.provider import provider_named
from domain import clock
from services.audit.append import append
from services.mail.code_messages import second_factor_changed
from services.settings import Settings

_REMOVED = "The operator of your Waymark installation removed your second factor, because you could not use it."


def run_remove(settings: Settings, arguments: argparse.Namespace) -> int:
    """Removes a user's second factor: for the last Master Admin, whom nobody else can help."""

    async def work(database: Database) -> int:
        now = clock.now()
        async with database.writing() as session:
            provider = await provider_named(session, arguments.provider)
            if provider is None:
                return fail("--provider: name the training provider, by its UKPRN or its name.")
            account = await account_by_username(session, arguments.username, provider.id)
            if account is None:
                return fail("There is no account with this username, or it is archived.")
            user = account.user
            if not await second_factor.remove(session, user.id):
                return fail("This account has no second factor.")
            mail = second_factor_changed(name=user.name, username=user.username, what=_REMOVED, at=now)
            session.add(outbox_mail(user.provider_id, user.email, mail, now))
            event = AuditEvent(
                provider_id=user.provider_id, at=now, actor_id=user.id, role=None, action="secondFactorReset",
                address="local", request_id=None, subject_type="User", subject_key=user.id,
                detail={"by": "command"},
            )  # fmt: skip
            await append(session, event)
        print("The second factor was removed. The owner is notified by e-mail once the server runs.")
        return 0

    return with_database(settings, work, migrated=True)


def run_seal(settings: Settings, _: argparse.Namespace) -> int:
    """Seals every secret with the newest key."""
    seals = Seals(settings.secret_keys)

    async def work(database: Database) -> int:
        async with database.writing() as session:
            of_users = await second_factor.seal_again(session, seals)
            of_providers = await seal_secrets_again(session, seals)
        sealed, lost = (sum(pair) for pair in zip(of_users, of_providers, strict=True))
        print(f"Sealed with the newest key: {sealed}.")
        if lost:
            return fail(f"{lost} cannot be read with any key of WAYMARK_SECRET_KEYS: add the key that sealed them.")
        return 0

    return with_database(settings, work, migrated=True)
