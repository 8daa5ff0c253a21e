"""Mutations of sessions: booking and changing them, and recording whether they took place."""
