"""Separation of duties in mutations: each rule once, for every mutation that could break it."""

from collections.abc import Collection

from auth.separation_of_duties import conflicting_roles
from auth.viewer import Viewer
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from resolvers.core.unit_of_work import UnitOfWork


def not_self(viewer: Viewer, user_key: int, reason: str, *field: str, **parameters: object) -> tuple[UserError, ...]:
    """Returns NOT_ALLOWED with the sentence for this reason where the user is the viewer."""
    if user_key != viewer.user_key:
        return ()
    return (user_error(UserErrorCode.NOT_ALLOWED, say(reason, **parameters), *field),)


def require_not_self(uow: UnitOfWork, user: User, reason: str, *field: str, **parameters: object) -> None:
    """Rejects with the error of `not_self`."""
    uow.reject_with(not_self(uow.viewer, user.id, reason, *field, **parameters))


def roles_fit(held: Collection[Role], role: Role, *field: str) -> tuple[UserError, ...]:
    """Returns CONFLICT where a held role excludes this one: staff have no employer role, and vice versa."""
    if conflicting := conflicting_roles(held, role):
        message = say("ROLES_EXCLUDE_EACH_OTHER", roles=conflicting)
        return (user_error(UserErrorCode.CONFLICT, message, *field),)
    return ()


def check_not_own_record(uow: UnitOfWork, user_key: int, learner_user_keys: Collection[int], *field: str) -> None:
    """Records CONFLICT where a person would be manager, assessor or IQA of their own learner record."""
    if user_key in learner_user_keys:
        message = say("IN_CHARGE_OF_OWN_RECORD")
        uow.add_error(UserErrorCode.CONFLICT, message, *field)
