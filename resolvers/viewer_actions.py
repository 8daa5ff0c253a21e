"""What the viewer could do with records now, and why not: the rules of the mutations, for many records at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from auth import policy
from auth.viewer import SetupRequired, Viewer
from domain.enums import UserErrorCode
from domain.errors import BadArgument, UserError, user_error
from loaders.core.registry import Loaders
from resolvers.core.context import Context
from resolvers.core.rules import RecordRules, rules_by_type
from resolvers.core.unit_of_work import MUTATIONS


@dataclass(frozen=True, slots=True)
class ViewerAction:
    """Whether the viewer could run a mutation now; if not, `reasons` are the errors that it would give."""

    mutation: str
    reasons: list[UserError]

    @property
    def allowed(self) -> bool:
        """Returns whether nothing forbids it."""
        return not self.reasons


async def of_records(
    loaders: Loaders, type_name: str, rows: Sequence[Any], mutations: Sequence[str] | None
) -> list[list[ViewerAction]]:
    """Returns the actions on each of the rows of one type; the number of statements does not depend on how many.

    `mutations`: only these. Raises BadArgument for one that does not take such a record.
    """
    rules, viewer = rules_by_type()[type_name], loaders.reading.viewer
    names = _named(rules, mutations)
    needed = {fact for name in names if policy.may(viewer.role, name) for fact in rules.facts_of(name)}
    facts = {fact: await rules.facts[fact](loaders, rows) for fact in sorted(needed)}
    return [
        [
            ViewerAction(name, list(_errors(rules, name, viewer, row, {fact: facts[fact][index] for fact in facts})))
            for name in names
        ]
        for index, row in enumerate(rows)
    ]


def of_viewer(context: Context, mutations: Sequence[str] | None) -> list[ViewerAction]:
    """Returns the actions of the viewer that take no record, also before the first steps are done."""
    viewer, rules = context.viewer_or_raise(), rules_by_type()["Viewer"]
    first: list[UserError] = []
    if viewer.must_complete_setup:
        first = [user_error(UserErrorCode.NOT_ALLOWED, SetupRequired(viewer).args[0])]
    return [
        # Only mutations with a unit of work wait for the first steps.
        ViewerAction(name, first if first and name in MUTATIONS else list(_errors(rules, name, viewer, viewer, {})))
        for name in _named(rules, mutations)
    ]


def _errors(
    rules: RecordRules[Any], mutation: str, viewer: Viewer, row: Any, facts: dict[str, Any]
) -> tuple[UserError, ...]:
    if not policy.may(viewer.role, mutation):
        # The facts were not read.
        return rules.errors(mutation, viewer, rules.state(row))
    needed = {name: facts[name] for name in rules.facts_of(mutation)}
    return rules.errors(mutation, viewer, rules.state(row), **needed)


def _named(rules: RecordRules[Any], mutations: Sequence[str] | None) -> list[str]:
    if mutations is None:
        return rules.mutations
    if not set(mutations) <= set(rules.mutations):
        raise BadArgument("mutations", f"Name mutations of {', '.join(rules.mutations)}.")
    return list(dict.fromkeys(mutations))
