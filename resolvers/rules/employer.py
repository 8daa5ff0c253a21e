"""Rules of employers: the role decides."""

from resolvers.core.rules import Owned, RecordRules

EMPLOYER = RecordRules("Employer", state=lambda row: Owned())
EMPLOYER.by_role("employerUpdate", "learnerEnrol")
