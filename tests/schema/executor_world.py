"""A small portfolio to try executors on: every way in which a field can be resolved, and faults planted by a seed.

`World(seed, rate)` holds the rows; with rate 0 nothing is wrong with them. `Context(world)` is what one execution works
with: loaders of its own, which count their batches.
"""

import asyncio
import enum
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Annotated, Any, NewType

import strawberry
from aiodataloader import DataLoader
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

LEARNERS, AIMS, UNITS, EMPLOYERS = 8, 3, 4, 3
ROLE_TYPES = ("Learner", "Aim", "Unit", "Employer")


class Odd:
    """No leaf and no source of any type; its repr is the same in every run."""

    def __repr__(self) -> str:
        return "<odd>"


class Claiming:
    """Says that it is an employer, and is none."""

    claims, name = "Employer", "claimed"


class World:
    """Rows by their keys, and which values of them are spoilt: decided by the seed, the place and the key alone."""

    def __init__(self, seed: int = 0, rate: float = 0.0) -> None:
        self.seed, self.rate = seed, rate
        self.learners = {key: LearnerRow(self, key) for key in range(LEARNERS)}
        self.aims = {key: AimRow(self, key) for key in range(LEARNERS * AIMS)}
        self.units = {key: UnitRow(self, key) for key in range(UNITS)}
        self.employers = {key: EmployerRow(self, key) for key in range(EMPLOYERS)}

    def plant(self, place: str, key: object, value: Any) -> Any:
        """The value, or what stands in its place: None, another value, a future, an exception given or raised."""
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
            case 3 | 4 | 5 | 6:  # some types take these for what they are not, others refuse them
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
    """A row's property whose value can be spoilt."""

    def get(row: Any) -> Any:
        return row.world.plant(f"{type(row).__name__}.{read.__name__}", row.key, read(row))

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
    world: World
    key: int

    @planted
    def met(self) -> int:
        return 3

    @planted
    def percent(self) -> float:
        return self.key * 12.5


@dataclass(slots=True)
class LearnerRow:
    world: World
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
        return ProgressRow(self.world, self.key)

    @planted
    def past_progress(self) -> list:
        return [ProgressRow(self.world, self.key), None] if self.key % 2 else []

    @planted
    def adult(self) -> bool:
        return self.key > 3


@dataclass(slots=True)
class AimRow:
    world: World
    key: int

    @planted
    def id(self) -> str:
        return f"A{self.key}"

    @planted
    def title(self) -> str:
        return f"Aim {self.key}"

    @planted
    def progress(self) -> ProgressRow | None:
        return ProgressRow(self.world, self.key % 5) if self.key % 4 else None


@dataclass(slots=True)
class UnitRow:
    world: World
    key: int

    @planted
    def id(self) -> str:
        return f"U{self.key}"

    @planted
    def weight(self) -> float:
        return 1.5 * self.key


@dataclass
class EmployerRow:
    world: World
    key: int

    @planted
    def id(self) -> str:
        return f"E{self.key}"

    @planted
    def name(self) -> str:
        return f"Employer {self.key}"


class Kept(asyncio.Future):
    """A loader's future, which several fields may await.

    graphql-core cancels the siblings of a field that fails. Were their loader's future cancelled with them, whoever else
    awaits it would be cancelled too, and with it the operation as a whole.
    """

    def cancel(self, msg: Any = None) -> bool:
        return False


class Loop:
    """The running loop as a loader sees it."""

    def __init__(self) -> None:
        self.call_soon = asyncio.get_running_loop().call_soon

    def create_future(self) -> Kept:
        return Kept()


class Context:
    """What one execution works with."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.batches: Counter[str] = Counter()
        self.restarts = -1
        self.restart()

    def restart(self) -> None:
        """Loaders that know nothing yet."""
        self.restarts += 1
        world = self.world
        self.learner = self.loader("learner", world.learners.get)
        self.aims_of = self.loader("aims_of", lambda key: [world.aims[key * AIMS + n] for n in range(AIMS)])
        self.units_of = self.loader("units_of", lambda key: [world.units[n] for n in range(key % (UNITS + 1))])
        self.employer = self.loader("employer", world.employers.get)
        self.grade = self.loader("grade", lambda key: f"grade {key}")

    def loader(self, name: str, read: Callable[[int], Any]) -> DataLoader:
        """A batch takes much longer than the steps between two levels, as it does in a database."""

        async def load(keys: list[int]) -> list[Any]:
            self.batches[name] += 1
            for _ in range(25):
                await asyncio.sleep(0)
            return [self.one(name, read, key) for key in keys]

        return DataLoader(load, loop=Loop())

    def one(self, name: str, read: Callable[[int], Any], key: int) -> Any:
        try:
            return self.world.plant(f"loader {name}", key, read(key))
        except ValueError as error:
            return error


def plant(info: Info, place: str, key: object, value: Any) -> Any:
    return info.context.world.plant(place, key, value)


class EvenOnly(BasePermission):
    message = "even learners only"

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        return not info.context.world.rate or source.key % 2 == 0


class SlowlyEvenOnly(BasePermission):
    message = "even learners only, after a while"

    async def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        await asyncio.sleep(0)
        return not info.context.world.rate or source.key % 2 == 0


class Loudly(FieldExtension):
    def resolve(self, next_: Callable, source: Any, info: Info, **kwargs: Any) -> Any:
        return next_(source, info, **kwargs).upper()


def of_row(row: type, hinted: bool = True) -> Callable[[type], type]:
    """A Strawberry type over a row class; `hinted` says so to the compiled executor too."""

    def decorate(cls: type) -> type:
        cls.is_type_of = classmethod(lambda _cls, obj, _info: obj.__class__ is row)
        if hinted:
            cls.__row__ = row
        return strawberry.type(cls)

    return decorate


Json = NewType("Json", object)


@strawberry.interface
class Node:
    id: strawberry.ID


@strawberry.interface
class Named:
    name: str

    @classmethod
    def resolve_type(cls, obj: Any, info: Info, type_: Any) -> str | None:
        return getattr(obj, "claims", {LearnerRow: "Learner", EmployerRow: "Employer"}.get(obj.__class__))


@of_row(ProgressRow)
class Progress:
    met: int
    percent: float

    @strawberry.field
    def half(self, info: Info) -> float | None:
        return plant(info, "half", self.key, self.key / 2)


@of_row(EmployerRow, hinted=False)
class Employer(Node, Named):
    @strawberry.field
    async def learners(self, info: Info, first: int = 2) -> list["Learner"]:
        return plant(info, "Employer.learners", self.key, list(info.context.world.learners.values())[:first])


@of_row(UnitRow)
class Unit(Node):
    weight: float

    @strawberry.field
    def grade(self, info: Info) -> str:
        return info.context.grade.load(self.key)


@of_row(AimRow)
class Aim(Node):
    title: str
    progress: Progress | None

    @strawberry.field
    def units(self, info: Info) -> list[Unit]:
        return info.context.units_of.load(self.key)

    @strawberry.field
    def unit_lists(self, info: Info) -> list[list[Unit | None] | None]:
        units = list(info.context.world.units.values())
        return plant(info, "Aim.unit_lists", self.key, [units[:2], None, [None, units[2]], []])

    @strawberry.field
    def unit_futures(self, info: Info) -> list["Learner | None"]:
        return [info.context.learner.load(key) for key in (self.key % LEARNERS, 99)]

    @strawberry.field
    def learner(self, info: Info) -> "Learner":
        return info.context.learner.load(self.key // AIMS)


@strawberry.type
class Note:
    text: str
    about: "Learner | None"

    @strawberry.field
    def length(self) -> int:
        return len(self.text)


@strawberry.input
class Filter:
    mood: Mood | None = None
    keys: list[int] = strawberry.field(default_factory=list)


@of_row(LearnerRow)
class Learner(Node, Named):
    email: str | None
    mood: Mood
    level: Level | None
    born: date
    seen_at: datetime | None
    tags: list[str]
    remarks: list[str | None] | None
    grid: list[list[int]]
    extra: Json
    progress: Progress
    past_progress: list[Progress | None]
    adult: bool

    @strawberry.field
    def aims(self, info: Info, first: int = 5, filter: Filter | None = None) -> list[Aim]:
        return info.context.aims_of.load(self.key)

    @strawberry.field
    def employer(self, info: Info) -> Employer | None:
        return info.context.employer.load(self.key)

    @strawberry.field
    def grade(self, info: Info, level: Level = Level.LOW) -> str:
        return info.context.grade.load(f"{self.key} {level.name}")

    @strawberry.field
    async def slow_grade(self, info: Info, times: int = 1) -> str | None:
        grade = await info.context.grade.load(f"{self.key} LOW")
        for _ in range(times):
            await asyncio.sleep(0)
        return plant(info, "slow_grade", self.key, grade)

    @strawberry.field
    def initials(root: "Learner", prefix: str = "") -> str:  # noqa: N805
        return prefix + root.name[:1]

    @strawberry.field
    def shouted(parent: strawberry.Parent["Learner"], info: Info) -> str | None:  # noqa: N805
        return plant(info, "shouted", parent.key, f"{info.field_name} {parent.key}")

    @strawberry.field(permission_classes=[EvenOnly])
    def secret(self, info: Info) -> str | None:
        return plant(info, "secret", self.key, "secret")

    @strawberry.field(permission_classes=[SlowlyEvenOnly])
    async def deep_secret(self) -> str:
        return "deep"

    @strawberry.field(extensions=[Loudly()])
    def loud(self) -> str:
        return "loud" + str(self.key)

    @strawberry.field
    def where(self, info: Info) -> str:
        return ".".join(map(str, info.path.as_list()))

    @strawberry.field
    def selected(self, info: Info) -> list[str]:
        return [field.alias or field.name for field in info.selected_fields]

    @strawberry.field
    def counting(self) -> list[int]:
        return (number for number in range(self.key % 3))

    @strawberry.field
    def notes(self, info: Info) -> list[Note]:
        note = Note(text=f"about {self.key}", about=self if self.key % 2 else None)
        return plant(info, "notes", self.key, [note, Note(text="empty", about=None)])

    @strawberry.field
    def things(self, info: Info) -> list["Thing | None"]:
        world = info.context.world
        things = [world.aims[self.key], Note(text="n", about=self), self, None][: self.key % 5]
        return plant(info, "things", self.key, things)


Thing = Annotated[Learner | Aim | Note, strawberry.union("Thing")]


@strawberry.type
class Query:
    @strawberry.field
    def learner(self, info: Info, id: strawberry.ID) -> Learner | None:
        return info.context.learner.load(int(id))

    @strawberry.field
    async def learners(self, info: Info, first: int = 3, filter: Filter | None = None) -> list[Learner]:
        rows = list(info.context.world.learners.values())[:first]
        wanted = filter.mood if filter else None
        return plant(info, "learners", first, [row for row in rows if wanted in (None, Mood("calm"))])

    @strawberry.field
    def node(self, info: Info, id: strawberry.ID) -> Node | None:
        world = info.context.world
        rows = [*world.learners.values(), *world.employers.values(), *world.aims.values(), *world.units.values()]
        return plant(info, "node", id, dict(enumerate(rows)).get(int(id) * 3))

    @strawberry.field
    async def nodes(self, info: Info) -> list[Node | None] | None:
        world = info.context.world
        rows = [world.learners[1], world.aims[2], None, world.units[3], world.employers[0]]
        return plant(info, "nodes", 0, rows)

    @strawberry.field
    def named(self, info: Info) -> list[Named]:
        world = info.context.world
        named = [world.employers[1], world.learners[2], world.learners[3]]
        if world.rate and world.seed % 5 == 0:
            named.append(Claiming())
        return plant(info, "named", 0, named)

    @strawberry.field
    def thing(self, info: Info, id: int = 1) -> Thing | None:
        world = info.context.world
        things = [world.learners[2], world.aims[1], Note(text="t", about=None), None, world.aims[2]]
        return world.units[1] if world.rate and id > 4 else things[id % 5]

    @strawberry.field
    def echo(self, info: Info, words: list[str | None], moods: list[Mood] = (), number: float | None = None) -> str:
        return f"{words} {[mood.name for mood in moods]} {number} {info.path.key} {sorted(info.variable_values)}"

    @strawberry.field
    def today(self) -> date:
        return date(2026, 11, 21)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def touch(self) -> int:
        return 1


SCALARS = {Json: strawberry.scalar(name="Json", serialize=lambda value: value, parse_value=lambda value: value)}


def make_schema(**options: Any) -> strawberry.Schema:
    """The schema; options go to Strawberry."""
    return strawberry.Schema(
        Query,
        Mutation,
        types=[Aim, Unit, Employer, Learner, Note],
        config=StrawberryConfig(scalar_map=SCALARS),
        **options,
    )
