"""What is counted for an aim: the criteria of its units, its breaks and its chosen units, of no other aim."""

from typing import Any

import pytest
from sqlalchemy import select

from db.database import Database
from db.models.aim import Aim, AimProgress
from db.models.aim_unit import AimUnit
from db.models.qualification import QualificationCriterion, QualificationUnit
from domain.enums import Role
from services.progress import choice_columns, count_criteria, recount_breaks, recount_choice, recount_progress
from tests.support.factories import DAY, Factory

# What the factory stores, so that a row that is counted differs.
STORED = {"criteria": 99, "mapped": 98, "signed_off": 97}


class World:
    """Two aims of a qualification with optional units, one of it that chose none, and one of a qualification alone."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def build(self) -> None:
        async with self.database.writing() as session:
            make = Factory(session)
            provider = await make.provider()
            self.by = await make.user(provider, "Ann", Role.ASSESSOR)
            learner = await make.learner(provider, "Ada")
            old = await make.qualification(provider, "Old", (7,), version="1.0")
            current = await make.qualification(provider, "New", (2, 3, 4, 5), optional_units_minimum=2)
            empty = await make.qualification(provider, "Empty", ())
            self.units, criteria = {}, {}
            for name, of in (("old", old), ("new", current)):
                of_this = QualificationUnit.qualification_id == of.id
                found = await session.scalars(select(QualificationUnit).where(of_this).order_by(QualificationUnit.id))
                for unit in found:
                    unit.mandatory = unit.position == 1 and name == "new"
                    self.units[name, unit.position] = unit.id
                of_this = QualificationCriterion.qualification_id == of.id
                for criterion in await session.scalars(select(QualificationCriterion).where(of_this)):
                    criteria[name, criterion.code] = criterion
            aims = [
                await make.aim(learner, qualification, **STORED) for qualification in (current, current, current, empty)
            ]
            self.first, self.second, self.none, self.empty = (aim.id for aim in aims)
            chosen_at = {"chosen_by_id": self.by.id, "chosen_at": make.now}
            for aim, unit in (
                (aims[0], ("new", 3)), (aims[0], ("new", 2)), (aims[0], ("old", 1)), (aims[1], ("new", 4)),
            ):  # fmt: skip
                keys = {"provider_id": provider.id, "learner_id": learner.id, "aim_id": aim.id}
                await make.add(AimUnit(**keys, **chosen_at, unit_id=self.units[unit]))
            for aim, code, evidence, signed_off in (
                (aims[0], "1.1", 1, False), (aims[0], "1.2", 0, True), (aims[0], "2.1", 2, True),
                (aims[0], "2.2", 0, False), (aims[0], "3.1", 1, False), (aims[0], "4.1", 1, True),
                (aims[1], "4.2", 1, False), (aims[1], "4.3", 1, False), (aims[1], "2.1", 1, True),
            ):  # fmt: skip
                signer = self.by if signed_off else None
                await make.criterion_progress(aim, criteria["new", code], signer, evidence_count=evidence)
            await make.criterion_progress(aims[0], criteria["old", "1.1"], self.by)
            self.start = aims[0].start_date
            for aim, first, days in ((aims[0], 20, None), (aims[0], 10, 5), (aims[1], 30, 7)):
                back = None if days is None else self.start + (first + days) * DAY
                await make.aim_break(aim, self.by, self.start + first * DAY, back)

    async def sums(self, *names: str) -> dict[int, tuple[Any, ...]]:
        """Columns of what is stored, by aim."""
        columns = [AimProgress.__table__.c[name] for name in names]
        return {row[0]: tuple(row[1:]) for row in await self.database.rows(select(AimProgress.aim_id, *columns))}


@pytest.fixture
async def world(database: Database) -> World:
    built = World(database)
    await built.build()
    return built


CRITERIA = ("criteria_total", "criteria_mapped", "criteria_signed_off")


async def test_the_criteria_of_the_units_that_count_are_counted(world: World) -> None:
    before = await world.sums(*CRITERIA)
    expected = {world.first: (9, 4, 2), world.second: (7, 2, 0), world.none: (2, 0, 0), world.empty: (0, 0, 0)}
    assert set(before.values()) == {(99, 98, 97)}
    # Also for many aims at once, by a column of their keys.
    counted = await world.database.rows(select(Aim.id, *count_criteria(Aim.id)))
    assert {row[0]: tuple(row[1:]) for row in counted} == expected
    for aim in expected:
        async with world.database.writing() as session:
            await recount_progress(session, aim)
        before[aim] = expected[aim]
        assert await world.sums(*CRITERIA) == before


async def test_the_breaks_of_an_aim_are_stored(world: World) -> None:
    day = world.start
    first = f"{day + 10 * DAY}/{day + 15 * DAY} {day + 20 * DAY}/"
    expected = {
        world.first: (5, day + 20 * DAY, first),
        world.second: (7, None, f"{day + 30 * DAY}/{day + 37 * DAY}"),
        world.none: (0, None, None),
    }
    names = ("days_on_break", "break_since", "breaks")
    stored = await world.sums(*names)
    assert set(stored.values()) == {(0, None, None)}
    for aim in expected:
        async with world.database.writing() as session:
            await recount_breaks(session, await session.get_one(Aim, aim))
        stored[aim] = expected[aim]
        assert await world.sums(*names) == stored


async def test_the_units_that_are_chosen_are_stored(world: World) -> None:
    both = f"{world.units['new', 2]} {world.units['new', 3]}"
    expected = {world.first: (both, 0), world.second: (str(world.units["new", 4]), 1), world.none: (None, 2)}
    names = ("chosen_units", "units_to_choose")
    stored = await world.sums(*names)
    assert set(stored.values()) == {(None, 0)}
    for aim in expected:
        async with world.database.writing() as session:
            await recount_choice(session, await session.get_one(Aim, aim))
        stored[aim] = expected[aim]
        assert await world.sums(*names) == stored


def test_units_are_still_to_choose_up_to_the_minimum() -> None:
    answers = [choice_columns(chosen, minimum) for chosen, minimum in (([], 0), ([], 3), ([12, 7], 3), ([1, 2], 1))]
    assert [each["units_to_choose"] for each in answers] == [0, 3, 1, 0]
    assert [each["chosen_units"] for each in answers] == [None, None, "7 12", "1 2"]
