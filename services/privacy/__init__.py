"""Erasure, retention and subject access. The text that replaces a person's words is in their column's declaration.

`db/models/personal_data.py` explains it: `comment = personal(erased=None)`.
"""
