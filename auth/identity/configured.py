"""The identity providers that the operator has configured, and their sealed client secrets."""

from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.identity.http import IdentityUnavailable
from auth.seals import Seals
from db.database import Database
from db.models.identity_provider import IdentityProvider

_log = structlog.get_logger("waymark")
_COLUMNS = (
    IdentityProvider.id, IdentityProvider.provider_id, IdentityProvider.name, IdentityProvider.issuer,
    IdentityProvider.client_id, IdentityProvider.sealed_secret, IdentityProvider.authorization_endpoint,
    IdentityProvider.redirect_uris, IdentityProvider.second_factor_values, IdentityProvider.trusts_email,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConfiguredProvider:
    """One identity provider of one training provider: see `db.models.identity_provider.IdentityProvider`."""

    key: int
    provider_key: int
    name: str
    issuer: str
    client_id: str
    sealed_secret: str | None
    authorization_endpoint: str
    redirect_uris: tuple[str, ...]
    second_factor_values: tuple[str, ...]
    trusts_email: bool


async def configured_providers(database: Database) -> list[ConfiguredProvider]:
    """Returns all identity providers of the installation, by name."""
    # unscoped: strangers choose where they sign in
    rows = await database.rows(select(*_COLUMNS).order_by(IdentityProvider.name, IdentityProvider.id))
    return [_configured(row) for row in rows]


async def configured_provider(database: Database, key: int | None) -> ConfiguredProvider | None:
    """Returns the identity provider with that key; None if there is none."""
    # unscoped: runs before the login
    rows = await database.rows(select(*_COLUMNS).where(IdentityProvider.id == key), primary=True)
    return _configured(rows[0]) if rows else None


def sealed_client_secret(seals: Seals, provider_key: int, name: str, secret: str) -> str:
    """Returns the sealed client secret of an identity provider of a training provider."""
    return seals.seal(secret, _owner(provider_key, name))


def client_secret(seals: Seals, provider: ConfiguredProvider) -> str | None:
    """Returns the client secret; None for a client without one. Raises IdentityUnavailable if no key opens it."""
    if provider.sealed_secret is None:
        return None
    secret = seals.unseal(provider.sealed_secret, _owner(provider.provider_key, provider.name))
    if secret is None:
        _log.error("client_secret_unreadable", identity_provider=provider.key, remedy="add the key that sealed it")
        raise IdentityUnavailable("the client secret cannot be read")
    return secret


async def seal_secrets_again(session: AsyncSession, seals: Seals) -> tuple[int, int]:
    """Seals every client secret with the newest key. Returns how many it has sealed, and how many no key opens."""
    sealed = lost = 0
    # unscoped: a command of the operator
    for provider in await session.scalars(select(IdentityProvider).with_for_update()):
        if provider.sealed_secret is None or seals.is_current(provider.sealed_secret):
            continue
        owner = _owner(provider.provider_id, provider.name)
        secret = seals.unseal(provider.sealed_secret, owner)
        if secret is None:
            lost += 1
        else:
            provider.sealed_secret, sealed = seals.seal(secret, owner), sealed + 1
    return sealed, lost


def _owner(provider_key: int, name: str) -> str:
    return f"client secret of identity provider {name} of {provider_key}"


def _configured(row: Row[Any]) -> ConfiguredProvider:
    return ConfiguredProvider(
        row.id, row.provider_id, row.name, row.issuer, row.client_id, row.sealed_secret, row.authorization_endpoint,
        tuple(row.redirect_uris), tuple(row.second_factor_values), row.trusts_email,
    )  # fmt: skip
