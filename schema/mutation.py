"""The root of every write: the mutations of each entity together."""

import strawberry

from schema.mutations.action import ActionMutations
from schema.mutations.session import SessionMutations
from schema.mutations.sign_in import SignInMutations
from schema.mutations.time_log_entry import TimeLogEntryMutations


@strawberry.type(
    description="Everything that can be done. Each runs in one transaction and answers with the changed entity, or with "
    "errors that say what to mend."
)
class Mutation(ActionMutations, SessionMutations, SignInMutations, TimeLogEntryMutations):
    pass
