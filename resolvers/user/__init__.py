"""Mutations of users: invitations, accounts, the roles they hold, and the allocations of employer roles."""
