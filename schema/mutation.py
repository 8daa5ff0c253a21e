"""The root of every write: the mutations of each entity together."""

import strawberry

from schema.mutations.sign_in import SignInMutations


@strawberry.type(
    description="Everything that can be done. Each runs in one transaction and answers with the changed entity, or with "
    "errors that say what to mend."
)
class Mutation(SignInMutations):
    pass
