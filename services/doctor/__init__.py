"""Compares an installation with what docs/operations.md describes, for `server.py doctor`."""
