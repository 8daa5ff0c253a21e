"""The viewer: the logged-in user in one role."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.access_key import own_access_keys
from loaders.aggregates import Metric
from loaders.bulk_export import own_bulk_exports, own_report_schedules
from loaders.core.dataloader import map_future
from loaders.core.registry import Loaders
from loaders.kpis import KpisLoader
from loaders.learner import LearnerLoader
from loaders.notification_settings import own_notification_settings
from loaders.push_subscription import own_push_subscriptions
from loaders.role_grant import own_grants
from loaders.signature_request import SIGNATURE_REQUESTS_OF_ROLE
from loaders.user import UserRow
from schema.enums import Role, SignatureRequestStatus
from schema.field_builders import argument, attribute, connection, loaded, related, resolved
from schema.relay import Connection
from schema.types.access_key import AccessKey
from schema.types.bulk_export import BulkExport, ReportSchedule
from schema.types.figures import KPI_GROUPS, KPI_HISTORY, OUTCOMES, KpiGroup, KpiPoint, Outcomes
from schema.types.kpis import Kpis, selected_metrics
from schema.types.notification_settings import NotificationSettings
from schema.types.push_subscription import PushSubscription
from schema.types.role_grant import RoleGrant
from schema.types.signature_request import AwaitingViewerOnly, SignatureRequest
from schema.types.task import VIEWER_TASK_COUNTS, VIEWER_TASKS, Task, TaskCount
from schema.types.turnaround import TURNAROUND, Turnaround
from schema.types.user import User
from schema.types.viewer_action import ViewerAction, actions_without_record

if TYPE_CHECKING:
    from schema.types.learner import Learner


def _awaiting_signature_count(loaders: Loaders) -> Awaitable[int]:
    kpis = loaders[KpisLoader].load(frozenset({Metric.SIGNATURES}))
    return map_future(kpis, lambda row: row.awaiting_signature_count)


@strawberry.type(description="The logged-in user in one role, which the access token carries.")
class Viewer:
    role: Role = attribute("The role in use. It alone decides what the viewer may see and do.")
    must_change_password: bool = attribute("Whether the user has to change the password before anything else.")
    must_accept_disclaimer: bool = attribute("Whether the user has to accept the disclaimer before anything else.")
    must_set_up_second_factor: bool = attribute(
        "Whether the user has to set up a second factor before anything else, with `secondFactorEnrol`."
    )
    has_password: bool = attribute(
        "Whether the user has chosen a password. A user who has none signs with a code of `signingCodeRequest`."
    )
    has_second_factor: bool = attribute("Whether `login` needs a code of an authenticator app besides the password.")
    user: User = resolved("The user.", lambda viewer, info: UserRow(viewer.user_key, viewer.name))
    disclaimer: str | None = resolved(
        "The text that the user has to accept at the first login; null if the provider has none.",
        lambda viewer, info: viewer.rules.disclaimer,
    )
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] | None = loaded(
        "The viewer's own learner record if the role is `LEARNER`, else null.", LearnerLoader, by="learner_key"
    )
    grants: list[RoleGrant] = related(
        "The roles that the login has.", lambda viewer, loaders: own_grants(loaders.reading)
    )
    awaiting_signature_count: int = related(
        "Documents that wait for a signature in the viewer's role, about learners whom the viewer may see: the number "
        "on the Awaiting Signature icon.",
        lambda viewer, loaders: _awaiting_signature_count(loaders),
    )
    kpis: Kpis = resolved(
        "Key performance indicators over all learners whom the viewer may see.",
        lambda viewer, info: info.context.loaders[KpisLoader].load(selected_metrics(info)),
    )
    access_keys: list[AccessKey] = related(
        "The viewer's access keys, newest first. A key that ended is listed for 90 days.",
        lambda viewer, loaders: own_access_keys(loaders.reading),
    )
    bulk_exports: list[BulkExport] = related(
        "The viewer's bulk exports in the role in use, newest first. They are listed for three days.",
        lambda viewer, loaders: own_bulk_exports(loaders.reading),
    )
    report_schedules: list[ReportSchedule] = related(
        "The viewer's schedules in the role in use, newest first. One that ended is listed for 90 days.",
        lambda viewer, loaders: own_report_schedules(loaders.reading),
    )
    kpi_history: list[KpiPoint] = KPI_HISTORY
    kpi_groups: list[KpiGroup] = KPI_GROUPS
    outcomes: Outcomes = OUTCOMES
    turnaround: list[Turnaround] = TURNAROUND
    signature_requests: Connection[SignatureRequest] = connection(
        "Documents with a signature slot for the role in use, about learners whom the viewer may see, newest first.",
        SIGNATURE_REQUESTS_OF_ROLE,
        status=argument(SignatureRequestStatus, "Only documents with this status."),
        awaiting_viewer_only=AwaitingViewerOnly,
    )
    viewer_actions: list[ViewerAction] = actions_without_record()
    tasks: Connection[Task] = VIEWER_TASKS
    task_counts: list[TaskCount] = VIEWER_TASK_COUNTS
    notification_settings: NotificationSettings = related(
        "Which e-mails and push messages the viewer gets about their tasks, and the address of their calendar.",
        lambda viewer, loaders: own_notification_settings(loaders.reading),
    )
    push_public_key: str | None = resolved(
        "The key with which a browser subscribes to push messages (`applicationServerKey`), in base64url; null if this "
        "installation sends none.",
        lambda viewer, info: info.context.services.push.public_key,
    )
    push_subscriptions: list[PushSubscription] = related(
        "The viewer's browsers that are notified of tasks, in all roles, newest first.",
        lambda viewer, loaders: own_push_subscriptions(loaders.reading),
    )


@strawberry.type
class ViewerQueries:
    viewer: Viewer = resolved("The logged-in user.", lambda root, info: info.context.viewer_or_raise())
