"""Scoped reads of entities for a write, inside its transaction."""
