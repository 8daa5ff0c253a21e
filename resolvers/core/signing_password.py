"""The password that every signature requires: an access token alone cannot sign, and a wrong password is audited."""

from auth.credentials import verify_viewer_password
from domain.enums import UserErrorCode
from domain.errors import reject
from resolvers.core.context import Context
from resolvers.core.write_transaction import account_transaction


async def require_signing_password(context: Context, password: str, mutation: str, *field: str) -> None:
    """Rejects with WRONG_PASSWORD or TOO_MANY_ATTEMPTS at `field` unless it is the viewer's own password."""
    viewer = context.require_active_viewer()
    if await verify_viewer_password(context.services.database, viewer, password, *field):
        return
    async with account_transaction(context, "signingRefused") as transaction:
        transaction.audit(viewer.provider_key, viewer.user_key, viewer.role, mutation=mutation)
    raise reject(
        UserErrorCode.WRONG_PASSWORD,
        "This is not your password, so nothing was signed. Type the password that you sign in with.",
        *field,
    )
