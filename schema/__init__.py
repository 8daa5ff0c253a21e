"""The GraphQL schema: types, inputs, payloads and the root types.

A field is one line (`schema.field_builders`); a mutation is one line (`schema.payload`).
"""
