"""The viewer: who is signed in, as what, and what waits for them."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from auth.viewer import Viewer as SignedIn
from loaders.user import UserRow
from schema.enums import Role
from schema.fields import Info, attribute, related
from schema.user import User

if TYPE_CHECKING:
    from schema.learner import Learner


@strawberry.type(description="Who is signed in, in the one role that the token carries.")
class Viewer:
    role: Role = attribute("The role in use, which alone decides what is seen and allowed.")
    must_change_password: bool = attribute("Whether the password has to be changed before anything else.")
    must_accept_disclaimer: bool = attribute("Whether the disclaimer has to be accepted before anything else.")

    @strawberry.field(description="The person.")
    def user(root: SignedIn) -> User:  # noqa: N805
        return UserRow(root.user_key, root.name)  # type: ignore[return-value]

    @strawberry.field(description="The words to read and accept at the first sign-in; null where the provider has none.")
    def disclaimer(root: SignedIn) -> str | None:  # noqa: N805
        return root.rules.disclaimer

    learner: Annotated["Learner", strawberry.lazy("schema.learner")] | None = related(
        "The viewer's own record, where the role is LEARNER; else null.",
        lambda viewer, load: load.learner.load(viewer.learner_key) if viewer.learner_key else None,
    )
