"""Separation of duties in mutations: each rule once, for every mutation that could break it."""

from collections.abc import Collection, Iterable

from auth.separation_of_duties import conflicting_roles, other_role_signed
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.errors import not_allowed
from resolvers.core.labels import listed, role_with_article
from resolvers.core.unit_of_work import UnitOfWork


def require_not_self(uow: UnitOfWork, user: User, what: str, *field: str) -> None:
    """Rejects with NOT_ALLOWED where the user is the viewer. `what` completes "You cannot …"."""
    if user.id == uow.viewer.user_key:
        raise not_allowed(f"You cannot {what}, whatever your roles are. Ask a colleague who may do it.", *field)


def check_roles_fit(uow: UnitOfWork, held: Collection[Role], role: Role, *field: str) -> None:
    """Records CONFLICT where a held role excludes this one: staff have no employer role, and vice versa."""
    if conflicting := conflicting_roles(held, role):
        message = (
            f"This person is {listed([role_with_article(each) for each in conflicting])}. Staff of the provider cannot "
            "hold an employer role, and people of an employer no staff role. Choose another person, or have the other "
            "role removed first."
        )
        uow.add_error(UserErrorCode.CONFLICT, message, *field)


def check_not_own_record(uow: UnitOfWork, user_key: int, learner_user_keys: Collection[int], *field: str) -> None:
    """Records CONFLICT where a person would be manager, assessor or IQA of their own learner record."""
    if user_key in learner_user_keys:
        message = "This would put the learner in charge of their own record. Choose another person."
        uow.add_error(UserErrorCode.CONFLICT, message, *field)


def require_first_signature(uow: UnitOfWork, signed: Iterable[tuple[Role, int | None]], *field: str) -> None:
    """Rejects with NOT_ALLOWED where the viewer has signed the same record in another role.

    `signed` has the role and the signer of each signature on the record; the caller has locked the record.
    """
    other = other_role_signed(signed, uow.viewer.user_key, uow.viewer.role)
    if other is not None:
        raise not_allowed(
            f"You have already signed this as {role_with_article(other)}. One person signs once, so somebody else has "
            f"to sign as {role_with_article(uow.viewer.role)}.",
            *field,
        )
