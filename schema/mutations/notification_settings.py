"""The mutations of the viewer's own choice of e-mails and push messages."""

import strawberry

from resolvers import notification_settings, push_subscription
from schema.mutations.authentication import ViewerPayload
from schema.payload import mutation, required
from schema.task_enums import TaskKind


@strawberry.input(
    description="The changes of the viewer's e-mails and push messages about tasks; omitted fields are not changed."
)
class NotificationSettingsInput:
    email_for: list[TaskKind] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The kinds of task of which an e-mail is sent as they arise; an empty list for none.",
    )
    digest_hour: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="The hour in London, 0 to 23, at which one e-mail a day says what waits; null for none.",
    )
    push_for: list[TaskKind] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The kinds of task of which the viewer's browsers are notified as they arise; an empty list for "
        "none.",
    )
    calendar: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="True makes a new address of the calendar, which ends the old one; false ends it.",
    )


@strawberry.input(description="The push subscription of a browser: what its `PushSubscription.toJSON()` returns.")
class PushSubscriptionInput:
    endpoint: str = strawberry.field(
        description="The address at which the browser's push service takes messages for it. Its host must be one that "
        "this installation sends to."
    )
    p256dh: str = strawberry.field(description="Its `keys.p256dh`: the public key of the browser, in base64url.")
    auth: str = strawberry.field(description="Its `keys.auth`: the secret of the browser, in base64url.")


@strawberry.type
class NotificationSettingsMutations:
    notification_settings_update = mutation(
        ViewerPayload,
        notification_settings.update,
        "Changes which e-mails and push messages the viewer gets about their tasks, and the address of their calendar. "
        "Each such e-mail has a link that ends its kind.",
        input=required(NotificationSettingsInput, "The changes."),
    )
    push_subscription_add = mutation(
        ViewerPayload,
        push_subscription.add,
        "Has a browser notified of the viewer's tasks in the role in use, as `notificationSettings.pushFor` says. The "
        "browser subscribes with `Viewer.pushPublicKey` first. It lasts as long as the session that adds it, and takes "
        "the place of an earlier one of the session; of a user's browsers the newest ten are kept.",
        input=required(PushSubscriptionInput, "The push subscription."),
    )
    push_subscription_remove = mutation(
        ViewerPayload,
        push_subscription.remove,
        "Ends the notifications of one of the viewer's browsers. Again changes nothing.",
        endpoint=required(str, "The address in `PushSubscription.endpoint`."),
    )
