"""The condition that a column is one of the keys of a select: the rows of `IN`, read through an index by PostgreSQL."""

from typing import Any

import pytest
from sqlalchemy import Select, select, union_all

from auth import scope
from db.database import Database
from db.models.aim import Aim
from db.models.evidence import Evidence
from db.models.learner import Learner
from db.sql.in_array import in_array
from domain.enums import AimStatus, Role

_TRAINING = select(Aim.learner_id).where(Aim.status == AimStatus.IN_TRAINING)
_ENDED = select(Aim.learner_id).where(Aim.status == AimStatus.COMPLETED)


@pytest.mark.parametrize(
    "keys",
    [_TRAINING, union_all(_TRAINING, _ENDED), select(Aim.learner_id).where(Aim.id < 0)],
    ids=["select", "union", "no rows"],
)
async def test_it_selects_the_rows_of_in(demo_database: Database, keys: Any):
    for condition, expected in (
        (in_array(Learner.id, keys), Learner.id.in_(keys)),
        (~in_array(Learner.id, keys), Learner.id.not_in(keys)),
    ):
        wanted = await demo_database.rows(select(Learner.id).where(expected).order_by(Learner.id))
        assert await demo_database.rows(select(Learner.id).where(condition).order_by(Learner.id)) == wanted


async def _plan(database: Database, statement: Select[Any], **parameters: Any) -> str:
    compiled = await database._selects.compile(statement)
    records = await database._fetch(f"EXPLAIN {compiled.sql}", compiled.arguments(parameters), primary=True)
    return "\n".join(record[0] for record in records)


@pytest.mark.parametrize("role", scope.BY_AIM)
async def test_the_keys_are_read_once_and_not_looked_up_for_each_piece_of_evidence(demo_postgres: Database, role: Role):
    statement = select(Evidence.id).where(scope.sees(role, Evidence))
    plan = await _plan(demo_postgres, statement, viewer_user=1, viewer_provider=1)
    assert "InitPlan" in plan and "SubPlan" not in plan
