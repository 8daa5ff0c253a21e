"""The type Query: `node` and `nodes`, and the queries that the modules of schema/types declare."""

from typing import Annotated

import strawberry

from resolvers import node as nodes
from schema.field_builders import Id, resolved
from schema.relay import Node
from schema.root_types import gather


@strawberry.type
class NodeQueries:
    node: Node | None = resolved(
        "The record with this id; null if it does not exist or the viewer may not see it.",
        lambda root, info, id: nodes.by_id(info.context, id),
        id=Id,
    )
    nodes: list[Node | None] = resolved(
        "The records with these ids, in the same order, at most 100; null for each that does not exist or that the "
        "viewer may not see.",
        lambda root, info, ids: nodes.by_ids(info.context, ids),
        ids=Annotated[list[strawberry.ID], strawberry.argument(description="The ids of the records.")],
    )


Query = gather(
    "Query",
    "schema.types",
    "All queries. What the viewer may not see is absent, as if it did not exist.",
    NodeQueries,
)
