"""The root of every read."""

from typing import Annotated

import strawberry

from resolvers import learner as learners_
from resolvers import node as nodes_
from schema.aim import Aim
from schema.arguments import After, First, Id
from schema.connection import Connection
from schema.enums import LearnerOrder
from schema.fields import Info, selects
from schema.learner import Learner, LearnerFilter
from schema.node import Node
from schema.unit import Unit
from schema.viewer import Viewer


@strawberry.type(description="Everything that can be read. What the viewer may not see is absent, as if it did not exist.")
class Query:
    @strawberry.field(description="Who is signed in.")
    def viewer(self, info: Info) -> Viewer:
        return info.context.signed_in  # type: ignore[return-value]

    @strawberry.field(description="Any record by its id; null if there is none that the viewer may see.")
    async def node(self, info: Info, id: Id) -> Node | None:
        return await nodes_.by_id(info.context, id)

    @strawberry.field(description="Records by their ids, in order; at most 100; null for each that the viewer may not see.")
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="The records' ids.")]
    ) -> list[Node | None]:
        return await nodes_.by_ids(info.context, ids)

    @strawberry.field(description="One learner; null if there is none that the viewer may see.")
    async def learner(self, info: Info, id: Id) -> Learner | None:
        return await nodes_.of_type(info.context, "Learner", id)

    @strawberry.field(description="The learners that the viewer may see.")
    async def learners(
        self,
        info: Info,
        filter: Annotated[LearnerFilter | None, strawberry.argument(description="Which of them.")] = None,
        order_by: Annotated[LearnerOrder, strawberry.argument(description="In which order.")] = LearnerOrder.NAME_ASC,
        first: First = 20,
        after: After = None,
    ) -> Connection[Learner]:
        asked = vars(filter) if filter else {}
        counted = selects(info, "totalCount")
        return await learners_.page(
            info.context, **asked, order_by=order_by, first=first, after=after, counted=counted
        )

    @strawberry.field(description="One aim; null if there is none that the viewer may see.")
    async def aim(self, info: Info, id: Id) -> Aim | None:
        return await nodes_.of_type(info.context, "Aim", id)

    @strawberry.field(description="One learner's unit; null if there is none that the viewer may see.")
    async def unit(self, info: Info, id: Id) -> Unit | None:
        return await nodes_.of_type(info.context, "Unit", id)
