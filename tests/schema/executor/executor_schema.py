"""A schema over the rows of executor_rows.py, with every way in which a field can be resolved."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, NewType

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from tests.schema.executor.executor_mutations import Mutation
from tests.schema.executor.executor_rows import (
    AIMS,
    LEARNERS,
    AimRow,
    Claiming,
    EmployerRow,
    LearnerRow,
    Level,
    Mood,
    ProgressRow,
    UnitRow,
)


def plant(info: Info, place: str, key: object, value: Any) -> Any:
    return info.context.dataset.plant(place, key, value)


class EvenOnly(BasePermission):
    message = "even learners only"

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        return not info.context.dataset.rate or source.key % 2 == 0


class SlowlyEvenOnly(BasePermission):
    message = "even learners only, after a while"

    async def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        await asyncio.sleep(0)
        return not info.context.dataset.rate or source.key % 2 == 0


class Loudly(FieldExtension):
    def resolve(self, next_: Callable, source: Any, info: Info, **kwargs: Any) -> Any:
        return next_(source, info, **kwargs).upper()


def of_row(row: type, hinted: bool = True) -> Callable[[type], type]:
    """A Strawberry type over a row class; if `hinted` it declares `__row__` for the compiled executor."""

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
        return plant(info, "Employer.learners", self.key, list(info.context.dataset.learners.values())[:first])


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
        units = list(info.context.dataset.units.values())
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
    def initials(root: "Learner", prefix: str = "") -> str:
        return prefix + root.name[:1]

    @strawberry.field
    def shouted(parent: strawberry.Parent["Learner"], info: Info) -> str | None:
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
        dataset = info.context.dataset
        things = [dataset.aims[self.key], Note(text="n", about=self), self, None][: self.key % 5]
        return plant(info, "things", self.key, things)


Thing = Annotated[Learner | Aim | Note, strawberry.union("Thing")]


@strawberry.type
class Query:
    @strawberry.field
    def learner(self, info: Info, id: strawberry.ID) -> Learner | None:
        return info.context.learner.load(int(id))

    @strawberry.field
    async def learners(self, info: Info, first: int = 3, filter: Filter | None = None) -> list[Learner]:
        rows = list(info.context.dataset.learners.values())[:first]
        wanted = filter.mood if filter else None
        return plant(info, "learners", first, [row for row in rows if wanted in (None, Mood("calm"))])

    @strawberry.field
    def node(self, info: Info, id: strawberry.ID) -> Node | None:
        dataset = info.context.dataset
        rows = [
            *dataset.learners.values(),
            *dataset.employers.values(),
            *dataset.aims.values(),
            *dataset.units.values(),
        ]
        return plant(info, "node", id, dict(enumerate(rows)).get(int(id) * 3))

    @strawberry.field
    async def nodes(self, info: Info) -> list[Node | None] | None:
        dataset = info.context.dataset
        rows = [dataset.learners[1], dataset.aims[2], None, dataset.units[3], dataset.employers[0]]
        return plant(info, "nodes", 0, rows)

    @strawberry.field
    def named(self, info: Info) -> list[Named]:
        dataset = info.context.dataset
        named = [dataset.employers[1], dataset.learners[2], dataset.learners[3]]
        if dataset.rate and dataset.seed % 5 == 0:
            named.append(Claiming())
        return plant(info, "named", 0, named)

    @strawberry.field
    def thing(self, info: Info, id: int = 1) -> Thing | None:
        dataset = info.context.dataset
        things = [dataset.learners[2], dataset.aims[1], Note(text="t", about=None), None, dataset.aims[2]]
        return dataset.units[1] if dataset.rate and id > 4 else things[id % 5]

    @strawberry.field
    def echo(self, info: Info, words: list[str | None], moods: list[Mood] = (), number: float | None = None) -> str:
        return f"{words} {[mood.name for mood in moods]} {number} {info.path.key} {sorted(info.variable_values)}"

    @strawberry.field
    def today(self) -> date:
        return date(2026, 11, 21)


SCALARS = {Json: strawberry.scalar(name="Json", serialize=lambda value: value, parse_value=lambda value: value)}


def make_schema(**options: Any) -> strawberry.Schema:
    """Makes the schema; the options are Strawberry's."""
    return strawberry.Schema(
        Query,
        Mutation,
        types=[Aim, Unit, Employer, Learner, Note],
        config=StrawberryConfig(scalar_map=SCALARS),
        **options,
    )
