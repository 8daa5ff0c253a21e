"""Checks and uses up the codes of a user's second factor: of the authenticator app, or recovery codes."""

import base64
import datetime as dt
import secrets
from typing import Any, cast

import structlog
from sqlalchemy import CursorResult, Update, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.login_throttle import Allowance
from auth.seals import Seals
from auth.tokens import digest
from auth.totp import matching_step, new_totp_secret
from db.database import Database
from db.models.second_factor import RecoveryCode, SecondFactor
from db.models.user import User

RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
AUTHENTICATOR, RECOVERY = "authenticator", "recovery code"

_log = structlog.get_logger("waymark")


def code_allowance(user_key: int) -> Allowance:
    """The allowance of wrong codes of an account. Only who knows the password, or is signed in, can use it up."""
    return Allowance(f"second-factor:{user_key}")


async def second_factor_of(session: AsyncSession, user_key: int) -> SecondFactor | None:
    """Returns a user's second factor, also one that is not confirmed yet. The caller has locked the user."""
    statement = select(SecondFactor).where(SecondFactor.user_id == user_key)
    return (await session.execute(statement)).scalar_one_or_none()


async def begin(session: AsyncSession, seals: Seals, user: User, now: dt.datetime) -> str:
    """Replaces what the user began before, and returns the secret of a new factor that is not confirmed yet."""
    await remove(session, user.id)
    secret = new_totp_secret()
    session.add(
        SecondFactor(
            provider_id=user.provider_id, user_id=user.id, sealed_secret=seals.seal(secret, _owner(user.id)),
            started_at=now,
        )
    )  # fmt: skip
    return secret


async def confirm(session: AsyncSession, factor: SecondFactor, now: dt.datetime) -> list[str]:
    """Makes a factor protect the account. Returns the new recovery codes, of which only the hashes are stored."""
    factor.confirmed_at = now
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
    rows = [
        {"provider_id": factor.provider_id, "user_id": factor.user_id, "code_sha256": _hashed(factor.user_id, code)}
        for code in codes
    ]
    # In one statement.
    await session.execute(insert(RecoveryCode).values(rows))
    return codes


async def remove(session: AsyncSession, user_key: int) -> bool:
    """Deletes a user's second factor and recovery codes. Returns whether there was a confirmed one."""
    # unscoped: the user is the viewer, or was read within the viewer's scope
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_key))
    factor = await second_factor_of(session, user_key)
    if factor is None:
        return False
    await session.delete(factor)
    await session.flush()
    return factor.confirmed_at is not None


async def use_code(
    session: AsyncSession, seals: Seals, factor: SecondFactor, code: str, now: dt.datetime
) -> str | None:
    """Uses up a code. Returns which kind it was; None if it is wrong, expired or was used before."""
    typed = "".join(filter(str.isalnum, code)).upper()
    if len(typed) == 6 and typed.isdecimal() and typed.isascii():
        return AUTHENTICATOR if await _use_authenticator_code(session, seals, factor, typed, now) else None
    using = update(RecoveryCode).where(
        RecoveryCode.user_id == factor.user_id,
        RecoveryCode.code_sha256 == _hashed(factor.user_id, typed),
        RecoveryCode.used_at.is_(None),
    )
    return RECOVERY if await _changes_a_row(session, using.values(used_at=now)) else None


async def find_authenticator_step(
    database: Database, seals: Seals, user_key: int, code: str, now: dt.datetime
) -> int | None:
    """Returns the step whose code this is of a user's confirmed factor, used or not; None for a wrong code."""
    typed = "".join(filter(str.isalnum, code))
    # unscoped: the user is the viewer
    statement = select(SecondFactor.sealed_secret).where(
        SecondFactor.user_id == user_key, SecondFactor.confirmed_at.is_not(None)
    )
    rows = await database.rows(statement, primary=True)
    secret = _unsealed(seals, user_key, rows[0].sealed_secret) if rows else None
    return None if secret is None else matching_step(secret, typed, now)


async def use_authenticator_step(session: AsyncSession, user_key: int, step: int) -> bool:
    """Uses up the code of a step. Returns False if it, or a later one, was used before."""
    # unscoped: the user is the viewer, or signs in
    using = update(SecondFactor).where(
        SecondFactor.user_id == user_key, or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < step)
    )
    return await _changes_a_row(session, using.values(last_step=step))


async def recovery_codes_left(session: AsyncSession, user_key: int) -> int:
    """Returns how many of a user's recovery codes have not been used."""
    unused = select(func.count()).where(RecoveryCode.user_id == user_key, RecoveryCode.used_at.is_(None))
    return (await session.execute(unused)).scalar_one()


async def seal_again(session: AsyncSession, seals: Seals) -> tuple[int, int]:
    """Seals every secret with the newest key. Returns how many it has sealed, and how many no key opens."""
    sealed = lost = 0
    # unscoped: a command of the operator
    for factor in await session.scalars(select(SecondFactor).with_for_update()):
        if seals.is_current(factor.sealed_secret):
            continue
        secret = seals.unseal(factor.sealed_secret, _owner(factor.user_id))
        if secret is None:
            lost += 1
        else:
            factor.sealed_secret, sealed = seals.seal(secret, _owner(factor.user_id)), sealed + 1
    return sealed, lost


async def _use_authenticator_code(
    session: AsyncSession, seals: Seals, factor: SecondFactor, code: str, now: dt.datetime
) -> bool:
    secret = _unsealed(seals, factor.user_id, factor.sealed_secret)
    step = None if secret is None else matching_step(secret, code, now)
    if secret is None or step is None:
        return False
    if not seals.is_current(factor.sealed_secret):
        factor.sealed_secret = seals.seal(secret, _owner(factor.user_id))
    return await use_authenticator_step(session, factor.user_id, step)


def _unsealed(seals: Seals, user_key: int, sealed: str) -> str | None:
    secret = seals.unseal(sealed, _owner(user_key))
    if secret is None:
        _log.error("second_factor_unreadable", user=user_key, remedy="add the key that sealed it, or remove it")
    return secret


def _owner(user_key: int) -> str:
    return f"second factor of user {user_key}"


def _new_recovery_code() -> str:
    """Returns 80 random bits as four groups of letters and digits, such as ABCD-EFGH-2345-6723."""
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _hashed(user_key: int, code: str) -> str:
    return digest(f"recovery code of {user_key}: {code.replace('-', '')}")


async def _changes_a_row(session: AsyncSession, statement: Update) -> bool:
    return cast("CursorResult[Any]", await session.execute(statement)).rowcount > 0
