"""The audit trail: appending to it, and checking that it and the records it describes are unchanged."""
