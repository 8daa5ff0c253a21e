"""Employers: sites, and the head offices that they belong to."""

from typing import Annotated, Any, Optional

import strawberry

from loaders.employer import EmployerRow
from resolvers import employer as employers_
from schema.common_arguments import After, First
from schema.connection import Connection
from schema.enums import LearnerOrder
from schema.field_builders import Info, attribute, loaded
from schema.node import Node, node
from schema.types.kpis import Kpis, parts_asked
from schema.types.learner import Learner, LearnerFilter


@node(EmployerRow, "One employer site. A head office and its sites are Employers of their own, tied by parent.")
class Employer(Node):
    name: str = attribute("The employer's name.")
    parent: Optional["Employer"] = loaded(
        "The head office; null if there is none that the viewer may see.",
        "employer",
        by="parent_key",
    )
    sites: list["Employer"] = loaded(
        "Its sites that the viewer may see, by name, at most 1,000; empty for a site.",
        "sites_of_employer",
    )

    @strawberry.field(description="Its own learners that the viewer may see; a head office's are not its sites'.")
    def learners(
        root: EmployerRow,
        info: Info,
        filter: Annotated[LearnerFilter | None, strawberry.argument(description="Which of them.")] = None,
        order_by: Annotated[
            LearnerOrder | None, strawberry.argument(description="In which order.")
        ] = LearnerOrder.NAME_ASC,
        first: First = 20,
        after: After = None,
    ) -> Connection[Learner]:
        asked: dict[str, Any] = vars(filter) if filter else {}
        order = order_by or LearnerOrder.NAME_ASC
        return employers_.learners(info.context, root.key, order, first, after, **asked)  # type: ignore[return-value]

    @strawberry.field(description="Over its own learners that the viewer may see; a head office's are not its sites'.")
    def kpis(root: EmployerRow, info: Info) -> Kpis:
        return info.context.loaders.kpis_of_employer.load((root.key, parts_asked(info)))  # type: ignore[return-value]
