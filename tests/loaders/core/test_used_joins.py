"""Joins that only left-out columns need are left out of a statement, and its rows stay the same."""

import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlalchemy import Select, func, literal_column, select, text

import loaders
from auth import scope
from db.database import Database
from db.models.action import Action
from db.models.aim import Aim, AimProgress
from db.models.evidence import Evidence, EvidenceMapping
from db.models.learner import Learner
from db.models.user import User
from db.sql.used_joins import with_columns
from domain import clock
from domain.enums import Role
from loaders.core.rows import LightRow
from tests.schema.executor_comparison import PEOPLE
from tests.support.databases import Databases
from tests.support.scenarios.authorization import AuthorizationScenario, build_authorization
from tests.support.viewers import viewer


def joined_rows() -> Iterator[type[LightRow]]:
    """Yields the light rows that read other tables than their own."""
    for module in pkgutil.walk_packages(loaders.__path__, "loaders."):
        importlib.import_module(module.name)
    waiting: list[Any] = [LightRow]
    for each in waiting:
        waiting += each.__subclasses__()
        if each.__module__.startswith("loaders.") and each.__dict__.get("__joins__") and each.__entity_class__:
            yield each


ROWS = sorted(joined_rows(), key=lambda each: each.__name__)


@pytest.fixture(scope="module")
async def seen(databases: Databases, backend: str) -> AsyncIterator[tuple[Database, AuthorizationScenario]]:
    url, scenario = await databases.fresh_with_value(backend, build_authorization)
    database = Database(url)
    yield database, scenario
    await database.close()
    await databases.release(url)


@pytest.mark.parametrize("row", ROWS, ids=lambda each: each.__name__)
async def test_each_column_has_the_same_values_without_the_joins_of_the_others(
    seen: tuple[Database, AuthorizationScenario], row: type[LightRow]
) -> None:
    database, scenario = seen
    found = 0
    for role in (Role.MASTER_ADMIN, Role.ASSESSOR, Role.EMPLOYER_OVERVIEW):
        user, _, learner = scenario.people[PEOPLE[role]]
        bound = {**scope.viewer_params(viewer(user, role, learner)), "now": clock.now(), "today": clock.today()}
        # Of a part of a record all rows: the scope is that of the record.
        whole = row.statement(role) if row.entity().__entity__ else row.select(role)
        rows = await database.rows(whole, bound)
        found += len(rows)
        for position, column in enumerate(whole.inner_columns):
            cut = with_columns(whole, [column])
            values = [repr(each[0]) for each in await database.rows(cut, bound)]
            expected = sorted(repr(each[position]) for each in rows)
            assert sorted(values) == expected, f"{role} {column}\n{cut}"
            limited = with_columns(whole.limit(10_000), [column])
            assert sorted(repr(each[0]) for each in await database.rows(limited, bound)) == expected, str(limited)
    assert found


MAPPINGS = (
    select(EvidenceMapping.id, User.name, Evidence.title)
    .select_from(EvidenceMapping)
    .join(Evidence, Evidence.id == EvidenceMapping.evidence_id)
    .join(User, User.id == EvidenceMapping.mapped_by_id)
)


def joined(statement: Select, *positions: int) -> list[str]:
    """Returns the tables that a statement still joins with some of its columns."""
    columns = list(statement.inner_columns)
    words = str(with_columns(statement, [columns[position] for position in positions])).split()
    return [words[index + 1] for index, word in enumerate(words) if word == "JOIN"]


def test_a_table_is_joined_for_its_columns_only() -> None:
    assert joined(MAPPINGS, 0) == []
    assert joined(MAPPINGS, 0, 1) == ["user_account"]
    assert joined(MAPPINGS, 2) == ["evidence"]
    assert joined(MAPPINGS, 1, 2) == ["evidence", "user_account"]
    assert len(MAPPINGS._setup_joins) == 2
    number = select(func.count()).select_from(Evidence).scalar_subquery()
    assert joined(MAPPINGS.where(number > 1), 0, 2) == ["evidence"]


def test_a_table_that_another_join_needs_stays() -> None:
    statement = select(EvidenceMapping.id, Learner.uln).select_from(EvidenceMapping)
    statement = statement.join(Evidence, Evidence.id == EvidenceMapping.evidence_id)
    statement = statement.join(Learner, Learner.id == Evidence.learner_id)
    assert joined(statement, 1) == ["evidence", "learner"]
    assert joined(statement, 0) == []


@pytest.mark.parametrize(
    "statement",
    [
        MAPPINGS.where(User.name == "x"),
        MAPPINGS.order_by(User.sort_name),
        MAPPINGS.group_by(EvidenceMapping.id, User.name),
        MAPPINGS.where(select(Action.id).where(Action.set_by_id == User.id).exists()),
        MAPPINGS.where(text("user_account.archived_at IS NULL")),
        MAPPINGS.where(literal_column("user_account.name") == "x"),
    ],
)
def test_a_table_that_a_condition_or_the_order_names_stays(statement: Select) -> None:
    assert "user_account" in joined(statement, 0)


def test_a_join_that_leaves_rows_out_or_repeats_them_stays() -> None:
    # A key that may be NULL, a row that no foreign key requires, and many rows of one key.
    assert joined(select(Aim.id, User.name).select_from(Aim).join(User, User.id == Aim.assessor_id), 0) == [
        "user_account"
    ]
    assert joined(
        select(Aim.id, AimProgress.breaks).select_from(Aim).join(AimProgress, AimProgress.aim_id == Aim.id), 0
    ) == ["aim_progress"]
    assert joined(
        select(Evidence.id, EvidenceMapping.id)
        .select_from(Evidence)
        .outerjoin(EvidenceMapping, EvidenceMapping.evidence_id == Evidence.id),
        0,
    ) == ["evidence_mapping"]
    # The reference belongs to a row that may be missing itself.
    statement = select(Action.id, Aim.id, Learner.uln).select_from(Action).outerjoin(Aim, Aim.id == Action.aim_id)
    assert joined(statement.join(Learner, Learner.id == Aim.learner_id), 0) == ["aim", "learner"]


def test_a_statement_without_its_first_table_keeps_its_joins() -> None:
    statement = select(EvidenceMapping.id, User.name).join(User, User.id == EvidenceMapping.mapped_by_id)
    assert joined(statement, 0) == ["user_account"]


def test_an_outer_join_to_a_key_is_left_out() -> None:
    assert joined(select(Aim.id, User.name).select_from(Aim).outerjoin(User, User.id == Aim.assessor_id), 0) == []


def limited(statement: Select, *positions: int) -> str:
    columns = list(statement.inner_columns)
    return " ".join(str(with_columns(statement.limit(5), [columns[position] for position in positions])).split())


LABELLED = (
    select(EvidenceMapping.id.label("key"), User.name.label("name"), User.email.label("mail"))
    .select_from(EvidenceMapping)
    .join(User, User.id == EvidenceMapping.mapped_by_id)
)


def test_a_single_column_is_looked_up_for_the_rows_within_the_limit() -> None:
    found = limited(LABELLED, 0, 1)
    assert "JOIN" not in found
    assert "WHERE user_account.id = evidence_mapping.mapped_by_id) AS name" in found
    # Without a limit the join is for all rows; two columns would be two subqueries; an order needs the join.
    assert joined(LABELLED, 0, 1) == ["user_account"]
    assert "JOIN user_account" in limited(LABELLED, 0, 1, 2)
    assert "JOIN user_account" in limited(LABELLED.order_by(User.sort_name), 0, 1)
    assert "JOIN user_account" in limited(LABELLED.where(User.archived_at.is_(None)), 0, 1)
