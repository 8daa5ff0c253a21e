"""What the saved queries answer to several people of a provider, to compare two databases."""

import re
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import select

from db.database import Database
from db.models.aim import Aim
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import Evidence
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.user import RoleGrant, User
from domain import clock
from domain.enums import Role
from queries.operations import get_operation, saved_operations
from tests.support.client import served_schema
from tests.support.viewers import context, viewer

# What differs from one answer to the next: places in lists, addresses that end, when a record came to this database.
_OF_THE_MOMENT = {"cursor", "startCursor", "endCursor", "url", "expiresAt", "updatedAt", "asOf"}
_YEAR = {"since": "2025-12-01", "until": "2026-11-28", "endedFrom": "2025-12-01", "endedTo": "2026-11-28"}
NOW = clock.now()
ROLES = (Role.EMPLOYER_OVERVIEW, Role.ASSESSOR, Role.IQA, Role.MASTER_ADMIN, Role.LEARNER)


async def saved_answers(database: Database, folder: Path, provider: str) -> dict[tuple[str, str], Any]:
    """Returns the data of each saved query for a person in each of `ROLES`, by role and query, at one moment of today.

    `provider`: its name. The people are the first of the provider, and the records those of the assessor's first aim.
    """
    with patch.object(clock, "now", lambda: NOW):
        return await _answers(database, folder, provider)


async def _answers(database: Database, folder: Path, provider: str) -> dict[tuple[str, str], Any]:
    people, known = await _people(database, provider)
    schema = served_schema()
    found: dict[tuple[str, str], Any] = {}
    for who in people:
        for name in saved_operations():
            saved = get_operation(name)
            variables = saved.definition.variable_definitions or ()
            needed = {each.variable.name.value for each in variables if each.type.kind == "non_null_type"}
            if saved.definition.operation.value != "query" or not needed <= known.keys():
                continue
            given = {each.variable.name.value for each in variables} & known.keys()
            result = await schema.execute(
                saved.text,
                variable_values={key: known[key] for key in given},
                context_value=context(database, who, folder),
            )
            assert not result.errors, (who.role, name, result.errors)
            found[who.role.value, name] = _lasting(result.data)
    return found


async def _people(database: Database, provider: str) -> tuple[list[Any], dict[str, Any]]:
    async with database.snapshot() as session:
        key = await session.scalar(select(Provider.id).where(Provider.name == provider))
        people = []
        for role in ROLES:
            granted = select(User).join(RoleGrant, RoleGrant.user_id == User.id).where(RoleGrant.role == role)
            of_provider = granted.where(User.provider_id == key).order_by(User.id).limit(1)
            user = (await session.scalars(of_provider)).one_or_none()
            if user is None:
                continue
            learner = await session.scalar(select(Learner).where(Learner.user_id == user.id))
            people.append(viewer(user, role, learner))
        assessor = next(each for each in people if each.role is Role.ASSESSOR)
        aims = select(Aim).where(Aim.assessor_id == assessor.user_key).order_by(Aim.id).limit(1)
        aim = (await session.scalars(aims)).one()
        unit = await session.scalar(
            select(CriterionProgress.unit_id)
            .where(CriterionProgress.aim_id == aim.id)
            .order_by(CriterionProgress.unit_id)
        )
        evidence = await session.scalar(select(Evidence.id).where(Evidence.aim_id == aim.id).order_by(Evidence.id))
    return people, {
        "learnerId": f"Learner_{aim.learner_id}", "ids": [f"Learner_{aim.learner_id}"], "aimId": f"Aim_{aim.id}",
        "unitId": f"Unit_{aim.id}.{unit}", "evidenceId": f"Evidence_{evidence}", **_YEAR,
    }  # fmt: skip


def _lasting(value: Any) -> Any:
    """The value without what is of the moment."""
    if isinstance(value, dict):
        return {key: _lasting(each) for key, each in value.items() if key not in _OF_THE_MOMENT}
    return [_lasting(each) for each in value] if isinstance(value, list) else value


def without_ids(value: Any) -> Any:
    """The value with each id replaced by its type."""
    if isinstance(value, dict):
        return {key: without_ids(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_ids(each) for each in value]
    return re.sub(r"^([A-Z][A-Za-z]+)_\d+(\.\d+)?$", r"\1", value) if isinstance(value, str) else value
