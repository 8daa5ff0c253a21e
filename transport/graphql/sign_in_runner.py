"""Runs the sign-in operation of an anonymous caller, and after it what its document selects of the new viewer."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from transport.graphql.anonymous_document import Part, Path
from transport.graphql.charge import with_cost
from transport.graphql.document_cache import SHARE_OF_LOOP
from transport.graphql.errors import HttpError, OperationRejected
from transport.graphql.prepared_document import PreparedDocument, PreparedOperation
from transport.graphql.time_slicing import Steps, TimeSlicer

if TYPE_CHECKING:
    from transport.graphql.operation_runner import OperationRunner

Response = dict[str, Any]


class SignInRunner:
    """Runs the parts of a document that `anonymous_document.split` has made.

    The query of a part runs only if the part's root fields have signed the caller in; it is validated then, and charged
    to the viewer. Where it cannot run, its place in the data is null, and the errors say why.
    """

    def __init__(self, runner: "OperationRunner") -> None:
        self._runner = runner
        self._time_slicer = TimeSlicer(SHARE_OF_LOOP)

    async def run(self, prepared: PreparedOperation) -> Response:
        """Returns the response. Raises as `OperationRunner.run` does, before the first root field has run."""
        data: dict[str, Any] | None = {}
        errors: list[dict[str, Any]] = []
        for part in prepared.parts:
            before = replace(prepared, operation=replace(prepared.operation, document=part.before), parts=())
            response = await self._before(before, is_first=part is prepared.parts[0])
            errors += response.get("errors", ())
            if response["data"] is None:
                data = None
                break
            data |= response["data"]
            signed_in = {key: path for key, path in part.paths.items() if _at(data, path) is not None}
            if signed_in and prepared.context.viewer is not None:
                errors += await self._after(part, signed_in, prepared, data)
        return with_cost({**({"errors": errors} if errors else {}), "data": data}, prepared.log)

    async def _before(self, prepared: PreparedOperation, is_first: bool) -> Response:
        try:
            return await self._runner.run_document(prepared)
        except (OperationRejected, HttpError) as error:
            if is_first:
                raise
            return {"errors": error.errors, "data": None}

    async def _after(
        self, part: Part, paths: dict[str, Path], prepared: PreparedOperation, data: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Puts what was selected of the viewer into the data; returns the errors."""
        values: dict[str, Any] = {}
        errors: list[dict[str, Any]] = []
        try:
            response = await self._runner.run_document(await self._prepared(part, prepared))
            values = response["data"] or {}
            errors = response.get("errors", [])
        except (OperationRejected, HttpError) as error:
            errors = error.errors
        for path in paths.values():
            _put(data, path, None)
        for key, value in values.items():
            _put(data, part.paths[key], value)
        if errors:
            prepared.log.code = prepared.log.code or errors[0]["extensions"]["code"]
        return [{**error, "path": _moved(error.get("path"), part.paths)} for error in errors]

    async def _prepared(self, part: Part, prepared: PreparedOperation) -> PreparedOperation:
        """Validates the query of a part, the first time, and charges it. Raises OperationRejected or HttpError."""
        document = await self._time_slicer.run(self._checked(part))
        operation = next(iter(document.operations.values()))
        viewer, log = prepared.context.viewer, prepared.log
        assert viewer is not None
        # The operation and the objects at the paths are in the cost of what ran before.
        cost = operation.cost_with(prepared.request.variables, self._runner.limits) - 1 - len(part.paths)
        log.cost_left = self._runner.rate_limiter.charge(viewer.user_key, cost, anonymous=False)
        log.cost += cost
        log.deprecated += operation.deprecated
        return replace(prepared, operation=operation, anonymous=False, parts=())

    def _checked(self, part: Part) -> Steps[PreparedDocument]:
        if part.checked is None:
            try:
                part.checked = yield from self._runner.document_cache.checked(part.after)
            except OperationRejected as rejection:
                part.checked = OperationRejected(rejection.errors)
        if isinstance(part.checked, OperationRejected):
            raise OperationRejected(part.checked.errors)
        return part.checked


def _at(data: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data


def _put(data: dict[str, Any], path: Path, value: Any) -> None:
    *parents, key = path
    for parent in parents:
        data = data[parent]
    data[key] = value


def _moved(path: list[str | int] | None, paths: dict[str, Path]) -> list[str | int]:
    """Returns the path of an error of the query in the data of the operation."""
    if not path:
        return list(next(iter(paths.values())))
    return [*paths[str(path[0])], *path[1:]]
