"""The viewer's own choice of e-mails and push messages about tasks."""

from sqlalchemy import Select

from auth import scope
from auth.scope import VIEWER_USER
from db.cached_statement import cached_statement
from db.models.user import User
from domain.enums import Role, TaskKind
from domain.notifications import email_kinds, push_kinds
from loaders.core.read_session import ReadSession
from loaders.core.rows import LightRow, column, row


@row(User)
class NotificationSettingsRow(LightRow):
    """Which e-mails and push messages a user gets. `calendar_nonce` is None without a calendar address."""

    user_key: int = column(User.id)
    email_for: list[TaskKind] = column(User.email_for, convert=email_kinds)
    digest_hour: int | None = column(User.digest_hour)
    push_for: list[TaskKind] = column(User.push_for, convert=push_kinds)
    calendar_nonce: str | None = column(User.calendar_nonce)


@cached_statement
def _own(role: Role) -> Select:
    # unscoped: the viewer's own account
    return NotificationSettingsRow.select(role).where(User.id == VIEWER_USER, scope.of_provider(User))


async def own_notification_settings(reading: ReadSession) -> NotificationSettingsRow:
    """Returns the viewer's settings, the same in each of their roles."""
    [found] = await reading.read(NotificationSettingsRow, _own(reading.viewer.role))
    return found
