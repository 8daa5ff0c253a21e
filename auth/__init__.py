"""Who is asking, what they may see (scope) and do (policy)."""
