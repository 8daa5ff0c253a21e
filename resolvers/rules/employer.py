"""Rules of employers: the role decides."""

from resolvers.core.rules import Owned, RecordRules
from resolvers.rules.viewer import VIEWER

EMPLOYER = RecordRules("Employer", state=lambda row: Owned())
EMPLOYER.by_role("employerUpdate")
VIEWER.by_role("employerCreate")
