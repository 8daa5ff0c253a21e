"""The client's exceptions. Each message says what is wrong and what to do."""

# How the command is called: `waymark` where the client is installed as a package, which has that name.
COMMAND = "waymark" if __name__.startswith("waymark.") else "python -m queries"


class WaymarkError(Exception):
    """Base class. `exit_status` is what the command line exits with."""

    exit_status = 1


class UsageError(WaymarkError):
    """An invalid operation, variable, format or file, found before a request is sent."""

    exit_status = 2


class AuthenticationError(WaymarkError):
    """The sign-in failed or has ended, or the account must complete a step first."""

    exit_status = 3


class ServerError(WaymarkError):
    """The server cannot be reached or answered with an error."""

    exit_status = 4
