"""Access keys: their secrets, and the viewer that a request with one acts as."""

import base64
import binascii
import datetime as dt
import hashlib
import secrets

from sqlalchemy import or_, update

from auth.viewer import NotSignedIn, Viewer, read_viewer_of_key
from db.database import Database
from db.models.access_key import AccessKey
from domain import clock

# Begins every secret, so that a person, or a scanner of leaked secrets, knows what it is.
PREFIX = "wmk_"
# A use is noted at most so often.
_NOTED_EVERY = dt.timedelta(minutes=5)


def new_secret() -> str:
    """Returns the secret of a new key, with 256 bits of randomness."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Returns what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def secret_in(header: str) -> str | None:
    """Returns the secret in an Authorization header: a bearer token, or a password of Basic; None if it has none."""
    scheme, _, given = header.partition(" ")
    given = given.strip()
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
    elif scheme.lower() != "bearer":
        return None
    return given if given.startswith(PREFIX) else None


async def authenticate_key(database: Database, secret: str) -> Viewer:
    """Returns the viewer of a key. Raises NotSignedIn for one that is unknown, revoked or expired.

    A key also ends with the account and with the role that it was made in.
    """
    viewer, last_used_at = await read_viewer_of_key(database, digest(secret))
    now = clock.now()
    if viewer.access_key is None:
        raise NotSignedIn
    if last_used_at is None or last_used_at < now - _NOTED_EVERY:
        stale = or_(AccessKey.last_used_at.is_(None), AccessKey.last_used_at < now - _NOTED_EVERY)
        async with database.writing() as session:
            using = update(AccessKey).where(AccessKey.id == viewer.access_key.key, stale).values(last_used_at=now)
            await session.execute(using)
    return viewer
