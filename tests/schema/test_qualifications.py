"""Real qualifications go in through the importer and come out of the graph word for word."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from db.database import Database
from db.models.qualification import Qualification
from domain.enums import Role
from schema.root import make_schema
from services.importer.parser import read_qualification
from services.importer.store import store_qualification
from tests.support.factories import Factory
from tests.support.viewers import context, viewer

HERE = Path(__file__).parents[1] / "services" / "importer" / "qualifications"
# The published files beside this clone, where it is developed; our copies of them everywhere.
BESIDE = Path(os.environ.get("WAYMARK_DATA_FILES", Path(__file__).parents[3] / "shared" / "data"))
FILES = [*sorted(HERE.glob("*.json")), *(sorted(BESIDE.glob("*.json")) if BESIDE.is_dir() else [])]

QUERY = """
query($id: ID!) {
  aim(id: $id) {
    title
    qualification { title reference version level offTheJobHoursMinimum unitCount criterionCount }
    progress { criteriaTotal }
    units { number title criteria { code description status } }
  }
}
"""


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_published_qualification_comes_out_as_it_went_in(
    database: Database, tmp_path: Path, path: Path
) -> None:
    published: dict[str, Any] = json.loads(path.read_text())
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider()
        admin = await factory.user(provider, "Admin", Role.MASTER_ADMIN)
        stored = await store_qualification(session, provider.id, read_qualification(path))
        version = (
            await session.execute(select(Qualification).where(Qualification.id == stored.qualification_id))
        ).scalar_one()
        aim = await factory.aim(await factory.learner(provider, "Ada"), version, criteria=version.criterion_count)
    answer = await make_schema().execute(
        QUERY, {"id": f"Aim_{aim.id}"}, context_value=context(database, viewer(admin, Role.MASTER_ADMIN), tmp_path)
    )
    assert answer.errors is None, answer.errors
    shown = answer.data["aim"]
    criteria = [criterion for unit in published["units"] for criterion in unit["criteria"]]
    assert shown["title"] == published["title"]
    assert shown["qualification"] == {
        "title": published["title"],
        "reference": published["reference"],
        "version": published.get("version"),
        "level": published["level"],
        "offTheJobHoursMinimum": published["otj_hours_minimum"],
        "unitCount": len(published["units"]),
        "criterionCount": len(criteria),
    }
    assert shown["progress"] == {"criteriaTotal": len(criteria)}
    assert [
        {
            "number": unit["number"],
            "title": unit["title"],
            "criteria": [{**criterion, "status": "NOT_STARTED"} for criterion in unit["criteria"]],
        }
        for unit in published["units"]
    ] == shown["units"]
