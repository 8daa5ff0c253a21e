"""What can go wrong for whoever runs a saved operation, each with a sentence that says what to do."""


class Fault(Exception):
    """Why nothing was fetched or written. `status` is the exit status of the command line."""

    status = 1


class WrongUse(Fault):
    """An operation, variable, format or file that cannot be: found before anything is sent."""

    status = 2


class NotLetIn(Fault):
    """The server did not let the person in, or not yet."""

    status = 3


class Unanswered(Fault):
    """The server is not there, or answered with an error."""

    status = 4
