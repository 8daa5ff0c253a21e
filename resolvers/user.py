"""People: read in pages."""

from db.enums import Role
from loaders.page import Page
from loaders.user import USERS, UserRow
from loaders.viewer_list import read_page
from resolvers.context import Context


async def page(
    context: Context, *, search: str | None, role: Role | None, first: int, after: str | None, counted: bool
) -> Page[UserRow]:
    """A page of the people whom the viewer sees, by name; archived accounts are left out.

    `role`: those who hold it. Raises BadArgument for a page or cursor that cannot be.
    """
    asked = {"search": search or None, "role": role}
    return await read_page(context.loaders.reading, USERS, first, after, counted, asked)
