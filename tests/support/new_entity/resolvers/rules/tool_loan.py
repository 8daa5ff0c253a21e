"""Rules of loans of tools: the role decides."""

from resolvers.core.rules import Owned, RecordRules

TOOL_LOAN = RecordRules("ToolLoan", state=lambda row: Owned(row.learner_key))
TOOL_LOAN.by_role("toolLoanReturn")
