"""The rules of the mutations that take a record, one file a type."""
