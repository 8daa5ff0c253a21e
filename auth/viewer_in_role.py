"""The viewer of work that outlives a user's request: the account in one role, without an authentication session."""

from sqlalchemy import bindparam, select

from auth.viewer import COLUMNS, NotSignedIn, Viewer, lacks_second_factor, viewer_of_row
from db.database import Database
from db.models.base import Key
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.second_factor import SecondFactor
from db.models.user import RoleGrant, User
from domain import clock
from domain.enums import Role

_VIEWER_IN_ROLE = (
    select(RoleGrant.role, *COLUMNS)
    .join(User, User.id == RoleGrant.user_id)
    .join(Provider, Provider.id == User.provider_id)
    .outerjoin(Learner, Learner.user_id == User.id)
    .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
    .where(
        RoleGrant.user_id == bindparam("user_key", type_=Key),
        RoleGrant.role == bindparam("role", type_=RoleGrant.role.type),
        User.archived_at.is_(None),
    )
)


async def read_viewer_in_role(database: Database, user_key: int, role: Role) -> Viewer:
    """Returns a user as the viewer of work that outlives their request.

    Raises NotSignedIn if the role was revoked, the account is archived, or the user has to complete the setup.
    """
    rows = await database.rows(_VIEWER_IN_ROLE, {"user_key": user_key, "role": role}, primary=True)
    if not rows:
        raise NotSignedIn
    (row,) = rows
    viewer = viewer_of_row(row, clock.now(), auth_session_key=0, must_set_up_second_factor=lacks_second_factor(row))
    if viewer.must_complete_setup:
        raise NotSignedIn
    return viewer
