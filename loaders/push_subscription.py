"""The viewer's browsers that are notified of tasks."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Select, select

from auth import scope
from auth.scope import VIEWER_USER
from db.cached_statement import cached_statement
from db.models.auth_session import AuthSession
from db.models.push_subscription import PushSubscription
from domain.enums import Role
from loaders.core.read_session import ReadSession
from loaders.core.rows import LightRow, column, derived, row


@row(PushSubscription)
class PushSubscriptionRow(LightRow):
    """A browser of the viewer."""

    endpoint: str = column(PushSubscription.endpoint)
    session_key: int = column(PushSubscription.sign_in_id)
    role: Role = column(AuthSession.role)
    created_at: dt.datetime = column(PushSubscription.created_at)
    last_sent_at: dt.datetime | None = column(PushSubscription.last_sent_at)
    of_this_session: bool = derived("session_key")

    @classmethod
    def derive(cls, rows: Sequence["PushSubscriptionRow"], reading: ReadSession) -> None:
        for each in rows:
            each.of_this_session = each.session_key == reading.viewer.auth_session_key


@cached_statement
def _own(role: Role) -> Select:
    # unscoped: the viewer's own browsers
    return (
        select(*PushSubscriptionRow.columns(role))
        .join(AuthSession, AuthSession.id == PushSubscription.sign_in_id)
        .where(PushSubscription.user_id == VIEWER_USER, scope.of_provider(PushSubscription))
        .where(AuthSession.ended_at.is_(None))
        .order_by(PushSubscription.id.desc())
    )


async def own_push_subscriptions(reading: ReadSession) -> list[PushSubscriptionRow]:
    """Returns the viewer's browsers, newest first."""
    return await reading.read(PushSubscriptionRow, _own(reading.viewer.role))
