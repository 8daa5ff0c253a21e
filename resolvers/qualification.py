"""Qualifications: read in pages."""

from loaders.core.pagination import Page
from loaders.core.viewer_list import read_page
from loaders.qualification import QUALIFICATIONS, QualificationRow
from resolvers.core.context import Context


async def page(
    context: Context, *, search: str | None, first: int, after: str | None, counted: bool
) -> Page[QualificationRow]:
    """A page of the provider's qualifications, by title. Raises BadArgument for a page or cursor that cannot be."""
    return await read_page(context.loaders.reading, QUALIFICATIONS, first, after, counted, {"search": search or None})
