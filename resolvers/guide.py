"""The guides of the knowledge base, for every signed-in user."""

from domain.enums import Role
from resolvers.core.context import Context
from services.guides import Guide, guides


def for_audience(context: Context, audience: Role | None) -> list[Guide]:
    """Returns the guides for a role, or all of them, in order. Raises NotSignedIn or SetupRequired."""
    _ = context.require_active_viewer()
    return [guide for guide in guides() if audience is None or audience in guide.audience]


def by_slug(context: Context, slug: str) -> Guide | None:
    """Returns one guide. Raises NotSignedIn or SetupRequired."""
    return next((guide for guide in for_audience(context, None) if guide.slug == slug), None)
