"""Reads of entities within a write transaction: scoped, locked where the write depends on them, one file an entity."""
