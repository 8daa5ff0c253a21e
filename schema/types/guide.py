"""Guides: the knowledge base."""

import strawberry

from schema.enums import Role
from schema.field_builders import attribute


@strawberry.type(description="A page of the knowledge base [001][002].")
class Guide:
    slug: str = attribute("Its name in addresses, such as signing-documents.")
    title: str = attribute("What it is about.")
    audience: list[Role] = attribute("The roles that it is written for.")
    body: str = attribute("The page, in Markdown.")
