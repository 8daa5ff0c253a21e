"""What a server and its worker processes send each other over pipes: frames of a length and so many bytes.

A worker may have been taken over by what it decodes. So its answers are data, bytes or JSON, of a bounded length, and
are never unpickled. Calls come from the server, and are.
"""

import pickle
import select
import struct
import time
from typing import IO, Any

import orjson

MAX_ANSWER_BYTES = 64 * 2**20
_LENGTH = struct.Struct("!I")
# Each read makes room for what it may get, and a pipe gives little at once.
_PART = 2**20
# The first byte of an answer: how the result is encoded, or that the rest is the class of an exception.
_BYTES, _JSON, _FAILURE = b"b", b"j", b"f"
_MAX_CLASS_NAME = 100


def encode_call(arguments: tuple[Any, ...]) -> bytes:
    """Returns the content of the frame of a call."""
    return pickle.dumps(arguments, pickle.HIGHEST_PROTOCOL)


def decode_call(content: bytes) -> tuple[Any, ...]:
    """Returns the arguments of a call of the server."""
    arguments: tuple[Any, ...] = pickle.loads(content)
    return arguments


def encode_result(result: Any) -> bytes:
    """Returns the content of the frame of a result: bytes, or what JSON can hold. Raises TypeError for others."""
    return _BYTES + result if isinstance(result, bytes) else _JSON + orjson.dumps(result)


def encode_failure(error: Exception) -> bytes:
    """Returns the content of the frame of an exception, of which the class alone is given."""
    return _FAILURE + type(error).__name__.encode()


def decode_answer(content: bytes) -> tuple[str | None, Any]:
    """Returns the class of the exception, or None and the result. Raises ValueError for what is no answer."""
    kind, rest = content[:1], content[1:]
    if kind == _BYTES:
        return None, rest
    if kind == _JSON:
        return None, orjson.loads(rest)
    if kind == _FAILURE and len(rest) <= _MAX_CLASS_NAME and (name := rest.decode()).isidentifier():
        return name, None
    raise ValueError("no answer of a worker")


def write_frame(stream: IO[bytes] | None, content: bytes, deadline: float | None) -> None:
    """Writes a frame. Raises TimeoutError if the other side has not taken it all by then, and OSError."""
    assert stream is not None
    view = memoryview(_LENGTH.pack(len(content)) + content)
    while view:
        _wait(stream, select.POLLOUT, deadline)
        view = view[stream.write(view) or 0 :]


def read_frame(stream: IO[bytes] | None, deadline: float, max_bytes: int | None = None) -> bytes:
    """Returns the content of the next frame.

    Raises TimeoutError if it is not all there by then, EOFError, and ValueError where it has more bytes.
    """
    assert stream is not None
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size, deadline))
    if max_bytes is not None and length > max_bytes:
        raise ValueError("the frame is too long")
    return _exactly(stream, length, deadline)


def _exactly(stream: IO[bytes], size: int, deadline: float) -> bytes:
    parts = []
    while size:
        _wait(stream, select.POLLIN, deadline)
        part = stream.read(min(size, _PART))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _wait(stream: IO[bytes], event: int, deadline: float | None) -> None:
    # Unlike select(), poll() also knows descriptors above 1024.
    poll = select.poll()
    poll.register(stream, event)
    if not poll.poll(None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
