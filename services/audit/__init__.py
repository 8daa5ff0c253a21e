"""The audit trail: how it is appended, chained and verified, with the checks of sums, signatures and files."""
