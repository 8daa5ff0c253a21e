"""Guides: the knowledge base."""

from typing import Annotated

import strawberry

from resolvers import guide as guides
from schema.enums import Role
from schema.field_builders import Info, argument, attribute


@strawberry.type(description="A page of the knowledge base [001][002].")
class Guide:
    slug: str = attribute("Its name in addresses, such as signing-documents.")
    title: str = attribute("What it is about.")
    audience: list[Role] = attribute("The roles that it is written for.")
    body: str = attribute("The page, in Markdown.")


@strawberry.type
class GuideQueries:
    @strawberry.field(description="The knowledge base, in its order.")
    def guides(
        root: object, info: Info, audience: argument(Role, "Those written for this role.") = None
    ) -> list[Guide]:
        return guides.for_audience(info.context, audience)  # type: ignore[return-value]

    @strawberry.field(description="One page of the knowledge base; null if there is none of that name.")
    def guide(
        root: object, info: Info, slug: Annotated[str, strawberry.argument(description="The guide's slug.")]
    ) -> Guide | None:
        return guides.by_slug(info.context, slug)  # type: ignore[return-value]
