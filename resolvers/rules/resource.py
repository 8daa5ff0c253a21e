"""Rules of resources: the role decides."""

from resolvers.core.rules import Owned, RecordRules

RESOURCE = RecordRules("Resource", state=lambda row: Owned(row.learner_key))
RESOURCE.by_role("resourceRemove")
