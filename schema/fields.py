"""The three kinds of field: an attribute of the row, a relation through a loader, and what a resolver answers."""

from asyncio import Future
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import strawberry
from strawberry.types import Info as StrawberryInfo

from loaders.all import Loaders
from loaders.batching import Kept
from resolvers.context import Context

Info = StrawberryInfo[Context, None]


def attribute(description: str, **options: Any) -> Any:
    """A field that is the row's attribute of the same name."""
    return strawberry.field(description=description, **options)


def related(description: str, load: Callable[[Any, Loaders], Any], **options: Any) -> Any:
    """A field that a loader gives: `related("…", lambda row, load: load.aims_of_learner.load(row.key))`.

    `load` returns the loader's future as it is, or a value that is there already; None stays None.
    """

    def resolve(root: Any, info: Info) -> Any:
        return load(root, info.context.loaders)

    return strawberry.field(resolver=resolve, description=description, **options)


def summed(description: str, path: str) -> Any:
    """A field of what a loader sums up of the row: `summed("…", "programme.progress")` is the attribute `progress` of what
    the loader `programme` gives. Several fields of one loader cost one read."""
    loader, attribute_name = path.split(".")

    def whole(root: Any, info: Info) -> Future[Any]:
        return getattr(info.context.loaders, loader).load(root.key)

    def resolve(root: Any, info: Info) -> Any:
        return part_of(whole(root, info), attribute_name)

    # For the compiled executor, which awaits the loader's futures themselves and takes the attributes in one go.
    resolve.whole, resolve.part = whole, attrgetter(attribute_name)  # type: ignore[attr-defined]
    return strawberry.field(resolver=resolve, description=description)


def part_of(whole: Future[Any], name: str) -> Future[Any]:
    """A future of one attribute of what another future gives: a coroutine for it would cost a task for each row."""
    part = Kept()

    def done(whole: Future[Any]) -> None:
        try:
            value = getattr(whole.result(), name)
        except Exception as error:  # noqa: BLE001  whoever awaits the part hears of it; else they would wait for ever
            part.set_exception(error)
        else:
            part.set_result(value)

    whole.add_done_callback(done)
    return part


def person(description: str, key: str) -> Any:
    """A field that is the person whose key the row has under that name."""

    def load(row: Any, loaders: Loaders) -> Any:
        user_key = getattr(row, key)
        return None if user_key is None else loaders.named_user.load(user_key)

    return related(description, load)


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
