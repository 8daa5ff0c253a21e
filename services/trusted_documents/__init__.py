"""Trusted documents of clients: stored by the operator, found by the processes that serve."""
