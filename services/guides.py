"""The knowledge base: the guides in docs/guides, read once."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from domain.enums import Role

FOLDER = Path(__file__).parents[1] / "docs" / "guides"

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FIELDS = {"title", "audience", "order"}


class GuideError(Exception):
    """A guide whose name or front matter is at fault; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Guide:
    """One page: `slug` is its file's name, `audience` the roles it is for, `body` Markdown without the front matter."""

    slug: str
    title: str
    audience: tuple[Role, ...]
    body: str


@cache
def guides() -> tuple[Guide, ...]:
    """Every guide, in the order that their front matter gives. Raises GuideFault."""
    return load(FOLDER)


def load(folder: Path) -> tuple[Guide, ...]:
    """The guides in a folder, by `order` and then by title. Raises GuideFault."""
    pages = [_read(path) for path in folder.glob("*.md")]
    return tuple(guide for _, guide in sorted(pages, key=lambda page: (page[0], page[1].title)))


def _read(path: Path) -> tuple[int, Guide]:
    """(order, guide) of a file that begins with a line of `---`, lines of `name: value`, and a line of `---`."""
    if not _SLUG.fullmatch(path.stem):
        raise GuideError(f"{path.name}: a guide is named in lower case, with hyphens")
    opening, *rest = path.read_text(encoding="utf-8").split("---\n", 2)
    if opening or len(rest) != 2:
        raise GuideError(f"{path.name}: must begin with front matter between two lines of ---")
    fields = {}
    for line in rest[0].splitlines():
        name, colon, value = line.partition(":")
        if not colon or name not in _FIELDS or name in fields or not value.strip():
            raise GuideError(f"{path.name}: {line!r} is no line of front matter: title, audience and order, once each")
        fields[name] = value.strip()
    if missing := _FIELDS - fields.keys():
        raise GuideError(f"{path.name}: the front matter lacks {', '.join(sorted(missing))}")
    words = [word.strip() for word in fields["audience"].split(",")]
    if unknown := [word for word in words if word not in Role.__members__]:
        raise GuideError(f"{path.name}: no such role in its audience: {', '.join(unknown)}")
    if len(set(words)) != len(words):
        raise GuideError(f"{path.name}: a role stands twice in its audience")
    if not fields["order"].isdecimal():
        raise GuideError(f"{path.name}: order must be a whole number")
    body = rest[1].strip()
    if not body:
        raise GuideError(f"{path.name}: says nothing")
    return int(fields["order"]), Guide(path.stem, fields["title"], tuple(Role[word] for word in words), body + "\n")
