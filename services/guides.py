"""The knowledge base: the guides in docs/guides, read once by each process."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from domain.enums import Role

FOLDER = Path(__file__).parents[1] / "docs" / "guides"

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FIELDS = {"title", "audience", "order"}


class GuideError(Exception):
    """A guide whose name, front matter or body is not valid; the message names the file and the problem."""


@dataclass(frozen=True, slots=True)
class Guide:
    """One guide. `slug`: the file's name without `.md`; `audience`: the roles it is for; `body`: Markdown."""

    slug: str
    title: str
    audience: tuple[Role, ...]
    body: str


@cache
def guides() -> tuple[Guide, ...]:
    """Every guide, by the order in the front matter. Raises GuideError."""
    return load(FOLDER)


def load(folder: Path) -> tuple[Guide, ...]:
    """The guides in a folder, by `order` and then by title. Raises GuideError."""
    pages = [_read(path) for path in folder.glob("*.md")]
    return tuple(guide for _, guide in sorted(pages, key=lambda page: (page[0], page[1].title)))


def _read(path: Path) -> tuple[int, Guide]:
    """(order, guide) of a file with front matter: lines of `name: value` between two lines of `---`."""
    if not _SLUG.fullmatch(path.stem):
        raise GuideError(f"{path.name}: the name must be lower-case words with hyphens between them")
    opening, *rest = path.read_text(encoding="utf-8").split("---\n", 2)
    if opening or len(rest) != 2:
        raise GuideError(f"{path.name}: must begin with front matter between two lines of ---")
    fields = {}
    for line in rest[0].splitlines():
        name, colon, value = line.partition(":")
        if not colon or name not in _FIELDS or name in fields or not value.strip():
            raise GuideError(
                f"{path.name}: {line!r} is not a front matter line: title, audience and order are required, once each"
            )
        fields[name] = value.strip()
    if missing := _FIELDS - fields.keys():
        raise GuideError(f"{path.name}: the front matter has no {', '.join(sorted(missing))}")
    roles = [name.strip() for name in fields["audience"].split(",")]
    if unknown := [name for name in roles if name not in Role.__members__]:
        raise GuideError(f"{path.name}: the audience names roles that do not exist: {', '.join(unknown)}")
    if len(set(roles)) != len(roles):
        raise GuideError(f"{path.name}: the audience names a role twice")
    if not fields["order"].isdecimal():
        raise GuideError(f"{path.name}: order must be a whole number")
    body = rest[1].strip()
    if not body:
        raise GuideError(f"{path.name}: the body is empty")
    return int(fields["order"]), Guide(path.stem, fields["title"], tuple(Role[name] for name in roles), body + "\n")
