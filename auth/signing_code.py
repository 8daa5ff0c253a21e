"""Codes by e-mail, which confirm one signature of a user who has no password."""

import datetime as dt
from typing import Any, cast

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.tokens import AccessTokens
from auth.viewer import Viewer
from db.database import Database
from db.models.auth_session import SigningCode

LIFETIME = dt.timedelta(minutes=10)
MAX_CODES = 5
# In which a user, or a link of a guest, gets at most so many codes.
WINDOW = dt.timedelta(hours=1)
_PURPOSE = "signing code"


async def count_recent_codes(session: AsyncSession, user_key: int, now: dt.datetime) -> int:
    """Returns how many codes a user was sent in the last hour. The caller has locked the user."""
    # unscoped: the user is the viewer
    recent = select(func.count()).where(SigningCode.user_id == user_key, SigningCode.issued_at > now - WINDOW)
    return (await session.execute(recent)).scalar_one()


async def store_code(session: AsyncSession, tokens: AccessTokens, viewer: Viewer, code: str, now: dt.datetime) -> None:
    """Stores a new code of 8 digits for the viewer's session. Their earlier codes end."""
    # unscoped: the user is the viewer
    earlier = update(SigningCode).where(SigningCode.user_id == viewer.user_key, SigningCode.used_at.is_(None))
    await session.execute(earlier.values(used_at=now, expires_at=now))
    session.add(
        SigningCode(
            provider_id=viewer.provider_key, user_id=viewer.user_key, sign_in_id=viewer.auth_session_key,
            code_mac=tokens.derive(_PURPOSE, _text(viewer, code)), issued_at=now, expires_at=now + LIFETIME,
        )
    )  # fmt: skip


async def find_code(
    database: Database, tokens: AccessTokens, viewer: Viewer, code: str, now: dt.datetime
) -> int | None:
    """Returns the key of a code of the viewer's session that has not expired, used or not; None for any other."""
    typed = "".join(filter(str.isalnum, code))
    # unscoped: the user is the viewer
    statement = select(SigningCode.id, SigningCode.code_mac).where(
        SigningCode.user_id == viewer.user_key,
        SigningCode.sign_in_id == viewer.auth_session_key,
        SigningCode.expires_at > now,
    )
    rows = await database.rows(statement, primary=True)
    return next((row.id for row in rows if tokens.is_derived(row.code_mac, _PURPOSE, _text(viewer, typed))), None)


async def use_code(session: AsyncSession, key: int, now: dt.datetime) -> bool:
    """Uses up a code, in the transaction of what it confirms. Returns False if it was used before."""
    using = update(SigningCode).where(SigningCode.id == key, SigningCode.used_at.is_(None)).values(used_at=now)
    return cast("CursorResult[Any]", await session.execute(using)).rowcount > 0


def _text(viewer: Viewer, code: str) -> str:
    return f"{viewer.auth_session_key}:{code}"
