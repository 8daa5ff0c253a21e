"""Files that attack what decodes them, and a decoder that one of them has taken over."""

import os
import pickle
from pathlib import Path

_LEVELS, _CALLS = 8, 100


def endless_pdf() -> bytes:
    """Returns a PDF of a few kilobytes whose page draws a form that draws another 100 times, and so on: 10^16 lines."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 600]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
        _stream(b"", b"/F Do "),
    ]
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 300 600]"
    for level in range(_LEVELS):
        inner = b"/Resources<</XObject<</F %d 0 R>>>>" % (6 + level)
        objects.append(_stream(form + inner, b"/F Do " * _CALLS))
    objects.append(_stream(form, b"0 0 m 300 600 l S " * _CALLS))
    body = b"".join(b"%d 0 obj %s endobj\n" % (number, each) for number, each in enumerate(objects, 1))
    return b"%PDF-1.4\n" + body + b"trailer <</Root 1 0 R>>\n"


def _stream(entries: bytes, content: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(content), content)


class _MakesFolder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self._folder),)


def unpickled_makes(folder: Path) -> bytes:
    """Returns the frame of an answer that makes a folder in the process that unpickles it."""
    content = pickle.dumps((None, _MakesFolder(folder)))
    return len(content).to_bytes(4, "big") + content


def taken_over(content: bytes, content_type: str, width: int) -> bytes:
    """A decoder that a file has taken over: it sends the file to the server as its answer, and waits."""
    os.write(1, content)
    return b"RIFF    WEBP"
