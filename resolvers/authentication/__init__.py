"""Mutations of the viewer's own account: login and logout, roles, password and disclaimer."""
