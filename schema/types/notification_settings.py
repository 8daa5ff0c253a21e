"""The viewer's own choice of e-mails and push messages about tasks, and the address of their calendar."""

from loaders.notification_settings import NotificationSettingsRow
from resolvers.notification_settings import calendar_url
from schema.field_builders import attribute, resolved
from schema.relay import value
from schema.task_enums import TaskKind


@value(
    NotificationSettingsRow,
    "Which e-mails and push messages the viewer gets about their tasks. They hold for all roles of the user.",
)
class NotificationSettings:
    email_for: list[TaskKind] = attribute(
        "The kinds of task of which an e-mail is sent as they arise, and again as a reminder. Before the user has "
        "chosen any these are documents to sign, evidence that was returned to them, and evidence that was resubmitted."
    )
    digest_hour: int | None = attribute(
        "The hour of the day in London, 0 to 23, at which one e-mail says what waits; null for none."
    )
    push_for: list[TaskKind] = attribute(
        "The kinds of task of which the viewer's browsers in `Viewer.pushSubscriptions` are notified as they arise. "
        "Until the user chooses, these are the kinds that somebody else requests of the user."
    )
    calendar_url: str | None = resolved(
        "A private address with the viewer's own sessions, for a calendar program (iCalendar). Who has it needs no "
        "password. Null until it is requested, and for an access key.",
        lambda settings, info: calendar_url(info.context, settings),
    )
