"""Separation of duties in mutations: each rule once, for every mutation that could break it."""

from collections.abc import Collection

from auth.separation_of_duties import conflicting_roles
from auth.viewer import Viewer
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.errors import UserError, user_error
from resolvers.core.labels import listed, role_with_article
from resolvers.core.unit_of_work import UnitOfWork


def not_self(viewer: Viewer, user_key: int, what: str, *field: str) -> tuple[UserError, ...]:
    """Returns NOT_ALLOWED where the user is the viewer. `what` completes "You cannot …"."""
    if user_key != viewer.user_key:
        return ()
    message = f"You cannot {what}, whatever your roles are. Ask a colleague who may do it."
    return (user_error(UserErrorCode.NOT_ALLOWED, message, *field),)


def require_not_self(uow: UnitOfWork, user: User, what: str, *field: str) -> None:
    """Rejects with the error of `not_self`."""
    uow.reject_with(not_self(uow.viewer, user.id, what, *field))


def roles_fit(held: Collection[Role], role: Role, *field: str) -> tuple[UserError, ...]:
    """Returns CONFLICT where a held role excludes this one: staff have no employer role, and vice versa."""
    if conflicting := conflicting_roles(held, role):
        message = (
            f"This person is {listed([role_with_article(each) for each in conflicting])}. Staff of the provider cannot "
            "hold an employer role, and people of an employer no staff role. Choose another person, or have the other "
            "role removed first."
        )
        return (user_error(UserErrorCode.CONFLICT, message, *field),)
    return ()


def check_not_own_record(uow: UnitOfWork, user_key: int, learner_user_keys: Collection[int], *field: str) -> None:
    """Records CONFLICT where a person would be manager, assessor or IQA of their own learner record."""
    if user_key in learner_user_keys:
        message = "This would put the learner in charge of their own record. Choose another person."
        uow.add_error(UserErrorCode.CONFLICT, message, *field)
