"""Rules that need no database: enums, errors, global ids, the clock, progress and the statements that are signed."""
