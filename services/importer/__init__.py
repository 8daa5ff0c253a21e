"""Qualifications from JSON and CSV files: parsing, validation, storing."""
