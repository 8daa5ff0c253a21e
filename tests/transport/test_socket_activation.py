"""Sockets of a service manager: who gets them, and that the variables go no further."""

import os
import socket

from transport.socket_activation import inherited_sockets


def test_sockets_for_another_process_are_left_alone():
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "waymark"}
    assert inherited_sockets(environment) == []
    assert environment == {}
    assert inherited_sockets({}) == []
    assert inherited_sockets({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many"}) == []


def test_sockets_for_this_process_are_returned(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr("transport.socket_activation._FIRST", os.dup(listener.fileno()))
        [inherited] = inherited_sockets({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})
        with inherited:
            assert inherited.getsockname() == listener.getsockname()
