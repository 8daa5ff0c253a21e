"""The mutation of the viewer's own choice of e-mails."""

import strawberry

from resolvers import notification_settings
from schema.mutations.authentication import ViewerPayload
from schema.payload import mutation, required
from schema.task_enums import TaskKind


@strawberry.input(description="The changes of the viewer's e-mails about tasks; omitted fields are not changed.")
class NotificationSettingsInput:
    email_for: list[TaskKind] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The kinds of task of which an e-mail is sent as they arise; an empty list for none.",
    )
    digest_hour: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="The hour in London, 0 to 23, at which one e-mail a day says what waits; null for none.",
    )
    calendar: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="True makes a new address of the calendar, which ends the old one; false ends it.",
    )


@strawberry.type
class NotificationSettingsMutations:
    notification_settings_update = mutation(
        ViewerPayload,
        notification_settings.update,
        "Changes which e-mails the viewer gets about their tasks, and the address of their calendar. Each such e-mail "
        "has a link that ends its kind.",
        input=required(NotificationSettingsInput, "The changes."),
    )
