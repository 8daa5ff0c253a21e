"""Push subscriptions: the browsers that show the viewer what waits for them."""

import datetime as dt

from loaders.push_subscription import PushSubscriptionRow
from schema.enums import Role
from schema.field_builders import attribute
from schema.relay import value


@value(
    PushSubscriptionRow,
    "A browser that is notified of the viewer's tasks, also while the app is closed (web push). It lasts as long as "
    "its session: until the user signs out there, changes the password or loses the role, or the push service ends it.",
)
class PushSubscription:
    endpoint: str = attribute(
        "The address at which the browser's push service takes messages; it identifies the browser."
    )
    role: Role = attribute("The role of the tasks: that of the session which added it.")
    of_this_session: bool = attribute("Whether the session in use added it.")
    created_at: dt.datetime = attribute("When it was added.")
    last_sent_at: dt.datetime | None = attribute("When a message was last sent to it; null if none was.")
