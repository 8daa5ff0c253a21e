"""Batched reads: light rows and aiodataloader classes, one a relation."""
