"""The root of every write: the mutations that the modules of schema/mutations declare."""

from schema.root_types import gather

Mutation = gather(
    "Mutation",
    "schema.mutations",
    "Everything that can be done. Each runs in one transaction and answers with the changed entity, or with errors that "
    "say what to correct.",
)
