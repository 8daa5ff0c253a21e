"""The compiled executor: query operations run as generated Python; what goes wrong is answered by the generic one.

The design is in docs/decisions/0004-query-operations-are-compiled.md.
"""

from typing import ClassVar

from graphql.execution import ExecutionResult
from graphql.pyutils import AwaitableOrValue
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as GenericExecutor

from schema.executor.compiler import compile_operation
from schema.executor.outcomes import Counters
from schema.executor.plans import PlanCache
from schema.executor.run import Execution, FieldBatch

__all__ = ["CompiledExecutor", "Counters", "executor_class"]


class CompiledExecutor(GenericExecutor):
    """Executes one operation. Made by `executor_class`: plans and counters belong to the class."""

    plans: ClassVar[PlanCache]

    @classmethod
    def counters(cls) -> Counters:
        """How often each path was taken."""
        return cls.plans.counters

    def execute_operation(self, serially: bool | None = None) -> AwaitableOrValue[ExecutionResult]:
        """The answer, from the operation's plan where it has one and that succeeds, else from the generic executor."""
        plan = self.plans.plan_for(self)
        if plan is None:
            return super().execute_operation(serially)
        execution, data, batches = Execution(plan, self), {}, []
        try:
            data, batches = execution.begin()
        except Exception:
            execution.failed = True
        if execution.batches:
            return self._wait(execution, data, batches, serially)
        return self._again(execution, serially) if execution.failed else self._answer(execution, data)

    async def _wait(
        self, execution: Execution, data: dict, batches: list[FieldBatch], serially: bool | None
    ) -> ExecutionResult:
        if not execution.failed:
            try:
                await execution.drain(batches)
            except Exception:
                execution.failed = True
        if not execution.failed:
            return self._answer(execution, data)
        await execution.await_pending()
        result = self._again(execution, serially)
        return await result if self.is_awaitable(result) else result

    def _answer(self, execution: Execution, data: dict) -> ExecutionResult:
        execution.end()
        execution.plan.succeeded()
        self.plans.counters.fast += 1
        return ExecutionResult(data, None)

    def _again(self, execution: Execution, serially: bool | None) -> AwaitableOrValue[ExecutionResult]:
        """The operation from the start with the generic executor, whose errors and nulls are the ones that count.

        A context that has `restart()` is told: with fresh loaders errors come in the order of a first execution.
        """
        execution.end()
        execution.plan.failed()
        self.plans.counters.deopt += 1
        restart = getattr(self.context_value, "restart", None)
        if restart is not None:
            restart()
        return super().execute_operation(serially)


def executor_class(name: str = "compiled", **bounds: int) -> type[GenericExecutor]:
    """The class to give to `strawberry.Schema(execution_context_class=...)`: a new one for "compiled", Strawberry's own
    for "generic". `bounds` are those of PlanStore. ValueError for any other name."""
    if name == "generic":
        return GenericExecutor
    if name == "compiled":
        return type("CompiledExecutor", (CompiledExecutor,), {"plans": PlanCache(compile_operation, **bounds)})
    raise ValueError(f"no executor is named {name!r}: choose compiled or generic")
