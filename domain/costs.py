"""What fields declare about their cost, in their metadata."""

# The number of entries that a list without pages has at most, or usually.
LIST_SIZE = "list_size"
