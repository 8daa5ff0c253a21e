"""The type Mutation: the mutations that the modules of schema/mutations declare."""

from schema.root_types import gather

Mutation = gather(
    "Mutation",
    "schema.mutations",
    "All mutations. Each runs in one transaction and returns the changed records, or errors that say what to correct.",
)
