"""What the schema declares about a field for the transport: keys of the metadata of a Strawberry field."""

# The number of entries that a list without pages has at most, or usually, for the cost of an operation.
LIST_SIZE = "list_size"
# Of a root field, True: it can be run without a viewer, such as `login`.
ANONYMOUS = "anonymous"
# Of a field that an anonymous root field returns: the name of the query field that gives the same value once there is a
# viewer. What a document selects below it is neither validated nor run before the sign-in has succeeded.
AFTER_SIGN_IN = "after_sign_in"
