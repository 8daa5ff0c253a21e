"""Records that a user has accepted the provider's disclaimer, which they must do before anything else."""

from auth.auth_sessions import account_by_user
from db.models.provider import Provider
from resolvers.core.context import Context
from resolvers.core.write_transaction import account_transaction


async def accept(context: Context) -> None:
    """Records that the viewer has accepted the current disclaimer."""
    viewer = context.viewer_or_raise()
    async with account_transaction(context, "disclaimerAccept") as transaction:
        account = await account_by_user(transaction.session, viewer.user_key)
        provider = await transaction.session.get_one(Provider, viewer.provider_key)
        version = provider.disclaimer_version
        if account is not None and account.user.disclaimer_accepted < version:
            account.user.disclaimer_accepted, account.user.disclaimer_accepted_at = version, transaction.now
            transaction.audit(viewer.provider_key, viewer.user_key, viewer.role, version=version)
    await context.reload_viewer()
