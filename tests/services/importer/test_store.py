"""Storing qualifications: completely, once, and unchanged while an aim uses them."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db.database import Database
from db.models.aim import Aim
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.qualification import Qualification, QualificationCriterion, QualificationUnit
from db.models.user import User
from domain import clock
from domain.enums import AimStatus
from services.importer.parser import read_qualification
from services.importer.store import Outcome, VersionInUse, store_qualification

PUBLISHED = sorted((Path(__file__).parent / "qualifications").glob("*.json"))


async def provider(database: Database) -> int:
    async with database.writing() as session:
        added = Provider(name="Somewhere", created_at=clock.now())
        session.add(added)
    return added.id


async def store(database: Database, provider_id: int, draft):
    async with database.writing() as session:
        return await store_qualification(session, provider_id, draft)


async def use(database: Database, provider_id: int, qualification_id: int) -> None:
    """Adds a learner with an aim for the qualification."""
    async with database.writing() as session:
        user = User(
            provider_id=provider_id,
            username="a",
            name="A",
            email="a@x.example",
            password_hash="-",
            created_at=clock.now(),
        )
        session.add(user)
        await session.flush()
        learner = Learner(provider_id=provider_id, user_id=user.id, created_at=clock.now())
        session.add(learner)
        await session.flush()
        day = dt.date(2026, 1, 5)
        session.add(
            Aim(
                provider_id=provider_id, learner_id=learner.id, qualification_id=qualification_id, start_date=day,
                planned_end_date=day, status=AimStatus.IN_TRAINING, created_at=clock.now(),
            )
        )  # fmt: skip


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
async def test_a_published_qualification_is_stored_completely(database: Database, path: Path):
    draft = read_qualification(path)
    stored = await store(database, await provider(database), draft)
    (row,) = await database.rows(select(Qualification.__table__))
    assert (stored.outcome, stored.qualification_id) == (Outcome.ADDED, row.id)
    assert (row.title, row.reference, row.version, row.level) == (
        draft.title,
        draft.reference,
        draft.version,
        draft.level,
    )
    assert row.off_the_job_hours_minimum == draft.off_the_job_hours_minimum
    units = await database.rows(select(QualificationUnit.__table__).order_by(QualificationUnit.position))
    assert [(unit.number, unit.title, unit.mandatory) for unit in units] == [
        (unit.number, unit.title, unit.mandatory) for unit in draft.units
    ]
    for unit, drafted in zip(units, draft.units, strict=True):
        criteria = await database.rows(
            select(QualificationCriterion.__table__)
            .where(QualificationCriterion.unit_id == unit.id)
            .order_by(QualificationCriterion.position)
        )
        assert [(each.code, each.description) for each in criteria] == [
            (each.code, each.description) for each in drafted.criteria
        ]
        assert unit.criterion_count == len(criteria)
    assert (row.unit_count, row.criterion_count) == (len(units), sum(unit.criterion_count for unit in units))


async def test_importing_a_version_again_changes_nothing_even_while_in_use(database: Database):
    draft, owner = read_qualification(PUBLISHED[0]), await provider(database)
    first = await store(database, owner, draft)
    await use(database, owner, first.qualification_id)
    again = await store(database, owner, draft)
    assert (again.outcome, again.qualification_id) == (Outcome.UNCHANGED, first.qualification_id)
    assert (await database.rows(select(func.count()).select_from(QualificationUnit)))[0][0] == len(draft.units)


async def test_a_version_can_be_replaced_until_it_is_in_use(database: Database):
    draft, owner = read_qualification(PUBLISHED[0]), await provider(database)
    await store(database, owner, draft)
    shorter = replace(draft, units=draft.units[:2])
    replaced = await store(database, owner, shorter)
    assert replaced.outcome is Outcome.REPLACED
    (row,) = await database.rows(select(Qualification.unit_count))
    assert row.unit_count == 2
    await use(database, owner, replaced.qualification_id)
    with pytest.raises(VersionInUse, match="in use"):
        await store(database, owner, draft)
    (row,) = await database.rows(select(Qualification.unit_count))
    assert row.unit_count == 2


async def test_versions_and_providers_are_independent(database: Database):
    draft, owner, other = read_qualification(PUBLISHED[1]), await provider(database), await provider(database)
    outcomes = [
        (await store(database, owner, draft)).outcome,
        (await store(database, owner, replace(draft, version="9.9"))).outcome,
        (await store(database, other, draft)).outcome,
    ]
    assert outcomes == [Outcome.ADDED] * 3


async def test_a_csv_file_keeps_what_it_cannot_say(database: Database):
    """Hours, level, kind and which units are mandatory come from the JSON file of the same version."""
    provider_id = await provider(database)
    full = replace(
        read_qualification(PUBLISHED[0]), kind="diploma", level=3, off_the_job_hours_minimum=400, version="9"
    )
    full = replace(full, units=tuple(replace(unit, mandatory=index > 0) for index, unit in enumerate(full.units)))
    first = await store(database, provider_id, full)
    says_less = {"kind": None, "level": None, "off_the_job_hours_minimum": None, "partial": True}
    csv = replace(full, **says_less, gives_mandatory=False)
    csv = replace(csv, units=tuple(replace(unit, mandatory=True) for unit in csv.units))
    again = await store(database, provider_id, csv)
    assert (again.outcome, again.qualification_id) == (Outcome.UNCHANGED, first.qualification_id)
    renamed = replace(csv, units=(replace(csv.units[0], title="Other"), *csv.units[1:]))
    changed = await store(database, provider_id, renamed)
    assert changed.outcome is Outcome.REPLACED
    async with database.writing() as session:
        stored = await session.get_one(Qualification, changed.qualification_id)
        assert (stored.kind, stored.level, stored.off_the_job_hours_minimum) == ("diploma", 3, 400)
        units = await session.scalars(
            select(QualificationUnit.mandatory).where(QualificationUnit.qualification_id == stored.id)
        )
        assert list(units).count(False) == 1
    # A file that says it wins, and so does a JSON file.
    said = replace(renamed, off_the_job_hours_minimum=300, gives_mandatory=True)
    async with database.writing() as session:
        key = (await store_qualification(session, provider_id, said)).qualification_id
        stored = await session.get_one(Qualification, key)
        assert stored.off_the_job_hours_minimum == 300
