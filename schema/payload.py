"""What every mutation answers with: the changed entity, or the errors that a person can mend."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import strawberry

from domain.errors import DomainError
from loaders.core.registry import Loaders
from schema.enums import UserErrorCode
from schema.field_builders import Info, attribute

P = TypeVar("P")


@strawberry.type(
    description="Why nothing was changed. What the person can mend comes back here; top-level errors are for a bad request, "
    "no sign-in, or a fault."
)
class UserError:
    code: UserErrorCode = attribute("What kind of mending it needs.")
    field: list[str] | None = attribute(
        "Path of the input field, outermost first; null where no one field is at fault."
    )
    message: str = attribute("What is wrong and how to mend it, for the person.")


def errors_field() -> Any:
    """The field that every payload ends with."""
    return strawberry.field(description="Why nothing was changed; empty where it was.", default_factory=list)


async def answer(info: Info, payload: type[P], write: Awaitable[Any], **entities: Callable[[Any, Loaders], Any]) -> P:
    """Awaits a write and makes its payload.

    Each entity of the payload is read afresh from what the write gave back:
    `await answer(info, EvidencePayload, evidence.assess(info.context, …), evidence=lambda key, load: load.evidence.load(key))`.
    A refusal comes back as `errors`, the entities null.
    """
    try:
        result = await write
    except DomainError as error:
        return payload(**_nothing(payload), errors=errors_of(error))
    made = {}
    for name, load in entities.items():
        made[name] = await load(result, info.context.loaders)
    return payload(**made, errors=[])


def errors_of(error: DomainError) -> list[UserError]:
    """A refusal's faults as the graph shows them."""
    return [
        UserError(code=fault.code, field=list(fault.field) if fault.field else None, message=fault.message)
        for fault in error.errors
    ]


def plain(input: Any) -> dict[str, Any]:
    """An input's fields by their Python names, for a resolver; what was left out is left out, inner inputs are dicts."""
    return {
        field.name: _plain_value(value)
        for field in dataclasses.fields(input)
        if (value := getattr(input, field.name)) is not strawberry.UNSET
    }


def _plain_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain_value(one) for one in value]
    return plain(value) if dataclasses.is_dataclass(value) else value


def _nothing(payload: type[Any]) -> dict[str, Any]:
    return {
        field.name: [] if field.type.__class__.__name__ == "StrawberryList" else None
        for field in dataclasses.fields(payload)
        if field.name != "errors"
    }
