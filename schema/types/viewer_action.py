"""What the viewer could do with a record now, and why not."""

from collections.abc import Awaitable, Sequence
from typing import Any

from resolvers import viewer_actions as actions
from resolvers.core.rules import rules_by_type
from schema.field_builders import Info, argument, attribute, resolved
from schema.relay import value
from schema.types.user_error import UserError


@value(
    actions.ViewerAction,
    "Whether the viewer could run a mutation on a record now. Its other arguments are not known here: one that is "
    "allowed may still reject what is given to it.",
)
class ViewerAction:
    mutation: str = attribute("The name of the mutation, such as `evidenceSubmit`.")
    allowed: bool = attribute("Whether neither the role nor the state of the record forbids it.")
    reasons: list[UserError] = attribute(
        "The errors that the mutation would give; empty if it is allowed.", list_size=1
    )


_MUTATIONS = argument(list[str], "The names of the mutations to return; all that take such a record by default.")


def viewer_actions(type_name: str) -> Any:
    """The field of the records of a type; the actions on all records of a level are read together."""

    def of_rows(rows: Sequence[Any], info: Info, mutations: list[str] | None) -> Awaitable[Any]:
        return actions.of_records(info.context.loaders, type_name, rows, mutations)

    async def of_row(row: Any, info: Info, mutations: list[str] | None) -> Any:
        [found] = await of_rows([row], info, mutations)
        return found

    return resolved(
        "What the viewer could do with it now, and why not: one entry a mutation that takes it.",
        of_row,
        batch=of_rows,
        # The rules look into the record and its parents.
        other_rows=None,
        list_size=len(rules_by_type()[type_name].mutations),
        mutations=_MUTATIONS,
    )


def actions_without_record() -> Any:
    """The field of the viewer."""
    return resolved(
        "What the viewer could do that takes no record, such as to enrol or to invite, and why not.",
        lambda viewer, info, mutations: actions.of_viewer(info.context, mutations),
        list_size=len(rules_by_type()["Viewer"].mutations),
        mutations=_MUTATIONS,
    )
