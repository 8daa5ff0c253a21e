"""The kinds of field: an attribute of the row, what a loader gives, what a resolver answers, a page of a list."""

import inspect
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry.types import Info as StrawberryInfo

from loaders.core.dataloader import BaseLoader, map_future
from loaders.core.paged_list import PagedList, PagesLoader, read_page
from loaders.core.pagination import PageArguments
from loaders.core.registry import Loaders
from loaders.user import NamedUserLoader
from resolvers.core.context import Context

Info = StrawberryInfo[Context, None]
F = TypeVar("F", bound=Callable[..., Any])


def attribute(description: str, **options: Any) -> Any:
    """A field that is the row's attribute of the same name."""
    return strawberry.field(description=description, **options)


def related(description: str, load: Callable[[Any, Loaders], Any], **options: Any) -> Any:
    """A field for which one loader's answer is not enough: `related("…", lambda row, loaders: …)`.

    `load` returns a loader's future, a coroutine, or a value that has been read already; None stays None.
    """

    def resolve(root: Any, info: Info) -> Any:
        return load(root, info.context.loaders)

    return strawberry.field(resolver=resolve, description=description, **options)


def loaded(
    description: str, loader: type[BaseLoader[Any, Any]], by: str = "key", part: str | None = None, **options: Any
) -> Any:
    """A field that a loader gives by a key of the row: `loaded("…", SessionLoader, by="session_key")`. By None, None.

    `part` is the attribute to take of what the loader gives; several fields of one loader cost one read.
    """
    key_of = attrgetter(by)
    projection = attrgetter(part) if part else None

    def resolve(root: Any, info: Info) -> Any:
        key = key_of(root)
        if key is None:
            return None
        whole = info.context.loaders[loader].load(key)
        return map_future(whole, projection) if projection else whole

    def batch(roots: list[Any], info: Info) -> Any:
        keys = list(map(key_of, roots))
        return None if None in keys else info.context.loaders[loader].load_batch(keys)

    return strawberry.field(resolver=resolves_batches(batch, projection)(resolve), description=description, **options)


def resolves_batches(batch: Callable[..., Any], projection: Callable[[Any], Any] | None = None) -> Callable[[F], F]:
    """Marks a resolver that can be called once for all the objects of a field, as the compiled executor does.

    `batch(roots, info, **arguments)` gives an awaitable of the values in their order, or None where it cannot;
    `projection` is what the field takes of each of them.
    """

    def mark(resolver: F) -> F:
        resolver.batch, resolver.projection = batch, projection  # type: ignore[attr-defined]
        return resolver

    return mark


def person(description: str, key: str) -> Any:
    """A field that is the person whose key the row has under that name."""
    return loaded(description, NamedUserLoader, by=key)


# ---------------------------------------------------------------------- arguments


Id = Annotated[strawberry.ID, strawberry.argument(description="The record's id.")]
Search = Annotated[
    str | None, strawberry.argument(description="Part of the name, in any case, with or without its accents.")
]
_PAGE_ARGUMENTS: dict[str, Any] = {
    "first": Annotated[
        int | None, strawberry.argument(description="How many from the start, 1 to 100; 20 where null.")
    ],
    "after": Annotated[str | None, strawberry.argument(description="A cursor of this list: what follows it.")],
    "last": Annotated[
        int | None, strawberry.argument(description="How many from the end, 1 to 100; never together with first.")
    ],
    "before": Annotated[str | None, strawberry.argument(description="A cursor of this list: what precedes it.")],
}


def argument(type_: Any, description: str) -> Any:
    """The annotation of an optional argument."""
    return Annotated[type_ | None, strawberry.argument(description=description)]


def field_signature(
    arguments: Mapping[str, Any], returns: Any = inspect.Signature.empty, **defaults: Any
) -> inspect.Signature:
    """What Strawberry reads a field's arguments and type from: annotations by name, and the defaults of those that have one."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    given = [
        inspect.Parameter(name, keyword, annotation=annotation, default=defaults.get(name, inspect.Parameter.empty))
        for name, annotation in arguments.items()
    ]
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    root = inspect.Parameter("root", positional, annotation=Any)
    info = inspect.Parameter("info", positional, annotation=Info)
    return inspect.Signature([root, info, *given], return_annotation=returns)


# ---------------------------------------------------------------------- lists


def connection(
    description: str,
    listed: PagedList[Any],
    *,
    owner: Any = None,
    filter: Any = None,
    order_by: Any = None,
    **arguments: Any,
) -> Any:
    """A page of a list: of all that the viewer sees, or of each object, where `owner` is the column of its key.

    `filter` is an input whose fields are filters of the list, `arguments` are further ones by name (`argument(…)`).
    `order_by` is an enum's default member: the argument that chooses the order.
    """
    defaults = {name: False if _is_flag(annotation) else None for name, annotation in arguments.items()}
    if filter is not None:
        arguments["filter"] = argument(filter, "Which of them: every condition that is set must hold.")
        defaults["filter"] = None
    if order_by is not None:
        arguments["order_by"] = argument(order_by[0], "In which order.")
        defaults["order_by"] = order_by[1]
    arguments |= _PAGE_ARGUMENTS
    defaults |= dict.fromkeys(_PAGE_ARGUMENTS)

    def parse(given: dict[str, Any]) -> tuple[PageArguments, dict[str, Any], Any]:
        page = PageArguments(*(given.pop(name) for name in _PAGE_ARGUMENTS))
        chosen, order = given.pop("filter", None), given.pop("order_by", None)
        return page, {**given, **(vars(chosen) if chosen else {})}, order

    async def of_viewer(root: Any, info: Info, **given: Any) -> Any:
        page, values, order = parse(given)
        counted = selects(info, "totalCount")
        return await read_page(info.context.loaders.reading, listed, page, values, order, counted)

    def of_owner(root: Any, info: Info, **given: Any) -> Any:
        return _pages(info, listed, owner, *parse(given)).load(root.key)

    def of_owners(roots: list[Any], info: Info, **given: Any) -> Any:
        return _pages(info, listed, owner, *parse(given)).load_batch([root.key for root in roots])

    resolver: Any = of_viewer if owner is None else resolves_batches(of_owners)(of_owner)
    resolver.__signature__ = field_signature(arguments, **defaults)
    return strawberry.field(resolver=resolver, description=description)


def _is_flag(annotation: Any) -> bool:
    return annotation.__origin__ == bool | None


def _pages(
    info: Info, listed: PagedList[Any], owner: Any, page: PageArguments, values: dict[str, Any], order: Any
) -> PagesLoader[Any]:
    given = tuple(sorted((name, value) for name, value in values.items() if value is not None))
    return info.context.loaders.get(PagesLoader, listed, owner, page, given, order)


# ---------------------------------------------------------------------- what is selected


def selects(info: Info, name: str) -> bool:
    """Whether a field of that name is selected directly below this one, fragments included."""
    return name in selected(info)


def selected(info: Info) -> set[str]:
    """The names of the fields selected directly below this one, fragments included."""
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
