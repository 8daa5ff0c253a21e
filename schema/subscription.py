"""Subscriptions: current data each time something that the viewer sees has changed."""

from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from resolvers import subscriptions
from schema.field_builders import Info
from schema.types.kpis import Kpis, selected_metrics
from schema.types.learner import Learner
from schema.types.portfolio_change import PortfolioChange
from schema.types.task import TaskCount

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

    @strawberry.subscription(
        description="How many tasks of each kind wait for the viewer: once at the start, then each time one of the "
        "numbers changes, as `Viewer.taskCounts`."
    )
    async def tasks_changed(self, info: Info, take: Take = None) -> AsyncIterator[list[TaskCount]]:
        async for counts in subscriptions.at_most(take, subscriptions.tasks_changed(info.context)):
            yield counts  # type: ignore[misc]  # the rows of TaskCount

    @strawberry.subscription(
        description="Which parts of a learner's portfolio changed, so that a client reads only those again. Without "
        "`learnerId`, of any learner whom the viewer may see. After an interruption it names all parts of all learners."
    )
    async def portfolio_changed(
        self,
        info: Info,
        learner_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this learner.")] = None,
        take: Take = None,
    ) -> AsyncIterator[PortfolioChange]:
        changes = subscriptions.portfolio_changed(info.context, learner_id)
        async for change in subscriptions.at_most(take, changes):
            yield change  # type: ignore[misc]  # the row of PortfolioChange
