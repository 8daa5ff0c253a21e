"""File storage: the store, atomic writes, and which uploads are accepted."""
