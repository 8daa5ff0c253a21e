"""Subscriptions: current data each time something that the viewer sees has changed."""

from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from resolvers import subscriptions
from schema.field_builders import Info
from schema.types.kpis import Kpis, selected_metrics
from schema.types.learner import Learner

Take = Annotated[
    int | None, strawberry.argument(description="End the stream after this number of messages; null for no end.")
]


@strawberry.type(
    description="Live updates. A message comes within a second of the change and shows only what the viewer may see at "
    "that moment. Changes in quick succession come as one message. A stream ends when the login behind it ends."
)
class Subscription:
    @strawberry.subscription(
        description="A learner, each time their progress, actions, sessions or signatures change. Without `id`, any "
        "learner whom the viewer may see."
    )
    async def learner_changed(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this learner.")] = None,
        take: Take = None,
    ) -> AsyncIterator[Learner]:
        async for learner in subscriptions.at_most(take, subscriptions.learners_changed(info.context, id)):
            yield learner  # type: ignore[misc]  # the row of a Learner

    @strawberry.subscription(
        description="The viewer's key performance indicators: once at the start, then each time one of the selected "
        "numbers changes."
    )
    async def kpis_changed(self, info: Info, take: Take = None) -> AsyncIterator[Kpis]:
        changes = subscriptions.kpis_changed(info.context, selected_metrics(info))
        async for kpis in subscriptions.at_most(take, changes):
            yield kpis  # type: ignore[misc]  # the row of Kpis
