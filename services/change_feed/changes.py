"""What commits have changed, and how it is written in a notification to other processes."""

import json
import zlib
from collections import defaultdict
from typing import NamedTuple

from domain.enums import PortfolioPart

# A notification carries at most 8,000 bytes; a change of more learners than this is sent as "everything".
MAX_LEARNERS = 500
# In a notification the parts follow the learners, as negative numbers: a process of the last version takes them for
# learners that do not exist.
_PARTS = {-zlib.crc32(part.name.encode()): part for part in PortfolioPart}
_NUMBERS = {part: number for number, part in _PARTS.items()}
# Follows the learners if who sees them has changed.
_MOVED = -1
ALL_PARTS = frozenset(PortfolioPart)


class Changes(NamedTuple):
    """What changed. `learners`: by key, with the parts of the portfolio; all parts where they are not known.

    `any_learner`: something that concerns any learner, such as the provider's settings or an account. `everything`: it
    is not known what changed. `moved`: who sees the learners may have changed, so those who saw them are concerned too.
    """

    learners: dict[int, frozenset[PortfolioPart]]
    any_learner: bool = False
    everything: bool = False
    moved: bool = False

    def joined(self, other: "Changes") -> "Changes":
        """Returns what changed here and there."""
        everything = self.everything or other.everything
        learners = dict(self.learners)
        for key, parts in other.learners.items():
            learners[key] = learners.get(key, frozenset()) | (parts or ALL_PARTS)
        if everything or len(learners) > MAX_LEARNERS:
            everything, learners = True, {}
        return Changes(learners, self.any_learner or other.any_learner, everything, self.moved or other.moved)


NOTHING = Changes({})


def payloads(provider_key: int, changes: Changes) -> list[str]:
    """Returns the notifications that say what changed at a provider, one for each set of parts."""
    if changes.everything:
        return [_payload(provider_key, None)]
    learners_by_parts: dict[frozenset[PortfolioPart], list[int]] = defaultdict(list)
    for key, parts in sorted(changes.learners.items()):
        learners_by_parts[parts].append(key)
    found = [
        _payload(provider_key, keys + [_NUMBERS[part] for part in parts] + [_MOVED] * changes.moved)
        for parts, keys in learners_by_parts.items()
    ]
    return found + [_payload(provider_key, [])] * changes.any_learner


def _payload(provider_key: int, numbers: list[int] | None) -> str:
    return json.dumps([provider_key, numbers], separators=(",", ":"))


def read_payload(payload: str) -> tuple[int, Changes]:
    """Returns the provider's key, and what changed there."""
    provider_key, numbers = json.loads(payload)
    if numbers is None:
        return provider_key, Changes({}, everything=True)
    parts = frozenset(_PARTS[number] for number in numbers if number in _PARTS)
    learners = dict.fromkeys((number for number in numbers if number > 0), parts)
    return provider_key, Changes(learners, any_learner=not learners, moved=_MOVED in numbers)
