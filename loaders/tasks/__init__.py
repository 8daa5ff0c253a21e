"""The kinds of task: what waits for a viewer, as one select for each kind."""
