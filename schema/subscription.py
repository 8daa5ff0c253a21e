"""Subscriptions: the graph again, when something that the viewer sees has changed."""

from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from resolvers import subscriptions as live
from schema.field_builders import Info
from schema.types.kpis import Kpis, parts_asked
from schema.types.learner import Learner

Take = Annotated[int | None, strawberry.argument(description="End after so many messages; null goes on.")]


@strawberry.type(
    description="What changes, as it changes: within a second of the commit, only what the viewer may see at that moment. "
    "Many changes at once become few messages. A stream ends when its sign-in does."
)
class Subscription:
    @strawberry.subscription(
        description="The learner again, each time their progress, actions, sessions or signatures change; without id, any "
        "learner the viewer can see."
    )
    async def learner_changed(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this learner.")] = None,
        take: Take = None,
    ) -> AsyncIterator[Learner]:
        async for learner in live.at_most(take, live.learners_changed(info.context, id)):
            yield learner

    @strawberry.subscription(
        description="The viewer's KPIs as they are, and again each time one of the numbers changes."
    )
    async def kpis_changed(self, info: Info, take: Take = None) -> AsyncIterator[Kpis]:
        async for kpis in live.at_most(take, live.kpis_changed(info.context, parts_asked(info))):
            yield kpis
