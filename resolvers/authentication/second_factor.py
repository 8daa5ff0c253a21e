"""The viewer's second factor: an authenticator app, set up with the password and confirmed with a code."""

from dataclasses import dataclass, replace

from auth import second_factor
from auth.auth_sessions import account_by_user
from auth.credentials import count_code
from auth.login_throttle import clear_attempt
from auth.totp import enrolment_uri
from auth.viewer import NotSignedIn
from db.models.second_factor import SecondFactor
from db.models.user import User
from domain.enums import UserErrorCode
from domain.errors import DomainError, UserError, reject
from domain.sentences import say
from resolvers.core.context import Context
from resolvers.core.signing_password import confirm_viewer
from resolvers.core.write_transaction import AccountTransaction, account_transaction
from resolvers.rules.viewer import HAS_SECOND_FACTOR, NOTHING_TO_CONFIRM, VIEWER
from services.mail.code_messages import second_factor_changed


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a user gets once: the URI for the app, then, when it is confirmed, the recovery codes."""

    uri: str | None = None
    recovery_codes: tuple[str, ...] = ()


class SecondFactorRequired(DomainError):
    """The password was right, and a code is needed too."""

    def __init__(self, field: str = "code") -> None:
        message = say("SECOND_FACTOR_CODE_MISSING")
        super().__init__(UserError(UserErrorCode.REQUIRED, ("input", field), message))


def wrong_code(*field: str) -> DomainError:
    """Returns the one error for a code that is wrong, expired or used."""
    message = say("SECOND_FACTOR_CODE_WRONG")
    return reject(UserErrorCode.WRONG_PASSWORD, message, *field)


async def enrol(context: Context, *, password: str) -> Enrolment:
    """Begins a new second factor and returns its URI. Nothing is protected by it before `confirm`.

    Rejects with WRONG_PASSWORD, TOO_MANY_ATTEMPTS, and CONFLICT where the viewer has one.
    """
    viewer, services = context.viewer_or_raise(), context.services
    confirmed = await confirm_viewer(context, password, "password")
    if confirmed is None:
        raise _not_confirmed()
    async with account_transaction(context, "secondFactorEnrol") as transaction:
        user, factor = await _of_viewer(transaction)
        if confirmed.use is not None and not await confirmed.use(transaction.session):
            raise _not_confirmed()
        if factor is not None and factor.confirmed_at is not None:
            raise DomainError(HAS_SECOND_FACTOR)
        secret = await second_factor.begin(transaction.session, services.tokens.seals, user, transaction.now)
        transaction.audit(user.provider_id, user.id, viewer.role)
    context.viewer = replace(viewer, has_begun_second_factor=True)
    return Enrolment(uri=enrolment_uri(secret, user.username))


async def confirm(context: Context, *, code: str) -> Enrolment:
    """Confirms the second factor with a code of the app, and returns the recovery codes.

    Rejects with WRONG_PASSWORD, TOO_MANY_ATTEMPTS, and CONFLICT where none was begun or it is confirmed already.
    """
    viewer = context.viewer_or_raise()
    attempt = await count_code(context.services.database, viewer.user_key, "code")
    async with account_transaction(context, "secondFactorConfirm") as transaction:
        user, factor = await _of_viewer(transaction)
        if factor is None or factor.confirmed_at is not None:
            await clear_attempt(transaction.session, attempt)
            codes = None
        else:
            seals = context.services.tokens.seals
            if await second_factor.use_code(transaction.session, seals, factor, code, transaction.now) is None:
                raise wrong_code("code")
            await clear_attempt(transaction.session, attempt)
            codes = await second_factor.confirm(transaction.session, factor, transaction.now)
            _tell(transaction, user, "A second factor was set up: signing in needs a code of your authenticator app.")
            transaction.audit(user.provider_id, user.id, viewer.role)
    if codes is None:
        raise DomainError(NOTHING_TO_CONFIRM)
    await context.reload_viewer()
    return Enrolment(recovery_codes=tuple(codes))


async def remove(context: Context, *, code: str) -> None:
    """Removes the viewer's second factor with a code of it.

    Rejects with CONFLICT where there is none, WRONG_PASSWORD and TOO_MANY_ATTEMPTS.
    """
    viewer = context.viewer_or_raise()
    if refused := VIEWER.errors("secondFactorRemove", viewer, viewer):
        raise DomainError(*refused)
    attempt = await count_code(context.services.database, viewer.user_key, "code")
    async with account_transaction(context, "secondFactorRemove") as transaction:
        user, factor = await _of_viewer(transaction)
        if await use_confirmed_code(transaction, factor, code) is None:
            raise wrong_code("code")
        await clear_attempt(transaction.session, attempt)
        await second_factor.remove(transaction.session, user.id)
        _tell(transaction, user, "Your second factor was removed: signing in needs your password only.")
        transaction.audit(user.provider_id, user.id, viewer.role)
    await context.reload_viewer()


async def use_at_login(transaction: AccountTransaction, user: User, code: str) -> str | None:
    """Uses up a code at a login. Returns which kind it was; None if it is wrong. Mails the use of a recovery code."""
    factor = await second_factor.second_factor_of(transaction.session, user.id)
    kind = await use_confirmed_code(transaction, factor, code)
    if kind == second_factor.RECOVERY:
        left = await second_factor.recovery_codes_left(transaction.session, user.id)
        _tell(transaction, user, f"A recovery code was used to sign in. You have {left} left.")
    return kind


async def use_confirmed_code(transaction: AccountTransaction, factor: SecondFactor | None, code: str) -> str | None:
    """Uses up a code of a confirmed factor. Returns which kind it was; None if it is wrong or there is no factor."""
    if factor is None or factor.confirmed_at is None:
        return None
    seals = transaction.services.tokens.seals
    return await second_factor.use_code(transaction.session, seals, factor, code, transaction.now)


def _not_confirmed() -> DomainError:
    message = say("SECOND_FACTOR_NOT_CONFIRMED")
    return reject(UserErrorCode.WRONG_PASSWORD, message, "password")


def _tell(transaction: AccountTransaction, user: User, what: str) -> None:
    transaction.send_mail(
        user, second_factor_changed(name=user.name, username=user.username, what=what, at=transaction.now)
    )


async def _of_viewer(transaction: AccountTransaction) -> tuple[User, SecondFactor | None]:
    """Returns the viewer's user, locked, and their second factor."""
    account = await account_by_user(transaction.session, transaction.context.viewer_or_raise().user_key)
    if account is None:
        raise NotSignedIn
    return account.user, await second_factor.second_factor_of(transaction.session, account.user.id)
