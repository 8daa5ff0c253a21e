"""Completes the history of aims and of logged time."""
