"""Separation of duties: what one person may not be at the same time.

`resolvers/core/separation_of_duties.py` applies these rules to mutations, `services/audit/separation_check.py` to the
records of an earlier release.
"""

from collections.abc import Collection, Iterable

from auth.scope import EMPLOYERS, STAFF
from domain.enums import Role

STAFF_ROLES, EMPLOYER_ROLES = frozenset(STAFF), frozenset(EMPLOYERS)


def excluded_by(role: Role) -> frozenset[Role]:
    """Returns the roles that nobody who holds this one can have: staff hold no employer role, and vice versa."""
    if role in STAFF_ROLES:
        return EMPLOYER_ROLES
    return STAFF_ROLES if role in EMPLOYER_ROLES else frozenset()


def conflicting_roles(held: Collection[Role], role: Role) -> list[Role]:
    """Returns the held roles that exclude a further one, in the order of the enum."""
    excluded = excluded_by(role)
    return [each for each in Role if each in held and each in excluded]


def other_role_signed(signed: Iterable[tuple[Role, int | None]], user_key: int, role: Role) -> Role | None:
    """Returns the other role in which a user has already signed the same record; None if there is none."""
    return next((each for each, signer in signed if signer == user_key and each is not role), None)
