"""Guides: the knowledge base."""

from typing import Annotated

import strawberry

from resolvers import guide as guides
from schema.enums import Role
from schema.field_builders import argument, attribute, resolved


@strawberry.type(description="A page of the knowledge base, which explains the product to its users.")
class Guide:
    slug: str = attribute("Its name in addresses, such as `signing-documents`.")
    title: str = attribute("The title of the page.")
    audience: list[Role] = attribute("The roles for which it is written.")
    body: str = attribute("The text of the page, in Markdown.")


@strawberry.type
class GuideQueries:
    guides: list[Guide] = resolved(
        "The pages of the knowledge base, in order.",
        lambda root, info, audience: guides.for_audience(info.context, audience),
        audience=argument(Role, "Only pages written for this role."),
    )
    guide: Guide | None = resolved(
        "The page of the knowledge base with this slug; null if there is none.",
        lambda root, info, slug: guides.by_slug(info.context, slug),
        slug=Annotated[str, strawberry.argument(description="The slug of the page.")],
    )
