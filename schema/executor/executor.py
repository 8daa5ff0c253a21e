"""The executor class for Strawberry: runs compiled queries, and falls back to graphql-core when anything goes wrong."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, cast

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode
from graphql.execution import (
    ExecutionResult,
    Executor,
    ExperimentalIncrementalExecutionResults,
    MiddlewareManager,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution.values import VariableValues
from graphql.pyutils import AwaitableOrValue
from graphql.pyutils import is_awaitable as default_is_awaitable
from graphql.type.definition import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as GenericExecutor

from .arguments import ArgumentCompiler
from .cache import CompiledQueryCache, Counters
from .compiler import compile_query
from .execution import Execution, FieldBatch
from .mutation_outcome import MutationOutcome
from .preparation import Preparations

UtcText = Callable[[datetime], str]
Result = ExecutionResult | ExperimentalIncrementalExecutionResults


class CompiledExecutor(GenericExecutor):
    """Executes one operation. `executor_class` makes the subclasses to use: each has a cache of its own."""

    cache: ClassVar[CompiledQueryCache]
    preparations: ClassVar[Preparations]
    arguments: ClassVar[ArgumentCompiler | None] = None
    utc_text: ClassVar[UtcText] = staticmethod(datetime.isoformat)
    # Of the resolver of a mutation that compiled code runs; None for a query.
    outcome: MutationOutcome | None = None

    def __init__(
        self,
        schema: GraphQLSchema,
        fragment_definitions: Any,
        fragments: Any,
        root_value: Any,
        context_value: Any,
        operation: OperationDefinitionNode,
        variable_values: VariableValues,
        field_resolver: Any,
        type_resolver: Any,
        subscribe_field_resolver: Any,
        enable_early_execution: bool = False,
        middleware_manager: MiddlewareManager | None = None,
        is_awaitable: Any = None,
        is_async_iterable: Any = None,
        hide_suggestions: bool = False,
        abort_signal: Any = None,
        hooks: Any = None,
        operation_extensions: Any = None,
    ) -> None:
        """Sets what compiled code needs. `_complete` sets the rest of graphql-core's state, which it seldom needs."""
        self.schema, self.operation = schema, operation
        self.fragment_definitions, self.fragments = fragment_definitions, fragments
        self.root_value, self.context_value, self.variable_values = root_value, context_value, variable_values
        self.is_awaitable = is_awaitable or default_is_awaitable
        self.hide_suggestions, self.abort_signal, self.hooks = hide_suggestions, abort_signal, hooks
        self.field_resolver, self.type_resolver = field_resolver, type_resolver
        self.middleware_manager, self.operation_extensions = middleware_manager, operation_extensions
        self.async_helpers = GraphQLResolveInfoHelpers(self.gather_async_work, self.track_async_work)
        self._rest = subscribe_field_resolver, enable_early_execution, is_async_iterable

    def __getattr__(self, name: str) -> Any:
        """Returns an attribute of graphql-core's that compiled code does not need."""
        if name.startswith("__") or "_rest" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self._complete()
        return getattr(self, name)

    def _complete(self) -> None:
        """Sets all of graphql-core's state, once."""
        if (rest := self.__dict__.pop("_rest", None)) is None:
            return
        subscribe_field_resolver, enable_early_execution, is_async_iterable = rest
        super().__init__(
            self.schema, self.fragment_definitions, self.fragments, self.root_value, self.context_value, self.operation,
            self.variable_values, self.field_resolver, self.type_resolver, subscribe_field_resolver,
            enable_early_execution, self.middleware_manager, self.is_awaitable, is_async_iterable,
            hide_suggestions=self.hide_suggestions, abort_signal=self.abort_signal, hooks=self.hooks,
            operation_extensions=self.operation_extensions,
        )  # fmt: skip

    @classmethod
    def build(
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        root_value: Any = None,
        context_value: Any = None,
        raw_variable_values: dict[str, Any] | None = None,
        operation_name: str | None = None,
        field_resolver: Any = None,
        type_resolver: Any = None,
        subscribe_field_resolver: Any = None,
        max_coercion_errors: int = 50,
        enable_early_execution: bool = False,
        middleware: Any = None,
        is_awaitable: Any = None,
        is_async_iterable: Any = None,
        hide_suggestions: bool = False,
        abort_signal: Any = None,
        hooks: Any = None,
        **custom_args: Any,
    ) -> list[GraphQLError] | Executor:
        """Makes the executor of an operation, as graphql-core does; returns the errors of variables instead.

        From the second time on, what follows from the document alone is not found again, and generated code coerces
        the variables.
        """
        known = cls.preparations.find(schema, document, operation_name) if middleware is None else None
        variables = known.variables(raw_variable_values or {}) if known is not None else None
        if known is not None and variables is not None:
            return cls(
                schema, known.fragment_definitions, known.fragments, root_value, context_value, known.operation,
                variables, field_resolver or default_field_resolver, type_resolver or default_type_resolver,
                subscribe_field_resolver or default_field_resolver, enable_early_execution, None, is_awaitable,
                is_async_iterable, hide_suggestions, abort_signal, hooks, **custom_args,
            )  # fmt: skip
        executor = super().build(
            schema, document, root_value, context_value, raw_variable_values, operation_name, field_resolver,
            type_resolver, subscribe_field_resolver, max_coercion_errors, enable_early_execution, middleware,
            is_awaitable, is_async_iterable, hide_suggestions, abort_signal, hooks, **custom_args,
        )  # fmt: skip
        if isinstance(executor, cls):
            cls.preparations.add(document, operation_name, executor)
        return executor

    @classmethod
    def counters(cls) -> Counters:
        """Returns how often each path was taken."""
        return cls.cache.counters

    @classmethod
    def argument_compiler(cls, schema: Any) -> ArgumentCompiler:
        """Returns the compiler of arguments for a Strawberry schema, of which it keeps one."""
        if cls.arguments is None or cls.arguments.schema is not schema:
            cls.arguments = ArgumentCompiler(schema)
        return cls.arguments

    def execute_operation(self, serially: bool | None = None) -> AwaitableOrValue[Result]:
        """Runs the compiled query of the operation; without one, or when it fails, the generic executor."""
        query = self.cache.get_or_compile(self)
        set_reads = getattr(self.context_value, "set_reads", None)
        if set_reads is not None:
            set_reads(query and query.reads, of_payload=query is not None and query.is_mutation)
        if query is None:
            self._complete()
            return super().execute_operation(serially)
        if query.is_mutation:
            self.outcome = MutationOutcome()
        execution = Execution(query, self)
        data: dict[str, Any] = {}
        batches: list[FieldBatch] = []
        try:
            data, batches = execution.start()
        except Exception as error:
            execution.fail(error)
        if execution.batches:
            return self._drain(execution, data, batches, serially)
        return self._fall_back(execution, serially) if execution.failed else self._succeed(execution, data)

    async def _drain(
        self, execution: Execution, data: dict[str, Any], batches: list[FieldBatch], serially: bool | None
    ) -> Result:
        if not execution.failed:
            try:
                await execution.drain(batches)
            except Exception as error:
                execution.fail(error)
        if not execution.failed:
            return self._succeed(execution, data)
        await execution.await_pending()
        result: Any = self._fall_back(execution, serially)
        return await result if self.is_awaitable(result) else result

    def _succeed(self, execution: Execution, data: dict[str, Any]) -> ExecutionResult:
        execution.clear()
        execution.query.record_success()
        self.cache.counters.executed += 1
        return ExecutionResult(data, None)

    def _fall_back(self, execution: Execution, serially: bool | None) -> AwaitableOrValue[Result]:
        """Runs the whole operation with the generic executor, whose errors and nulls the client gets.

        Calls `restart()` of the context first, if it has one: with new data loaders, errors keep the order of a first
        execution.
        """
        query = execution.query
        self.cache.counters.deoptimized += 1
        if query.reads.widen(execution.error):
            self.cache.counters.widened += 1
        else:
            query.record_failure()
        execution.clear()
        restart = getattr(self.context_value, "restart", None)
        if restart is not None:
            restart()
        self._complete()
        if self.outcome is not None and self.outcome.has_begun:
            self.middleware_manager = cast("MiddlewareManager", _FirstField(self, self.outcome))
        return super().execute_operation(serially)


class _FirstField:
    """Middleware of graphql-core that resolves the one field of a mutation by its outcome, once."""

    def __init__(self, executor: CompiledExecutor, outcome: MutationOutcome) -> None:
        self._executor = executor
        self._outcome = outcome

    def get_field_resolver(self, _: Any) -> Any:
        """Returns what resolves the field."""
        self._executor.middleware_manager = None
        return self._outcome.replay


def executor_class(
    name: str = "compiled", utc_text: UtcText = datetime.isoformat, **bounds: int
) -> type[GenericExecutor]:
    """Returns the class for `strawberry.Schema(execution_context_class=...)`.

    "compiled" makes a new class, "generic" is Strawberry's own. `utc_text` writes a time in UTC exactly as `isoformat`
    does. `bounds` are those of CompiledQueryCache. Raises ValueError for any other name.
    """
    if name == "generic":
        return GenericExecutor
    if name == "compiled":
        cache = CompiledQueryCache(compile_query, **bounds)
        preparations = Preparations(cache.max_operations)
        own = {"cache": cache, "preparations": preparations, "utc_text": staticmethod(utc_text)}
        return type("CompiledExecutor", (CompiledExecutor,), own)
    raise ValueError(f"no executor is named {name!r}: choose compiled or generic")
