"""The viewer: who is signed in, as what, and what waits for them."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from auth.viewer import Viewer as SignedIn
from loaders.kpis import SIGNATURES, KpisLoader
from loaders.learner import LearnerLoader
from loaders.role_grant import own_grants
from loaders.signature_request import SIGNATURE_REQUESTS_OF_ROLE
from loaders.user import UserRow
from schema.enums import Role, SignatureRequestStatus
from schema.field_builders import Info, argument, attribute, connection, loaded, related
from schema.relay import Connection
from schema.types.kpis import Kpis, parts_asked
from schema.types.role_grant import RoleGrant
from schema.types.signature_request import SignatureRequest
from schema.types.user import User

if TYPE_CHECKING:
    from schema.types.learner import Learner


async def _awaiting_signature(kpis):
    return (await kpis).awaiting_signature_count


@strawberry.type(description="Who is signed in, in the one role that the token carries.")
class Viewer:
    role: Role = attribute("The role in use, which alone decides what is seen and allowed.")
    must_change_password: bool = attribute("Whether the password has to be changed before anything else.")
    must_accept_disclaimer: bool = attribute("Whether the disclaimer has to be accepted before anything else.")

    @strawberry.field(description="The person.")
    def user(root: SignedIn) -> User:
        return UserRow(root.user_key, root.name)  # type: ignore[return-value]

    @strawberry.field(
        description="The words to read and accept at the first sign-in; null where the provider has none."
    )
    def disclaimer(root: SignedIn) -> str | None:
        return root.rules.disclaimer

    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] | None = loaded(
        "The viewer's own record, where the role is LEARNER; else null.", LearnerLoader, by="learner_key"
    )
    grants: list[RoleGrant] = related(
        "The roles that the viewer's login holds.", lambda _, loaders: own_grants(loaders.reading)
    )
    awaiting_signature_count: int = related(
        "Documents that wait for the viewer's own signature: open slots of the role in use on PENDING documents about "
        "learners that the viewer may see. The red border [000], the orange box [002] and the number [001] on the "
        "Awaiting Signature icon.",
        lambda viewer, load: _awaiting_signature(load[KpisLoader].load(SIGNATURES)),
    )

    @strawberry.field(
        description="Over every learner that the viewer may see: the employer app's first screen in one field [000]."
    )
    def kpis(root: SignedIn, info: Info) -> Kpis:
        return info.context.loaders[KpisLoader].load(parts_asked(info))  # type: ignore[return-value]

    signature_requests: Connection[SignatureRequest] = connection(
        "Documents about learners whom the viewer may see in which the role in use has a place; the latest first.",
        SIGNATURE_REQUESTS_OF_ROLE,
        status=argument(SignatureRequestStatus, "Only those in this status."),
    )


@strawberry.type
class ViewerQueries:
    @strawberry.field(description="Who is signed in.")
    def viewer(root: object, info: Info) -> Viewer:
        return info.context.viewer_or_raise()  # type: ignore[return-value]
