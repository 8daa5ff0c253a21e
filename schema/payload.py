"""Builders of mutations and of their payloads.

    @payload("The result of a mutation of evidence.")
    class EvidencePayload:
        evidence: Evidence | None = changed(EvidenceLoader, "The changed evidence.")

    @strawberry.type
    class EvidenceMutations:
        evidence_return = mutation(
            EvidencePayload, evidence.return_, "Returns evidence for improvement.",
            id=Id, points_for_improvement=required(str, "What to improve."),
        )

The resolver writes and returns what identifies its result: a key, keys, or a dictionary of them. After the commit the
fields of the payload are read from the database. If the resolver raises DomainError, the payload has `errors`, and all
other fields are null, or empty if they are lists.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import strawberry

from domain import errors, global_id
from domain.errors import DomainError
from domain.field_metadata import AFTER_SIGN_IN, ANONYMOUS
from loaders.core.dataloader import BaseLoader
from resolvers.core.context import Context
from schema.field_builders import Info, field_signature, selected_names
from schema.given_arguments import implausible_dates, name_of, plain
from schema.resolver_marks import NO_ROWS, OtherRows
from schema.types.user_error import UserError

if TYPE_CHECKING:
    from schema.types.viewer import Viewer

P = TypeVar("P", bound=type)
# Reads a field of a payload, given the result of the resolver.
_Load = Callable[[Any, Info], Awaitable[Any]]
_LOAD = "load"
# What a field's loader reads of rows of others, as `reads_rows` has it.
_OTHER_ROWS = "other_rows"
# The value of a field where the resolver rejected the mutation.
_ON_ERROR = "on_error"
_VIEWER = "The viewer, whose counts, tasks and indicators may have changed."


# ---------------------------------------------------------------------- fields of a payload


def payload(
    description: str,
    errors: str = "Why nothing was changed; empty if the mutation succeeded.",
    *,
    signs_out: bool = False,
) -> Callable[[P], P]:
    """Makes a class a payload. Its fields are declared with the functions below; `errors` and `viewer` are added.

    `signs_out`: after the mutation there may be no viewer.
    """

    def decorate(cls: P) -> P:
        type_: Any = cls
        if not signs_out and "viewer" not in cls.__annotations__:
            cls.__annotations__["viewer"] = Annotated["Viewer", strawberry.lazy("schema.types.viewer")] | None
            type_.viewer = result(_VIEWER, make=lambda context, _: context.viewer)
        cls.__annotations__["errors"] = list[UserError]
        type_.errors = strawberry.field(description=errors, default_factory=list)
        return strawberry.type(cls, description=description)

    return decorate


def changed(loader: type[BaseLoader[Any, Any]], description: str, of: str | None = None) -> Any:
    """An entity, read by the key that the resolver returned; `of` is the name of the key in a dictionary.

    Without `of` it is the record of the mutation, which a dictionary has as `key`.
    """

    async def load(result: Any, info: Info) -> Any:
        if isinstance(result, dict):
            key = result["key" if of is None else of]
        else:
            # With `of`: a result without it, which an earlier release stored with an Idempotency-Key.
            key = result if of is None else None
        if key is None:
            return None
        # The stored result of an Idempotency-Key is JSON, in which a pair is a list.
        # The fields of a payload are read one after the other.
        return await info.context.loaders[loader].load_alone(tuple(key) if isinstance(key, list) else key)

    return _field(description, load, getattr(loader, "other_rows", NO_ROWS))


def changed_all(loader: type[BaseLoader[Any, Any]], description: str, of: str | None = None) -> Any:
    """Entities, read by the keys that the resolver returned; `of` is the name of the keys in a dictionary.

    They are none for a resolver that returns the key of one record only.
    """

    async def load(result: Any, info: Info) -> Any:
        if of is None:
            keys = result
        else:
            keys = result.get(of, []) if isinstance(result, dict) else []
        found = await info.context.loaders[loader].load_many(keys)
        return [each for each in found if each is not None]

    return _field(description, load, getattr(loader, "other_rows", NO_ROWS))


def read(description: str, load_value: Callable[[Context], Awaitable[Any]]) -> Any:
    """What `load_value(context)` reads after the commit, whatever the resolver returned."""

    async def load(result: Any, info: Info) -> Any:
        return await load_value(info.context)

    return _field(description, load, None)


def removed(type_name: str, description: str, of: str | None = None) -> Any:
    """The id of an entity that the mutation has removed."""

    async def load(result: Any, info: Info) -> Any:
        return global_id.encode(type_name, result if of is None else result[of])

    return _field(description, load)


def signed_in(description: str) -> Any:
    """The viewer after the mutation."""

    async def load(result: Any, info: Info) -> Any:
        return info.context.viewer

    return strawberry.field(description=description, metadata={_LOAD: load, AFTER_SIGN_IN: "viewer"})


def result(
    description: str,
    part: str | None = None,
    make: Callable[[Context, Any], Any] | None = None,
    on_error: Callable[[DomainError], Any] | None = None,
) -> Any:
    """What the resolver returned, an attribute of it, or what `make` returns for it.

    `on_error` gives the value where the mutation was rejected, which is null or empty otherwise.
    """

    async def load(result: Any, info: Info) -> Any:
        if make is not None:
            return make(info.context, result)
        return result if part is None else getattr(result, part)

    metadata: dict[str, Any] = {_LOAD: load}
    if on_error is not None:
        metadata[_ON_ERROR] = on_error
    return strawberry.field(description=description, metadata=metadata)


def _field(description: str, load: _Load, other_rows: OtherRows = NO_ROWS) -> Any:
    return strawberry.field(description=description, metadata={_LOAD: load, _OTHER_ROWS: other_rows})


# ---------------------------------------------------------------------- mutations


def required(type_: Any, description: str) -> Any:
    """The annotation of a required argument."""
    return Annotated[type_, strawberry.argument(description=description)]


def mutation(
    payload_type: type,
    resolver: Callable[..., Awaitable[Any]],
    description: str,
    *,
    anonymous: bool = False,
    defaults: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> Any:
    """A field of Mutation. `arguments` are annotations by name, `defaults` the values of those that have one.

    `anonymous`: everybody can run it, without a viewer.

    The resolver gets the context and the arguments by name. Instead of `input` it gets the fields of the input; those
    that the client omitted are not passed.
    """

    async def resolve(root: Any, info: Info, **given: Any) -> Any:
        if implausible := list(implausible_dates(given)):
            return _error_payload(payload_type, DomainError(*implausible))
        given = {name: plain(value) for name, value in given.items()}
        given |= given.pop("input", {})
        try:
            outcome = await resolver(info.context, **given)
        except DomainError as error:
            return _error_payload(payload_type, error)
        reload = partial(_load_payload, payload_type, outcome, info)
        info.context.begin_payload()
        try:
            loaded = await reload()
        except AttributeError as error:
            if not info.context.widen_payload(error):
                raise
            return await reload()
        # For the generic executor, if a field below needs more of a row than is said to be read.
        loaded.reload = reload
        return loaded

    function: Any = resolve
    function.other_rows = _rows_of_loaders(payload_type)
    function.__signature__ = field_signature(arguments, payload_type, **(defaults or {}))
    return strawberry.mutation(resolver=function, description=description, metadata={ANONYMOUS: anonymous})


async def _load_payload(payload_type: type, outcome: Any, info: Info) -> Any:
    """Reads what is selected of a payload."""
    values, selected = {}, selected_names(info)
    for each in dataclasses.fields(payload_type):
        if _LOAD in each.metadata:
            # What the client does not select is not read.
            wanted = name_of(each.name) in selected
            values[each.name] = await each.metadata[_LOAD](outcome, info) if wanted else None
    return payload_type(**values, errors=_refused(outcome))


def _rows_of_loaders(payload_type: type) -> OtherRows:
    """Returns what the loaders of a payload read of rows of others; None if something may read anything."""
    found: dict[type, set[str]] = {}
    for each in dataclasses.fields(payload_type):
        others = each.metadata.get(_OTHER_ROWS, NO_ROWS)
        if others is None:
            return None
        for row, names in others.items():
            found.setdefault(row, set()).update(names)
    return found


def _refused(outcome: Any) -> list[errors.UserError]:
    """Returns the errors of the entries of a list that were refused alone, which the resolver returns as JSON."""
    found = outcome.get("refused", []) if isinstance(outcome, dict) else []
    return [errors.UserError.from_json(each) for each in found]


def _error_payload(payload_type: type, error: DomainError) -> Any:
    nothing: dict[str, Any] = {
        each.name: _nothing(each, error) for each in dataclasses.fields(payload_type) if each.name != "errors"
    }
    return payload_type(**nothing, errors=list(error.errors))


def _nothing(field: Any, error: DomainError) -> Any:
    """Returns the value of a field of the payload where the mutation was rejected."""
    if _ON_ERROR in field.metadata:
        return field.metadata[_ON_ERROR](error)
    return [] if field.type.__class__.__name__ == "StrawberryList" else None
