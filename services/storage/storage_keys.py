"""The keys of files in the store: what is kept of a file's place in the database."""

import re
from uuid import uuid4

KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{32}")
# Of the pictures of a file, in pixels. They are kept under the key of the file and their width.
PREVIEW_WIDTHS = (64, 160, 320, 640, 1280)
# The key of a file, as the first group, or of one of its previews.
ANY_KEY = re.compile(rf"({KEY.pattern})(?:\.p(?:{'|'.join(map(str, PREVIEW_WIDTHS))}))?")


def new_storage_key() -> str:
    """Returns a key that no file has."""
    name = uuid4().hex
    return f"{name[:2]}/{name}"


def preview_key(storage_key: str, width: int) -> str:
    """Returns the key of the preview of a file, of one of `PREVIEW_WIDTHS`."""
    return f"{storage_key}.p{width}"


def validated(storage_key: str) -> str:
    """Returns a key of a file or a preview. Raises FileNotFoundError for anything else.

    Keys come from our own tables; any other format is a bug or an attempt at path traversal.
    """
    if not ANY_KEY.fullmatch(storage_key):
        raise FileNotFoundError("There is no file under this key.")
    return storage_key
