"""Connections: pages of a list, as Relay's clients know them, with `nodes` for everyone else."""

from typing import Any, Generic, TypeVar

import strawberry

from schema.field_builders import attribute

T = TypeVar("T")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = attribute("Whether more follows this page.")
    has_previous_page: bool = attribute("Whether something comes before this page.")
    start_cursor: str | None = attribute("The place of the page's first entry; null on an empty page.")
    end_cursor: str | None = attribute("The place of the page's last entry: give it as `after` for the next page.")


@strawberry.type(description="An entry of a page, with its place in the list.")
class Edge(Generic[T]):
    cursor: str = attribute("The entry's place: give it as `after` for what follows it.")
    node: T = attribute("The entry itself.")


@strawberry.type(description="A page of a list that the viewer may see.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = attribute("The page's entries, each with its place.")
    nodes: list[T] = attribute("The page's entries.")
    page_info: PageInfo = attribute("Where this page lies in the list.")

    @strawberry.field(description="How many entries the whole list has for this viewer, whatever the page.")
    def total_count(root: Any) -> int:
        return root.count()
