"""The mutations of the executor's test schema."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.types import Info

if TYPE_CHECKING:
    from tests.schema.executor.executor_schema import Learner

LearnerType = Annotated["Learner", strawberry.lazy("tests.schema.executor.executor_schema")]


@strawberry.type
class Touched:
    learner: LearnerType | None
    number: int


@strawberry.type
class Mutation:
    @strawberry.mutation
    def touch(self) -> int:
        return 1

    @strawberry.mutation
    async def touch_learner(self, info: Info, id: int, number: int = 1) -> Touched:
        info.context.touched.append(id)
        if id < 0:
            raise ValueError("nobody")
        # A number that does not fit its type cannot be completed.
        return Touched(learner=await info.context.learner.load(id), number=number * 10**6)

    @strawberry.mutation
    def refuse(self, info: Info) -> int:
        info.context.touched.append(0)
        raise ValueError("refused")
