"""Mutations of aims: adding and changing them, their units and hours, and the move to another version."""
