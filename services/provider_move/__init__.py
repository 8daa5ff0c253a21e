"""Moves a provider, with all its records and files, from one installation to another."""
