"""The second half of every login: the second factor, the role, and the authentication session."""

from collections.abc import Awaitable, Callable

from auth.auth_sessions import account_by_user
from auth.credentials import count_code
from auth.login_throttle import clear_attempt
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError, reject
from domain.sentences import say
from resolvers.authentication.second_factor import SecondFactorRequired, use_at_login, wrong_code
from resolvers.authentication.tokens import Tokens, start_session
from resolvers.core.context import Context
from resolvers.core.write_transaction import AccountTransaction, account_transaction


async def complete_login(
    context: Context,
    action: str,
    user_key: int,
    *,
    role: Role | None,
    code: str | None,
    needs_code: bool,
    refused: DomainError,
    code_field: str = "code",
    confirm: Callable[[AccountTransaction], Awaitable[None]] | None = None,
    identity_provider_key: int | None = None,
    second_factor_met: bool = False,
) -> Tokens:
    """Starts the session of a user who has proven who they are, and makes them the viewer.

    `needs_code`: whether a second factor is still to be checked. `confirm` runs in the transaction of the login, and
    raises where it cannot continue. `refused` is raised where the account is archived by now. The further arguments are
    those of `start_session`. Rejects with REQUIRED, WRONG_PASSWORD or TOO_MANY_ATTEMPTS for the code, and
    NOT_ALLOWED for a role that the user does not have.
    """
    attempt: list[int] = []
    if needs_code:
        if not (code and code.strip()):
            raise SecondFactorRequired(code_field)
        attempt = await count_code(context.services.database, user_key, "input", code_field)
    async with account_transaction(context, action) as transaction:
        account = await account_by_user(transaction.session, user_key)
        if account is None:
            raise refused
        detail: dict[str, object] = (
            {} if identity_provider_key is None else {"identity_provider": identity_provider_key}
        )
        if needs_code and code:
            kind = await use_at_login(transaction, account.user, code)
            if kind is None:
                raise wrong_code("input", code_field)
            await clear_attempt(transaction.session, attempt)
            detail["second_factor"] = kind
        # After the code: without it, the roles of an account are not revealed.
        chosen = account.role(role)
        if chosen is None:
            raise reject(UserErrorCode.NOT_ALLOWED, say("ROLE_NOT_HELD"), "input", "role")
        if confirm is not None:
            await confirm(transaction)
        account.user.last_login_at = transaction.now
        tokens, claims = await start_session(
            transaction, account.user, chosen, identity_provider_key=identity_provider_key,
            second_factor_met=second_factor_met,
        )  # fmt: skip
        transaction.audit(account.user.provider_id, account.user.id, chosen, **detail)
    await context.set_viewer(claims)
    return tokens
