"""Backup and restore of an SQLite installation."""
