"""Removes the second factor of a user who has lost it, for a Master Admin."""

from auth import second_factor
from db.models.user import User
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.rules.user import USER, UserState
from services.mail.code_messages import second_factor_changed


@mutation("secondFactorReset")
async def reset(uow: UnitOfWork, *, user_id: str) -> int:
    """Removes a user's second factor, and notifies them by e-mail; a user without one is left as they are.

    Rejects with NOT_FOUND, and NOT_ALLOWED for the viewer's own, which `secondFactorRemove` removes with a code.
    """
    user = await uow.get(User, user_id, "userId")
    uow.authorize()
    uow.require(USER, UserState(user.id), archived=user.archived_at is not None)
    if await second_factor.remove(uow.session, user.id):
        what = "An administrator of your training provider removed your second factor, because you could not use it."
        uow.send_mail(user.email, second_factor_changed(name=user.name, username=user.username, what=what, at=uow.now))
        uow.audit("User", user.id)
    return user.id
