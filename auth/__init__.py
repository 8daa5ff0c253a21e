"""Authentication (passwords, tokens, auth sessions, the viewer) and authorization (scope and policy)."""
