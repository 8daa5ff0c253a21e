"""Adds, lists and removes the identity providers at which people of a training provider sign in."""

import argparse
import getpass
import sys

from sqlalchemy.ext.asyncio import AsyncSession

from auth.auth_sessions import account_by_username
from auth.identity.discovery import discovery_url, parse_metadata
from auth.identity.http import IdentityHttp, IdentityUnavailable, is_safe_url
from auth.identity.links import remove_links
from auth.seals import Seals
from commands.database_session import fail, with_database
from db.database import Database
from db.models.identity_provider import IdentityProvider
from db.models.provider import Provider, provider_named
from domain import clock
from domain.text import clean_line, number_of
from services.identity_providers import (
    IdentityProviderChanged,
    NewIdentityProvider,
    add_identity_provider,
    identity_provider_named,
    listed_identity_providers,
    remove_identity_provider,
)
from services.settings import Settings

_NO_PROVIDER = "--provider: name a training provider of this installation, by its UKPRN or its name."
_NONE = "There is no identity provider of this name. `identity-provider list` shows all."


def run_add(settings: Settings, arguments: argparse.Namespace) -> int:
    """Reads the client secret from the terminal or from standard input, asks the identity provider, and adds it."""
    redirect_uris = tuple(arguments.redirect_uri or [f"{settings.base_url}/kpi/"])
    for name, url in (("--issuer", arguments.issuer), *(("--redirect-uri", each) for each in redirect_uris)):
        if len(url) > 500 or not is_safe_url(url):
            return fail(f"{name}: must be an address that begins with https://")
    secret = None
    if not arguments.public_client:
        # Not an argument: other users of the machine can read those.
        is_typed = sys.stdin.isatty()
        secret = (getpass.getpass("Client secret: ") if is_typed else sys.stdin.readline()).strip()
        if not secret or len(secret) > 500:
            return fail("Client secret: type it, or pass it on standard input. A client without one: --public-client")
    new = NewIdentityProvider(
        name=clean_line(arguments.name), issuer=arguments.issuer, client_id=arguments.client_id, secret=secret,
        redirect_uris=redirect_uris, second_factor_values=tuple(arguments.second_factor or ()),
        trusts_email=arguments.trust_email,
    )  # fmt: skip

    async def work(database: Database) -> int:
        try:
            metadata = parse_metadata(new.issuer, await IdentityHttp().get(discovery_url(new.issuer)))
        except IdentityUnavailable as outage:
            return fail(f"--issuer: its discovery document cannot be used: {outage}")
        async with database.writing() as session:
            provider = await provider_named(session, arguments.provider)
            if provider is None:
                return fail(_NO_PROVIDER)
            try:
                is_new = await add_identity_provider(
                    session, Seals(settings.secret_keys), provider.id, new, metadata, clock.now()
                )
            except IdentityProviderChanged:
                return fail(
                    "The identity provider of this name has another issuer or client, and knows people by other "
                    "subjects. Remove it first: people are linked again by their e-mail address."
                )
        print(f"{'Added' if is_new else 'Changed'}. Redirect addresses to register there: {', '.join(redirect_uris)}")
        return 0

    return with_database(settings, work, migrated=True)


def run_list(settings: Settings, _: argparse.Namespace) -> int:
    """Prints a line for each identity provider. Client secrets are not shown."""

    async def work(database: Database) -> int:
        async with database.writing() as session:
            for provider, row in await listed_identity_providers(session):
                factors = ", ".join(row.second_factor_values) or "none"
                print(f"{provider}: {row.name}, {row.issuer}, client {row.client_id}, second factors: {factors}")
        return 0

    return with_database(settings, work, migrated=True)


def run_remove(settings: Settings, arguments: argparse.Namespace) -> int:
    """Removes an identity provider. Sessions that began there end; the accounts stay."""

    async def work(database: Database) -> int:
        async with database.writing() as session:
            found = await _named(session, arguments)
            if found is None:
                return fail(_NONE)
            removed = await remove_identity_provider(session, found[1], clock.now())
        print(f"Removed, with the links of {number_of(removed, 'person', 'people')}. Their accounts stay.")
        return 0

    return with_database(settings, work, migrated=True)


def run_unlink(settings: Settings, arguments: argparse.Namespace) -> int:
    """Removes the link of one account, for a person who has a new identity there."""

    async def work(database: Database) -> int:
        async with database.writing() as session:
            found = await _named(session, arguments)
            if found is None:
                return fail(_NONE)
            account = await account_by_username(session, arguments.username, found[0].id)
            if account is None or not await remove_links(session, found[1].id, account.user.id):
                return fail("No active account with this username is linked to this identity provider.")
        print("Unlinked. The next sign-in with the verified e-mail address of the account links it again.")
        return 0

    return with_database(settings, work, migrated=True)


async def _named(session: AsyncSession, arguments: argparse.Namespace) -> tuple[Provider, IdentityProvider] | None:
    provider = await provider_named(session, arguments.provider)
    if provider is None:
        return None
    row = await identity_provider_named(session, provider.id, clean_line(arguments.name))
    return None if row is None else (provider, row)
