"""The audit trail: read in pages."""

from domain import global_id as ids
from loaders.audit_event import AUDIT_TRAIL, AuditEventRow
from loaders.core.pagination import Page
from loaders.core.viewer_list import read_page
from resolvers.core.context import Context


async def page(
    context: Context, *, subject_id: str | None, first: int, after: str | None, counted: bool
) -> Page[AuditEventRow]:
    """A page of the trail that the viewer sees, newest first; with `subject_id` the lines about that record.

    Raises BadArgument for a page or cursor that cannot be.
    """
    asked: dict[str, object] = {}
    if subject_id is not None:
        # An id that names nothing finds nothing: 0 is nobody's key.
        name, key, part = ids.parse(subject_id) or ("", 0, None)
        asked = {"subject_type": name, "subject_key": key, "subject_part": part}
    return await read_page(context.loaders.reading, AUDIT_TRAIL, first, after, counted, asked)
