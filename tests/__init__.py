"""The tests: they mirror the rooms; conftest.py holds what they share."""
