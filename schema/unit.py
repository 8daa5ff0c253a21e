"""Units of one learner's aim."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.unit import UnitRow
from schema.criterion import Criterion
from schema.enums import CriterionFilter
from schema.fields import Info, attribute
from schema.node import Node, node

if TYPE_CHECKING:
    from schema.aim import Aim


@node(UnitRow, "A unit of one learner's aim, so that its id and its progress are that learner's alone.")
class Unit(Node):
    aim: Annotated["Aim", strawberry.lazy("schema.aim")] = attribute("The aim that it belongs to.")
    number: str = attribute("Its number, as the awarding body gives it; not always a whole number.")
    title: str = attribute("Its title.")
    mandatory: bool = attribute("Whether everyone who takes the qualification takes it.")

    @strawberry.field(description="Its criteria in order: with `units`, the progress map (gap analysis).")
    def criteria(
        root: UnitRow,  # noqa: N805
        info: Info,
        filter: Annotated[CriterionFilter | None, strawberry.argument(description="Which of them.")] = CriterionFilter.ALL,
    ) -> list[Criterion]:
        return info.context.loaders.criteria_of_unit(filter or CriterionFilter.ALL).load(root)
