"""Queries and mutations without GraphQL: plain arguments in, keys or rows out; one module or package an entity."""
