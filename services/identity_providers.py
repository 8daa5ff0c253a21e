"""The operator adds, lists and removes identity providers."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.identity.configured import sealed_client_secret
from auth.identity.discovery import Metadata
from auth.identity.links import remove_links
from auth.seals import Seals
from db.models.auth_session import AuthSession
from db.models.identity_provider import IdentityProvider
from db.models.provider import Provider


@dataclass(frozen=True, slots=True)
class NewIdentityProvider:
    """What the operator says of an identity provider, as in `db.models.identity_provider.IdentityProvider`."""

    name: str
    issuer: str
    client_id: str
    secret: str | None
    redirect_uris: tuple[str, ...]
    second_factor_values: tuple[str, ...]
    trusts_email: bool


class IdentityProviderChanged(Exception):
    """An identity provider of this name has another issuer or client: its links are about other people."""


async def add_identity_provider(
    session: AsyncSession, seals: Seals, provider_key: int, new: NewIdentityProvider, metadata: Metadata,
    now: dt.datetime,
) -> bool:  # fmt: skip
    """Adds an identity provider to a training provider, or changes the one of that name. Returns whether it is new.

    Raises IdentityProviderChanged where the one of that name has another issuer or client.
    """
    found = await identity_provider_named(session, provider_key, new.name)
    if found is not None and (found.issuer, found.client_id) != (new.issuer, new.client_id):
        raise IdentityProviderChanged
    sealed = None if new.secret is None else sealed_client_secret(seals, provider_key, new.name, new.secret)
    row = found or IdentityProvider(
        provider_id=provider_key, name=new.name, issuer=new.issuer, client_id=new.client_id, created_at=now
    )
    row.sealed_secret = sealed
    row.authorization_endpoint = metadata.authorization_endpoint
    row.redirect_uris, row.second_factor_values = list(new.redirect_uris), list(new.second_factor_values)
    row.trusts_email = new.trusts_email
    session.add(row)
    await session.flush()
    return found is None


async def identity_provider_named(session: AsyncSession, provider_key: int, name: str) -> IdentityProvider | None:
    """Returns the identity provider of a training provider with that name."""
    # unscoped: a command of the operator
    statement = select(IdentityProvider).where(
        IdentityProvider.provider_id == provider_key, IdentityProvider.name == name
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def remove_identity_provider(session: AsyncSession, row: IdentityProvider, now: dt.datetime) -> int:
    """Removes an identity provider with its links, and ends the sessions that began there. Returns how many links."""
    removed = await remove_links(session, row.id)
    ending = update(AuthSession).where(AuthSession.identity_provider_id == row.id, AuthSession.ended_at.is_(None))
    await session.execute(ending.values(ended_at=now, end_reason="identity provider removed"))
    await session.delete(row)
    return removed


async def listed_identity_providers(session: AsyncSession) -> Sequence[tuple[str, IdentityProvider]]:
    """Returns the identity providers of the installation, each with the name of its training provider."""
    # unscoped: a command of the operator
    statement = select(Provider.name, IdentityProvider).join(Provider, Provider.id == IdentityProvider.provider_id)
    return [
        (name, row) for name, row in await session.execute(statement.order_by(Provider.name, IdentityProvider.name))
    ]
