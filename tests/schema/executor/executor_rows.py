"""Rows of a small portfolio for tests of the executor, with values that a seed makes wrong, and their data loaders.

`Dataset(seed, rate)` has the rows; with rate 0 no value is wrong. `Context(dataset)` is the context of one execution:
it has data loaders of its own, which count their batches.
"""

import asyncio
import enum
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import strawberry
from aiodataloader import DataLoader

LEARNERS, AIMS, UNITS, EMPLOYERS = 8, 3, 4, 3


class Odd:
    """Neither a leaf value nor a source of any type; its repr is the same in every run."""

    def __repr__(self) -> str:
        return "<odd>"


class Claiming:
    """An object for which resolve_type says Employer, although it is not one."""

    claims, name = "Employer", "claimed"


class Dataset:
    """Rows by their keys. Which values are wrong depends only on the seed, the place and the key."""

    def __init__(self, seed: int = 0, rate: float = 0.0) -> None:
        self.seed, self.rate = seed, rate
        self.learners = {key: LearnerRow(self, key) for key in range(LEARNERS)}
        self.aims = {key: AimRow(self, key) for key in range(LEARNERS * AIMS)}
        self.units = {key: UnitRow(self, key) for key in range(UNITS)}
        self.employers = {key: EmployerRow(self, key) for key in range(EMPLOYERS)}

    def plant(self, place: str, key: object, value: Any) -> Any:
        """Returns the value or, at the rate, a wrong one: None, another value, a future, an exception; or raises."""
        if not self.rate:
            return value
        rng = Random(f"{self.seed} {place} {key}")
        if rng.random() >= self.rate:
            return value
        match rng.randrange(10):
            case 0 | 1:
                return None
            case 2:
                return rng.choice([Odd(), {"a": 1}, b"bytes", "text", [1, None, Odd()]])
            case 3 | 4 | 5 | 6:  # some types coerce these, others reject them
                return rng.choice([0, 1, True, 2.0, 1.5, "3", 2**31, -(2**31), float("inf"), float("nan"), Level.LOW])
            case 7:
                future = asyncio.get_running_loop().create_future()
                future.set_result(value)
                return future
            case 8:
                return ValueError(f"given at {place} {key}")
            case _:
                raise ValueError(f"raised at {place} {key}")


def planted(read: Callable) -> property:
    """A property of a row whose value can be wrong."""

    def get(row: Any) -> Any:
        return row.dataset.plant(f"{type(row).__name__}.{read.__name__}", row.key, read(row))

    return property(get)


@strawberry.enum
class Mood(enum.Enum):
    CALM = "calm"
    BUSY = "busy"


@strawberry.enum
class Level(enum.Enum):
    LOW = strawberry.enum_value(1, name="BELOW")
    HIGH = strawberry.enum_value(2, name="ABOVE")


@dataclass(slots=True)
class ProgressRow:
    dataset: Dataset
    key: int

    @planted
    def met(self) -> int:
        return 3

    @planted
    def percent(self) -> float:
        return self.key * 12.5


@dataclass(slots=True)
class LearnerRow:
    dataset: Dataset
    key: int

    @planted
    def id(self) -> str:
        return f"L{self.key}"

    @planted
    def name(self) -> str:
        return f"Learner {self.key}"

    @planted
    def email(self) -> str | None:
        return None if self.key % 2 else f"l{self.key}@example.org"

    @planted
    def mood(self) -> Mood:
        return Mood.BUSY if self.key % 2 else Mood.CALM

    @planted
    def level(self) -> Level | None:
        return [None, Level.LOW, Level.HIGH][self.key % 3]

    @planted
    def born(self) -> date:
        return date(2006, 1, 1) + timedelta(days=self.key)

    @planted
    def seen_at(self) -> datetime | None:
        return datetime(2026, 11, 21, 9, self.key, tzinfo=UTC) if self.key % 2 else None

    @planted
    def tags(self) -> list[str]:
        return ["a", "b"][: self.key % 3]

    @planted
    def remarks(self) -> tuple:
        return ("first", None, "third")[: self.key % 4]

    @planted
    def grid(self) -> list[list[int]]:
        return [[1, 2], [], [self.key]]

    @planted
    def extra(self) -> Any:
        return {"key": self.key}

    @planted
    def progress(self) -> ProgressRow:
        return ProgressRow(self.dataset, self.key)

    @planted
    def past_progress(self) -> list:
        return [ProgressRow(self.dataset, self.key), None] if self.key % 2 else []

    @planted
    def adult(self) -> bool:
        return self.key > 3


@dataclass(slots=True)
class AimRow:
    dataset: Dataset
    key: int

    @planted
    def id(self) -> str:
        return f"A{self.key}"

    @planted
    def title(self) -> str:
        return f"Aim {self.key}"

    @planted
    def progress(self) -> ProgressRow | None:
        return ProgressRow(self.dataset, self.key % 5) if self.key % 4 else None


@dataclass(slots=True)
class UnitRow:
    dataset: Dataset
    key: int

    @planted
    def id(self) -> str:
        return f"U{self.key}"

    @planted
    def weight(self) -> float:
        return 1.5 * self.key


@dataclass
class EmployerRow:
    dataset: Dataset
    key: int

    @planted
    def id(self) -> str:
        return f"E{self.key}"

    @planted
    def name(self) -> str:
        return f"Employer {self.key}"


class SharedFuture(asyncio.Future):
    """A loader's future that cannot be cancelled, because several fields may await it.

    graphql-core cancels the siblings of a field that fails. A cancelled future would cancel all its other awaiters too.
    """

    def cancel(self, msg: Any = None) -> bool:
        return False


class Loop:
    """The running loop, as far as a loader uses it; its futures cannot be cancelled."""

    def __init__(self) -> None:
        self.call_soon = asyncio.get_running_loop().call_soon

    def create_future(self) -> SharedFuture:
        return SharedFuture()


class Context:
    """The context of one execution: its data loaders, and how often they were restarted."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.batches: Counter[str] = Counter()
        self.restarts = -1
        # The arguments of mutations.
        self.touched: list[int] = []
        self.restart()

    def restart(self) -> None:
        """Makes new data loaders, with empty caches."""
        self.restarts += 1
        dataset = self.dataset
        self.learner = self.loader("learner", dataset.learners.get)
        self.aims_of = self.loader("aims_of", lambda key: [dataset.aims[key * AIMS + n] for n in range(AIMS)])
        self.units_of = self.loader("units_of", lambda key: [dataset.units[n] for n in range(key % (UNITS + 1))])
        self.employer = self.loader("employer", dataset.employers.get)
        self.grade = self.loader("grade", lambda key: f"grade {key}")

    def loader(self, name: str, read: Callable[[int], Any]) -> DataLoader:
        """Makes a data loader whose batches take longer than the steps between two levels, as a database does."""

        async def load(keys: list[int]) -> list[Any]:
            self.batches[name] += 1
            for _ in range(25):
                await asyncio.sleep(0)
            return [self.one(name, read, key) for key in keys]

        return DataLoader(load, loop=Loop())

    def one(self, name: str, read: Callable[[int], Any], key: int) -> Any:
        try:
            return self.dataset.plant(f"loader {name}", key, read(key))
        except ValueError as error:
            return error
