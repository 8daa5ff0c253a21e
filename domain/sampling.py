"""Sampling by internal quality assurance: which units a plan has, and the digest of what a sample looked at."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.enums import AimStatus

# The aims that a plan chooses from.
SAMPLED_STATUSES = (AimStatus.IN_TRAINING, AimStatus.SUSPENDED)
# A unit of a learner's aim: the aim's key and the unit's.
UnitKey = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Policy:
    """How much is sampled: percentages of an assessor's aims and of the units of each, 0 to 100.

    `first_units`: how many of the first units of a new assessor are all sampled.
    """

    aims_percent: int
    units_percent: int
    first_units: int


def share(percent: int, count: int) -> int:
    """Returns that share of a number, rounded up, so that any share of something is at least one."""
    return -(-percent * count // 100)


def plan(
    policy: Policy, units_of_aim: Mapping[int, Collection[int]], first_units: Iterable[UnitKey], seed: int
) -> Sequence[UnitKey]:
    """Returns the units to sample, in the order of their keys: the same for the same seed, policy and units.

    `units_of_aim` are the units that count, by the key of their aim. `first_units` are those of a new assessor. A
    unit's place depends on the seed and its own keys alone, so that another aim changes few of the others.
    """
    chosen = {unit for unit in first_units if unit[0] in units_of_aim}
    for aim in _ranked(units_of_aim, seed)[: share(policy.aims_percent, len(units_of_aim))]:
        units = units_of_aim[aim]
        chosen |= {(aim, unit) for unit in _ranked(units, seed, aim)[: share(policy.units_percent, len(units))]}
    return sorted(chosen)


def _ranked(keys: Iterable[int], seed: int, *within: int) -> list[int]:
    """Returns the keys in an order that only the seed decides."""
    return sorted(keys, key=lambda key: hashlib.sha256(":".join(map(str, (seed, *within, key))).encode()).digest())


def snapshot_sha256(*parts: Iterable[Sequence[Any]]) -> str:
    """Returns the SHA-256 of the records of a sample: rows of plain values, in any order."""
    canonical = json.dumps([sorted(map(list, part), key=repr) for part in parts], separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
