"""A thread that records what the event loop's thread runs while the loop is late."""

import gc
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, chain, islice, repeat, takewhile
from operator import itemgetter
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, Self

from transport.graphql.operation_log import OperationLog

_ROOT = f"{Path(__file__).parents[2]}/"


@dataclass(frozen=True, slots=True)
class Work:
    """What the loop was busy with: the request and its operation, and the place in the code; None if not known."""

    request_id: str | None = None
    operation: str | None = None
    where: str | None = None


class LoopWatcher:
    """The thread, during a `with` block in the thread to watch. That one sets `turned_at` at each turn of the loop.

    `seconds`: how long the loop may take for a turn before it is looked at, at most twice that time after its start.
    """

    def __init__(self, seconds: float) -> None:
        self.turned_at = time.monotonic()
        self._seconds = seconds
        self._watched = threading.get_ident()
        # What runs the loop, from the outside, and then this task of it.
        self._outer = [frame.f_code for frame in frames_of(self._watched)][::-1]
        # The turn that was looked at, and what it was busy with.
        self._seen: tuple[float, Work] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loop watcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()

    def seen_since(self, turned_at: float) -> Work | None:
        """Returns what the turn that began then was busy with; None if it was not looked at."""
        seen = self._seen
        return seen[1] if seen is not None and seen[0] == turned_at else None

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            turn = self.turned_at
            if time.monotonic() - turn >= self._seconds and self.seen_since(turn) is None:
                self._seen = turn, work_of(frames_of(self._watched), self._outer)


def work_of(frames: Sequence[FrameType], outer: Sequence[CodeType]) -> Work:
    """Returns what a thread is busy with, from its frames: nothing if the loop only waits.

    `outer`: the code of the frames that another task of the loop had, from the outside.
    """
    shared = takewhile(lambda pair: pair[0].f_code is pair[1], zip(reversed(frames), outer, strict=False))
    frames = frames[: len(frames) - len(list(shared))]
    where = next((place for each in frames if (place := _place(each))), None)
    request_id: str | None = None
    for each in frames:
        for value in list(each.f_locals.values()):
            # One that is being made does not have all its attributes yet; this is the last.
            if isinstance(value, OperationLog) and hasattr(value, "started"):
                return Work(value.request_id, value.saved_name or (value.name and value.name[:64]), where)
        request_id = request_id or _request_id(each.f_locals)
    return Work(request_id, None, where)


def frames_of(thread: int) -> list[FrameType]:
    """Returns the frames of a thread, the innermost first.

    They are read within one call of C functions and without a garbage collection, so that the thread cannot run
    meanwhile: the interpreter has crashed while the frames of a thread that went on were followed.
    """
    innermost = map(itemgetter(thread), islice(iter(sys._current_frames, None), 1))
    following: Any = accumulate(chain(innermost, repeat("f_back")), getattr)
    frames: list[FrameType | None] = []
    collects = gc.isenabled()
    gc.disable()
    try:
        # Ends with an error: what is outside of the outermost frame, None, has no frame around it.
        with suppress(AttributeError, KeyError):
            frames.extend(following)
    finally:
        if collects:
            gc.enable()
    return [frame for frame in frames if frame is not None]


def _place(frame: FrameType) -> str | None:
    """Returns file, line and function of a frame of Waymark's code; None of a library's."""
    file = frame.f_code.co_filename
    if not file.startswith(_ROOT) or "/site-packages/" in file or file == __file__:
        return None
    return f"{file.removeprefix(_ROOT)}:{frame.f_lineno} {frame.f_code.co_name}"


def _request_id(names: dict[str, Any]) -> str | None:
    """Returns the id of the request that the variables of a function belong to: its own, or of its context."""
    context = names.get("context") or getattr(names.get("info"), "context", None)
    found = names.get("request_id") or getattr(getattr(context, "client", None), "request_id", None)
    return found if isinstance(found, str) else None
