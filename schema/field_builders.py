"""The kinds of field: an attribute of the row, what a loader gives, and what a resolver answers."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

import strawberry
from strawberry.types import Info as StrawberryInfo

from loaders.core.dataloader import map_future
from loaders.core.registry import Loaders
from resolvers.core.context import Context

Info = StrawberryInfo[Context, None]
F = TypeVar("F", bound=Callable[..., Any])


def attribute(description: str, **options: Any) -> Any:
    """A field that is the row's attribute of the same name."""
    return strawberry.field(description=description, **options)


def related(description: str, load: Callable[[Any, Loaders], Any], **options: Any) -> Any:
    """A field that takes more than one loader's answer as it is: `related("…", lambda row, load: …)`.

    `load` returns a loader's future, a coroutine, or a value that is there already; None stays None.
    """

    def resolve(root: Any, info: Info) -> Any:
        return load(root, info.context.loaders)

    return strawberry.field(resolver=resolve, description=description, **options)


def loaded(description: str, path: str, by: str = "key", **options: Any) -> Any:
    """A field that a loader gives by a key of the row: `loaded("…", "session", by="session_key")`; by None, None.

    With a path of two, `loaded("…", "programme.progress")`, it is an attribute of what the loader `programme` gives.
    Several fields of one loader cost one read.
    """
    loader, _, attribute_name = path.partition(".")
    key_of = attrgetter(by)
    projection = attrgetter(attribute_name) if attribute_name else None

    def resolve(root: Any, info: Info) -> Any:
        key = key_of(root)
        if key is None:
            return None
        whole = getattr(info.context.loaders, loader).load(key)
        return map_future(whole, projection) if projection else whole

    def batch(roots: list[Any], info: Info) -> Any:
        keys = list(map(key_of, roots))
        if None in keys:
            return None
        return getattr(info.context.loaders, loader).load_batch(keys)

    return strawberry.field(resolver=resolves_batches(batch, projection)(resolve), description=description, **options)


def resolves_batches(batch: Callable[..., Any], projection: Callable[[Any], Any] | None = None) -> Callable[[F], F]:
    """Marks a resolver that can be asked for all the objects of a field at once, as the compiled executor does.

    `batch(roots, info, **arguments)` gives an awaitable of the values in their order, or None where it cannot; `projection`
    is what the field takes of each of them.
    """

    def mark(resolver: F) -> F:
        resolver.batch, resolver.projection = batch, projection  # type: ignore[attr-defined]
        return resolver

    return mark


def person(description: str, key: str) -> Any:
    """A field that is the person whose key the row has under that name."""
    return loaded(description, "named_user", by=key)


def selects(info: Info, name: str) -> bool:
    """Whether a field of that name is asked for directly below this one, fragments included."""
    return name in selected(info)


def selected(info: Info) -> set[str]:
    """The names of the fields asked for directly below this one, fragments included."""
    raw, names = info._raw_info, set()
    waiting = [node.selection_set for node in raw.field_nodes if node.selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            if selection.kind == "field":
                names.add(selection.name.value)
            elif selection.kind == "fragment_spread":
                waiting.append(raw.fragments[selection.name.value].selection_set)
            else:
                waiting.append(selection.selection_set)
    return names
