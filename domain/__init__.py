"""The rules of the field in plain Python: enums, errors, ids, the clock, progress, wording that is signed. No database."""
