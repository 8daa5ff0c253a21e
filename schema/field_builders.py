"""Builders of fields: each declares a field in one line, with its description, and says where its value comes from.

| builder | the value is |
|---|---|
| `attribute` | the attribute of the row with the field's name |
| `loaded` | what a loader returns for a key of the row, read at once for all objects of a list |
| `person` | the user whose key the row has |
| `related` | what a function of the row and the loaders returns |
| `resolved` | what a function of the row and the info returns; the field may have arguments |
| `connection` | a page of a list |

The type of a field is its annotation in the class. All builders return Any, so that the annotation stands.
"""

import inspect
from collections.abc import Callable, Collection, Mapping
from operator import attrgetter
from typing import Annotated, Any, get_args

import strawberry
from strawberry.types import Info as StrawberryInfo

from domain.field_metadata import ANONYMOUS, LIST_SIZE
from loaders.core.dataloader import BaseLoader, map_future
from loaders.core.paged_list import PagedList, PagesLoader, read_page
from loaders.core.pagination import PageArguments
from loaders.core.registry import Loaders
from loaders.user import NamedUserLoader
from resolvers.core.context import Context
from schema.resolver_marks import NO_ROWS, OtherRows, reads_rows, resolves_batches

Info = StrawberryInfo[Context, None]


def attribute(description: str, list_size: int | None = None) -> Any:
    """A field that reads the row's attribute of the same name. `list_size`: the entries of a list, for its cost."""
    return strawberry.field(description=description, metadata={LIST_SIZE: list_size})


def updated_at(also: str) -> Any:
    """The field `updatedAt` of a record; `also` says what of it is in rows of other tables."""
    return attribute(
        f"When anything of it last changed: its own fields, or {also}. It does not change with other records that it "
        "names, such as its assessor."
    )


UPDATED_SINCE = (
    "Only what changed at this time or later, by `updatedAt`, or up to a minute before, so that what was being "
    "stored then is not missed: replace what you have by its id. `deletedRecords` says what was deleted."
)


def related(
    description: str,
    load: Callable[[Any, Loaders], Any],
    other_rows: OtherRows = NO_ROWS,
    *,
    reads: Collection[str] | None = None,
) -> Any:
    """A field whose value `load(row, loaders)` returns: a loader's future, a coroutine, or the value itself.

    `reads` are the attributes of the row that it reads, None for any; `other_rows` is described at `reads_rows`.
    """

    @reads_rows(reads, other_rows)
    def resolve(root: Any, info: Info) -> Any:
        return load(root, info.context.loaders)

    return strawberry.field(resolver=resolve, description=description)


def resolved(
    description: str,
    resolve: Callable[..., Any],
    *,
    batch: Callable[..., Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    list_size: int | None = None,
    anonymous: bool = False,
    reads: Collection[str] | None = None,
    other_rows: OtherRows = NO_ROWS,
    **arguments: Any,
) -> Any:
    """A field whose value `resolve(row, info, **arguments)` returns, or an awaitable of it.

    `arguments` are annotations by name (`argument(...)`); an argument whose annotation allows null is null by default,
    unless `defaults` gives another value. `batch` is described at `resolves_batches`, `list_size` at `attribute`.
    `anonymous`: everybody can run it, without a viewer. `reads` is described at `related`, `other_rows` at
    `reads_rows`.
    """

    @reads_rows(reads, other_rows)
    def resolver(root: Any, info: Info, **given: Any) -> Any:
        return resolve(root, info, **given)

    optional = {name: None for name, annotation in arguments.items() if _is_optional(annotation)}
    function: Any = resolver if batch is None else resolves_batches(batch)(resolver)
    function.__signature__ = field_signature(arguments, **{**optional, **(defaults or {})})
    metadata = {LIST_SIZE: list_size, ANONYMOUS: anonymous}
    return strawberry.field(resolver=function, description=description, metadata=metadata)


def loaded(
    description: str,
    loader: type[BaseLoader[Any, Any]],
    by: str | tuple[str, str] = "key",
    part: str | None = None,
    nullable: bool = False,
    list_size: int | None = None,
    *,
    take: Callable[[Any], Any] | None = None,
    take_reads: Collection[str] = (),
) -> Any:
    """A field whose value a loader returns for the row's attribute `by`, or two; null where that key is None.

    `part` is the attribute to take from the loaded object, so that one read serves several fields; `take` makes the
    value from it instead, and reads the attributes `take_reads` of the loaded rows. `nullable`: the loader may return
    None, or the key be None, and then the value is null. `list_size` is described at `attribute`.
    """
    read_by = (by,) if isinstance(by, str) else by
    key_of = attrgetter(*read_by)
    projection = attrgetter(part) if part else take
    if nullable and projection:
        projection = _unless_none(projection)

    def resolve(root: Any, info: Info) -> Any:
        key = key_of(root)
        if key is None:
            return None
        future = info.context.loaders[loader].load(key)
        return map_future(future, projection) if projection else future

    def batch(roots: list[Any], info: Info) -> Any:
        keys = list(map(key_of, roots))
        if None not in keys:
            return info.context.loaders[loader].load_batch(keys)
        return None if projection and not nullable else info.context.loaders[loader].load_present(keys)

    row, other_rows = getattr(loader, "row", None), getattr(loader, "other_rows", NO_ROWS)
    parts = {row: (part,) if part else take_reads} if row and projection else {}
    marked = reads_rows(read_by, other_rows, parts)(resolve)
    function = resolves_batches(batch, projection)(marked)
    return strawberry.field(resolver=function, description=description, metadata={LIST_SIZE: list_size})


def _unless_none(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else function(value)


def person(description: str, key: str) -> Any:
    """A field that returns the user whose key is the row's attribute `key`; null where that key is None."""
    return loaded(description, NamedUserLoader, by=key)


# ---------------------------------------------------------------------- arguments


Id = Annotated[strawberry.ID, strawberry.argument(description="The id of the record.")]
Search = Annotated[
    str | None, strawberry.argument(description="Part of the name to search for. Case and accents are ignored.")
]
_PAGE_ARGUMENTS: dict[str, Any] = {
    "first": Annotated[
        int | None,
        strawberry.argument(description="Number of entries from the start of the list, 1 to 100; 20 if null."),
    ],
    "after": Annotated[
        str | None, strawberry.argument(description="A cursor of this list: only entries after it are returned.")
    ],
    "last": Annotated[
        int | None,
        strawberry.argument(
            description="Number of entries from the end of the list, 1 to 100. Not together with `first` or `after`."
        ),
    ],
    "before": Annotated[
        str | None, strawberry.argument(description="A cursor of this list: only entries before it are returned.")
    ],
}


def argument(type_: Any, description: str) -> Any:
    """The annotation of an optional argument."""
    return Annotated[type_ | None, strawberry.argument(description=description)]


def _is_optional(annotation: Any) -> bool:
    """Whether an argument's annotation allows null."""
    return type(None) in get_args(annotation.__origin__)


def _is_flag(annotation: Any) -> bool:
    return annotation.__origin__ == bool | None


def field_signature(
    arguments: Mapping[str, Any], returns: Any = inspect.Signature.empty, **defaults: Any
) -> inspect.Signature:
    """The signature from which Strawberry reads a field's arguments and type.

    `arguments` are annotations by name; `defaults` are the default values of those arguments that have one.
    """
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
    paged_list: PagedList[Any],
    *,
    owner: str | None = None,
    filter: Any = None,
    order_by: Any = None,
    **arguments: Any,
) -> Any:
    """A page of a list: of all that the viewer sees or, with `owner` (a name in `PagedList.owners`), of each object.

    `filter` is an input type whose fields are filters of the list; `arguments` are further filters by name
    (`argument(...)`). `order_by` is the pair (enum, its default member) for the argument that chooses the order.
    """
    defaults = {name: False if _is_flag(annotation) else None for name, annotation in arguments.items()}
    if filter is not None:
        arguments["filter"] = argument(filter, "Conditions that the entries must meet.")
        defaults["filter"] = None
    if order_by is not None:
        arguments["order_by"] = argument(order_by[0], "The order of the list.")
        defaults["order_by"] = order_by[1]
    arguments |= _PAGE_ARGUMENTS
    defaults |= dict.fromkeys(_PAGE_ARGUMENTS)

    def parse(given: dict[str, Any]) -> tuple[PageArguments, dict[str, Any], Any]:
        page = PageArguments(*(given.pop(name) for name in _PAGE_ARGUMENTS))
        conditions, order = given.pop("filter", None), given.pop("order_by", None)
        values = {**given, **(vars(conditions) if conditions else {})}
        # A loader of pages is found by these values, so lists are made hashable.
        return page, {name: tuple(each) if isinstance(each, list) else each for name, each in values.items()}, order

    async def of_viewer(root: Any, info: Info, **given: Any) -> Any:
        page, values, order = parse(given)
        counted = "totalCount" in selected_names(info)
        return await read_page(info.context.loaders.reading, paged_list, page, values, order, counted)

    def of_owner(root: Any, info: Info, **given: Any) -> Any:
        return pages_loader(info, given).load(root.key)

    def of_owners(roots: list[Any], info: Info, **given: Any) -> Any:
        return pages_loader(info, given).load_batch([root.key for root in roots])

    def pages_loader(info: Info, given: dict[str, Any]) -> PagesLoader[Any]:
        page, values, order = parse(given)
        pairs = tuple(sorted((name, value) for name, value in values.items() if value is not None))
        # Where there are sums, the statement that reads them counts too.
        counted = not paged_list.sums and "totalCount" in selected_names(info)
        return info.context.loaders.get(PagesLoader, paged_list, owner, page, pairs, order, counted)

    resolver: Any = of_viewer if owner is None else resolves_batches(of_owners)(of_owner)
    resolver = reads_rows(("key",))(resolver)
    resolver.__signature__ = field_signature(arguments, **defaults)
    return strawberry.field(resolver=resolver, description=description)


# ---------------------------------------------------------------------- selection


def selected_names(info: Info, *below: str) -> set[str]:
    """The names of the fields selected directly below this one, including those in fragments.

    `below`: the names of fields that lead from this one to another, whose selection is meant instead.
    """
    nodes: list[Any] = info._raw_info.field_nodes
    for name in below:
        nodes = [node for node in _selected(info, nodes) if node.name.value == name]
    return {node.name.value for node in _selected(info, nodes)}


def _selected(info: Info, nodes: list[Any]) -> list[Any]:
    found, selection_sets = [], [node.selection_set for node in nodes if node.selection_set]
    while selection_sets:
        selection: Any
        for selection in selection_sets.pop().selections:
            if selection.kind == "field":
                found.append(selection)
            elif selection.kind == "fragment_spread":
                selection_sets.append(info._raw_info.fragments[selection.name.value].selection_set)
            else:
                selection_sets.append(selection.selection_set)
    return found
