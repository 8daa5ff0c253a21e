"""Asks the rules of a record (`resolvers/rules/`) without a database: who the viewer is, and what a rule answers."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, TypeVar

from auth.viewer import Viewer
from db.models.learner import Learner
from db.models.user import User
from domain.enums import Role
from resolvers.core.rules import RecordRules
from tests.support.viewers import viewer

# The keys of the viewer, of another user, and of a learner who is neither.
ME, OTHER, LEARNER = 7, 8, 70

E = TypeVar("E", bound=Enum)


def me(role: Role, own_learner: int | None = None, provider: int = 1) -> Viewer:
    """Returns the viewer in a role. `own_learner`: the key of the viewer's own learner record."""
    user = User(id=ME, provider_id=provider, username="me", name="Me", email="me@example.org", last_login_at=None)
    return viewer(user, role, own_learner and Learner(id=own_learner))


def refused(rules: RecordRules[Any], mutation: str, role: Role | Viewer, state: Any, **facts: Any) -> list[str]:
    """Returns the errors of a rule, each as `CODE REASON field`, the parts of the field joined by dots."""
    who = me(role) if isinstance(role, Role) else role
    errors = rules.errors(mutation, who, state, **facts)
    return [f"{each.code.name} {each.message.reason} {'.'.join(each.field or ())}".rstrip() for each in errors]  # type: ignore[attr-defined]


def each_with(members: Iterable[E], given: Mapping[E, list[str]]) -> dict[E, list[str]]:
    """Returns what is expected for each member of an enum: the errors given, none for all others."""
    return {each: given.get(each, []) for each in members}
