"""Rules of resources: the role decides."""

from resolvers.core.rules import Owned, RecordRules
from resolvers.rules.aim import AIM

RESOURCE = RecordRules("Resource", state=lambda row: Owned(row.learner_key))
RESOURCE.by_role("resourceRemove")
AIM.by_role("resourceAdd")
