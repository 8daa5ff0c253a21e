"""The mutations, a file an entity: its inputs, its payload, and one line of resolver each."""
