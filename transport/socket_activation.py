"""Takes the listening socket of a service manager (systemd's socket activation, sd_listen_fds(3)).

The service manager keeps the port open while the process restarts: connections wait, and none is refused.
"""

import os
import socket
from collections.abc import MutableMapping

# The first descriptor that a service manager passes.
_FIRST = 3
_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def inherited_sockets(environment: MutableMapping[str, str] = os.environ) -> list[socket.socket]:
    """Returns the listening sockets that were passed to this process; none if it was started in another way.

    Removes the variables, so that no child process takes the sockets for its own.
    """
    values = {name: environment.pop(name, "") for name in _VARIABLES}
    if values["LISTEN_PID"] != str(os.getpid()) or not values["LISTEN_FDS"].isdecimal():
        return []
    descriptors = range(_FIRST, _FIRST + int(values["LISTEN_FDS"]))
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]
