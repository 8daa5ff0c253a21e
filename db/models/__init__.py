"""The tables: one file for each entity, with what makes a row visible and what erasure makes of its words."""
