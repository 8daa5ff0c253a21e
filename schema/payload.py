"""Mutations: a field built from its resolver, and what every mutation answers with.

    @payload("The evidence, changed.")
    class EvidencePayload:
        evidence: Evidence | None = changed(EvidenceLoader, "The evidence as it now is.")

    @strawberry.type
    class EvidenceMutations:
        evidence_return = mutation(
            EvidencePayload, evidence.return_, "Returns evidence for improvement.",
            id=Id, points_for_improvement=required(str, "What to improve."),
        )

The resolver does the write and gives back what names its result: a key, keys, or a dictionary of them. Each field of the
payload is then read afresh. A DomainError comes back as `errors`, the other fields null.
"""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import strawberry

from domain import global_id
from domain.errors import DomainError
from loaders.core.dataloader import BaseLoader
from schema.enums import UserErrorCode
from schema.field_builders import Info, attribute, field_signature

P = TypeVar("P", bound=type)
# How a field of a payload is made, from the write's result.
_Load = Callable[[Any, Info], Awaitable[Any]]
_LOAD = "load"


@strawberry.type(
    description="Why nothing was changed. What the person can correct comes back here; top-level errors are for a bad "
    "request, a missing sign-in, or a fault."
)
class UserError:
    code: UserErrorCode = attribute("What kind of correction it needs.")
    field: list[str] | None = attribute(
        "Path of the input field, outermost first; null where no one field is at fault."
    )
    message: str = attribute("What is wrong and how to correct it, for the person.")


# ---------------------------------------------------------------------- fields of a payload


def payload(description: str) -> Callable[[P], P]:
    """Makes a class a payload: its fields are declared by the functions below, `errors` is added."""

    def make(cls: P) -> P:
        cls.__annotations__["errors"] = list[UserError]
        cls.errors = strawberry.field(  # type: ignore[attr-defined]
            description="Why nothing was changed; empty where it was.", default_factory=list
        )
        return strawberry.type(cls, description=description)

    return make


def changed(loader: type[BaseLoader[Any, Any]], description: str, of: str | None = None) -> Any:
    """An entity, read by the key that the write gives back; `of` names the key in a dictionary of them."""

    async def load(result: Any, info: Info) -> Any:
        key = result if of is None else result[of]
        if key is None:
            return None
        # A pair that was kept with an Idempotency-Key comes back from JSON as a list.
        return await info.context.loaders[loader].load(tuple(key) if isinstance(key, list) else key)

    return _field(description, load)


def changed_all(loader: type[BaseLoader[Any, Any]], description: str) -> Any:
    """Entities, read by the keys that the write gives back."""

    async def load(result: Any, info: Info) -> Any:
        return await info.context.loaders[loader].load_many(result)

    return _field(description, load)


def removed(type_name: str, description: str, of: str | None = None) -> Any:
    """The id of an entity that the write has removed."""

    async def load(result: Any, info: Info) -> Any:
        return global_id.encode(type_name, result if of is None else result[of])

    return _field(description, load)


def signed_in(description: str) -> Any:
    """The viewer, as the write has left them."""

    async def load(result: Any, info: Info) -> Any:
        return info.context.viewer

    return _field(description, load)


def result(description: str, part: str | None = None) -> Any:
    """What the write itself gives back, or an attribute of it."""

    async def load(result: Any, info: Info) -> Any:
        return result if part is None else getattr(result, part)

    return _field(description, load)


def _field(description: str, load: _Load) -> Any:
    return strawberry.field(description=description, metadata={_LOAD: load})


# ---------------------------------------------------------------------- mutations


def required(type_: Any, description: str) -> Any:
    """The annotation of an argument that must be given."""
    return Annotated[type_, strawberry.argument(description=description)]


def mutation(answer: type, write: Callable[..., Awaitable[Any]], description: str, **arguments: Any) -> Any:
    """A field of Mutation. `write` is the resolver, `answer` the payload, `arguments` annotations by name.

    The resolver gets the arguments by name; the fields of `input` are passed one by one, what was left out is left out.
    """

    async def resolve(root: Any, info: Info, **given: Any) -> Any:
        if "input" in given:
            given |= _fields(given.pop("input"))
        try:
            written = await write(info.context, **given)
        except DomainError as error:
            return _refused(answer, error)
        made = {}
        for each in dataclasses.fields(answer):
            if _LOAD in each.metadata:
                made[each.name] = await each.metadata[_LOAD](written, info)
        return answer(**made, errors=[])

    resolver: Any = resolve
    resolver.__signature__ = field_signature(arguments, answer)
    return strawberry.mutation(resolver=resolver, description=description)


def _refused(answer: type, error: DomainError) -> Any:
    nothing = {
        each.name: [] if each.type.__class__.__name__ == "StrawberryList" else None
        for each in dataclasses.fields(answer)
        if each.name != "errors"
    }
    errors = [
        UserError(code=each.code, field=list(each.field) if each.field else None, message=each.message)
        for each in error.errors
    ]
    return answer(**nothing, errors=errors)


def _fields(input: Any) -> dict[str, Any]:
    """An input's fields by their Python names; what was left out is left out, inner inputs become dictionaries."""
    return {
        each.name: _plain(value)
        for each in dataclasses.fields(input)
        if (value := getattr(input, each.name)) is not strawberry.UNSET
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return _fields(value) if dataclasses.is_dataclass(value) else value
