"""The root of every read: `node` and `nodes`, and the queries that the modules of schema/types declare."""

from typing import Annotated

import strawberry

from resolvers import node as nodes_
from schema.field_builders import Id, Info
from schema.relay import Node
from schema.root_types import gather


@strawberry.type
class NodeQueries:
    @strawberry.field(description="Any record by its id; null if there is none that the viewer may see.")
    async def node(self, info: Info, id: Id) -> Node | None:
        return await nodes_.by_id(info.context, id)

    @strawberry.field(
        description="Records by their ids, in order; at most 100; null for each that the viewer may not see."
    )
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="The records' ids.")]
    ) -> list[Node | None]:
        return await nodes_.by_ids(info.context, ids)


Query = gather(
    "Query",
    "schema.types",
    "Everything that can be read. What the viewer may not see is absent, as if it did not exist.",
    NodeQueries,
)
