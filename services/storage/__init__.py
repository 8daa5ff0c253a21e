"""File storage: the store, atomic writes to disk, and the check of uploads."""
