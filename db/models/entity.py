"""What a mapped class declares about itself as an entity: its GraphQL type, and what makes its rows visible."""

from dataclasses import dataclass
from enum import Enum, auto


class Visibility(Enum):
    """What decides whether a viewer sees a row. `auth.scope.sees` turns each into SQL, for each role."""

    # Every row of the viewer's provider.
    PROVIDER = auto()
    # The row is a learner.
    LEARNER_ITSELF = auto()
    # The row is an aim.
    AIM_ITSELF = auto()
    # Its `aim_id` where it has one, else its `learner_id`.
    RECORD = auto()
    # The row is a session: by the aims that it is about, else by its `learner_id`.
    SESSION_ITSELF = auto()
    # The row is a document to sign: that of a review with the review's session, any other by its `learner_id`.
    DOCUMENT_ITSELF = auto()
    # Its `session_id`.
    SESSION = auto()
    # Its `aim_id`, and only to assessors, IQAs and Master Admins.
    QUALITY_ASSURANCE = auto()
    # Its `user_id`: the viewer's own.
    OWNER = auto()
    # Its `user_id` and `role`: the viewer's own, in the role in use.
    OWNER_IN_ROLE = auto()
    FILE_ITSELF = auto()
    EMPLOYER_ITSELF = auto()
    USER_ITSELF = auto()
    AUDIT_EVENT_ITSELF = auto()


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity, declared once as `__entity__` of its mapped class.

    `type_name` is its GraphQL type and the prefix of its ids.
    """

    type_name: str
    visible: Visibility
