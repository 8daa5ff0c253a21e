"""Qualifications: read in pages."""

from loaders.page import Page
from loaders.qualification import QUALIFICATIONS, QualificationRow
from loaders.viewer_list import read_page
from resolvers.context import Context


async def page(
    context: Context, *, search: str | None, first: int, after: str | None, counted: bool
) -> Page[QualificationRow]:
    """A page of the provider's qualifications, by title. Raises BadArgument for a page or cursor that cannot be."""
    return await read_page(context.loaders.reading, QUALIFICATIONS, first, after, counted, {"search": search or None})
