"""What rules know of records (`RecordRules.facts` and `state`), against the rows of the database."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from db.database import Database
from domain.enums import AimStatus, EvidenceStatus, Role, SessionStatus
from loaders.action import ActionLoader
from loaders.aim import AimLoader
from loaders.core.registry import Loaders
from loaders.evidence import EvidenceLoader
from loaders.learner import LearnerLoader
from loaders.review import ReviewLoader
from loaders.sample import SampleActionLoader, SampleLoader
from loaders.session import SessionLoader
from loaders.signature_request import SignatureRequestLoader
from loaders.time_log_entry import TimeLogEntryLoader
from loaders.unit import UnitsOfAimLoader, UnitsOfEarlierVersionsLoader
from loaders.user import UserLoader
from resolvers.core.rules import rules_by_type
from tests.authorization.permission_setup import Setup, Uploads, open_setup
from tests.authorization.rows import TABLE_OF
from tests.authorization.viewer_action_states import build_states
from tests.support.databases import Databases
from tests.support.factories import DAY, Factory
from tests.support.scenarios.authorization import AuthorizationScenario

Row = dict[str, Any]
LOADERS: dict[str, Any] = {
    "Action": ActionLoader, "Aim": AimLoader, "Evidence": EvidenceLoader, "Learner": LearnerLoader,
    "Review": ReviewLoader, "Sample": SampleLoader, "SampleAction": SampleActionLoader, "Session": SessionLoader,
    "SignatureRequest": SignatureRequestLoader, "TimeLogEntry": TimeLogEntryLoader, "User": UserLoader,
}  # fmt: skip
ENDED = (AimStatus.COMPLETED, AimStatus.WITHDRAWN)


class World:
    """The rows of the scenario, and the facts of them as the rules read them."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self.rows = setup, setup.rows

    def loaders(self, role: Role) -> Loaders:
        return self.setup.caller.crawler.context(self.setup.user(role), role).loaders

    def seen(self, type_name: str, role: Role = Role.MASTER_ADMIN) -> dict[int, Row]:
        visible = {int(id.partition("_")[2]) for id in self.setup.visibility(role).ids[type_name]}
        return {row["id"]: row for row in self.rows[TABLE_OF[type_name]] if row["id"] in visible}

    def of(self, table: str, **values: Any) -> list[Row]:
        return [row for row in self.rows[table] if all(row[name] == value for name, value in values.items())]

    def one(self, table: str, **values: Any) -> Row:
        [row] = self.of(table, **values)
        return row

    def roles(self, user: int) -> set[Role]:
        return {row["role"] for row in self.of("role_grant", user_id=user)}

    def archived(self, user: int | None) -> bool:
        return user is not None and self.one("user_account", id=user)["archived_at"] is not None

    async def light_rows(self, type_name: str, role: Role = Role.MASTER_ADMIN) -> dict[int, Any]:
        keys = sorted(self.seen(type_name, role))
        rows = await self.loaders(role)[LOADERS[type_name]].load_many(keys)
        return dict(zip(keys, rows, strict=True))

    async def fact(self, type_name: str, name: str, role: Role = Role.MASTER_ADMIN) -> dict[int, Any]:
        """Returns a fact of every record that the viewer sees, by key."""
        rows = await self.light_rows(type_name, role)
        found = await rules_by_type()[type_name].facts[name](self.loaders(role), list(rows.values()))
        return dict(zip(rows, found, strict=True))


async def build(database: Database) -> tuple[AuthorizationScenario, Uploads]:
    """The scenario of viewerActions, with a unit that Bob signed as an assessor until his signature was withdrawn."""
    scenario, ids = await build_states(database)
    async with database.writing() as session:
        make = Factory(session)
        withdrawn = {"withdrawn_at": make.now, "withdrawn_reason": "EVIDENCE"}
        aim, unit, bob = scenario.aims["main"], scenario.records["main.unit"], scenario.users["bob"]
        await make.unit_signature(aim, unit, bob, Role.ASSESSOR, signed_at=make.now - DAY, **withdrawn)
    return scenario, ids


@pytest.fixture(scope="module")
async def world(databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_setup(databases, backend, build, tmp_path_factory.mktemp("facts")) as setup:
        yield World(setup)


def varied(expected: dict[int, Any]) -> dict[int, Any]:
    """Checks that a fact has more than one value in the scenario."""
    assert len(set(map(repr, expected.values()))) > 1
    return expected


# Each fact of the records that a Master Admin sees, by what it is in their rows.
FACTS: dict[tuple[str, str], Callable[[World, Row], Any]] = {
    ("Action", "has_evidence"): lambda world, row: any(
        each["status"] is not EvidenceStatus.WITHDRAWN for each in world.of("evidence", action_id=row["id"])
    ),
    ("Aim", "on_break_since"): lambda world, row: next(
        (each["start_date"] for each in world.of("aim_break", aim_id=row["id"], returned_on=None)), None
    ),
    ("Aim", "recipient_archived"): lambda world, row: world.archived(
        world.one("learner", id=row["learner_id"])["user_id"]
    ),
    ("Evidence", "signed_off"): lambda world, row: bool(
        world.of("evidence_mapping", evidence_id=row["id"], signed_off=True)
    ),
    ("Evidence", "submitter_archived"): lambda world, row: world.archived(row["submitted_by_id"]),
    ("Session", "has_review"): lambda world, row: bool(world.of("review", session_id=row["id"])),
    ("Session", "review_issued"): lambda world, row: any(
        each["issued_at"] is not None for each in world.of("review", session_id=row["id"])
    ),
    ("Review", "attended"): lambda world, row: (
        world.one("session", id=row["session_id"])["status"] is SessionStatus.ATTENDED
    ),
    ("SignatureRequest", "of_review"): lambda world, row: bool(
        world.of("review_document", request_id=row["id"], replaced_at=None)
    ),
    ("User", "archived"): lambda world, row: row["archived_at"] is not None,
    ("User", "invited"): lambda world, row: (
        row["last_login_at"] is None and row["must_change_password"] and row["archived_at"] is None
    ),
    ("User", "only_master_admin"): lambda world, row: (
        Role.MASTER_ADMIN in world.roles(row["id"])
        and not any(
            Role.MASTER_ADMIN in world.roles(other["id"])
            for other in world.of("user_account", provider_id=row["provider_id"], archived_at=None)
            if other["id"] != row["id"]
        )
    ),
    ("User", "aims_to_sample"): lambda world, row: sum(
        aim["status"] in (AimStatus.IN_TRAINING, AimStatus.SUSPENDED) and aim["iqa_id"] is not None
        for aim in world.of("aim", assessor_id=row["id"])
        if world.one("learner", id=aim["learner_id"])["user_id"] != world.setup.user(Role.MASTER_ADMIN)
    ),
}  # fmt: skip


@pytest.mark.parametrize(("type_name", "name"), FACTS, ids=lambda each: str(each))
async def test_a_fact_is_what_the_rows_say(world: World, type_name: str, name: str) -> None:
    expected = {key: FACTS[type_name, name](world, row) for key, row in world.seen(type_name).items()}
    assert await world.fact(type_name, name) == varied(expected)


STATES: dict[tuple[str, str], Callable[[World, Row], Any]] = {
    ("Review", "issued"): lambda world, row: row["issued_at"] is not None,
    ("Sample", "concluded"): lambda world, row: row["concluded_at"] is not None,
    ("SampleAction", "closed"): lambda world, row: row["closed_at"] is not None,
    ("TimeLogEntry", "approved"): lambda world, row: row["approved_at"] is not None,
    ("Learner", "erased"): lambda world, row: row["erased_at"] is not None,
}


@pytest.mark.parametrize(("type_name", "name"), STATES, ids=lambda each: str(each))
async def test_the_state_of_a_light_row_is_what_the_rows_say(world: World, type_name: str, name: str) -> None:
    expected = {key: STATES[type_name, name](world, row) for key, row in world.seen(type_name).items()}
    rows, rules = await world.light_rows(type_name), rules_by_type()[type_name]
    assert {key: getattr(rules.state(row), name) for key, row in rows.items()} == varied(expected)


@pytest.mark.parametrize("role", [Role.ASSESSOR, Role.LEARNER, Role.EMPLOYER_MANAGER])
async def test_the_recipient_of_a_message_is_the_learner_for_staff_and_the_assessor_for_others(
    world: World, role: Role
) -> None:
    aims = world.seen("Aim", role)
    to_learner = role is Role.ASSESSOR
    users = {
        key: world.one("learner", id=row["learner_id"])["user_id"] if to_learner else row["assessor_id"]
        for key, row in aims.items()
    }
    expected = {key: world.archived(user) for key, user in users.items()}
    found = await world.fact("Aim", "recipient_archived", role)
    assert found == (expected if role is Role.LEARNER else varied(expected))


async def test_the_other_roles_of_a_learner_are_those_besides_learner(world: World) -> None:
    expected = {key: world.roles(row["user_id"]) - {Role.LEARNER} for key, row in world.seen("Learner").items()}
    found = await world.fact("Learner", "other_roles")
    assert {key: set(roles) for key, roles in found.items()} == varied(expected)


async def test_the_policy_of_the_provider_is_found(world: World) -> None:
    assert set((await world.fact("User", "has_policy")).values()) == {True}
    loaders = world.loaders(Role.LEARNER)
    # A learner sees no samples, and no policy.
    rows = await loaders[UserLoader].load_many([world.setup.user(Role.LEARNER)])
    assert await rules_by_type()["User"].facts["has_policy"](loaders, rows) == [False]


async def test_the_time_of_sessions_is_that_of_the_operation(world: World) -> None:
    loaders = world.loaders(Role.MASTER_ADMIN)
    assert set((await world.fact("Session", "now")).values()) == {loaders.reading.now}


async def test_answers_name_their_author_and_say_whether_they_left(world: World) -> None:
    expected = {
        key: {
            (each["role"], each["answered_by_id"], world.archived(each["answered_by_id"]))
            for each in world.of("review_answer", review_id=key)
        }
        for key in world.seen("Review")
    }
    found = await world.fact("Review", "answers")
    assert {key: {(each.role, each.author_key, each.left) for each in given} for key, given in found.items()} == varied(
        expected
    )


async def test_the_slots_of_a_document_are_signed_or_not(world: World) -> None:
    def slots(request: int, **values: Any) -> list[tuple[Any, ...]]:
        found = world.of("signature_slot", request_id=request, **values)
        by_guest = lambda each: each["signed_at"] is not None and each["signed_by_id"] is None  # noqa: E731
        return sorted((each["role"].name, each["signed_by_id"] or 0, by_guest(each)) for each in found)

    def as_pairs(given: Any) -> list[tuple[Any, ...]]:
        return sorted((each.role.name, each.signed_by_key or 0, each.by_guest) for each in given)

    expected = {key: slots(key) for key in world.seen("SignatureRequest")}
    found = await world.fact("SignatureRequest", "slots")
    assert {key: as_pairs(given) for key, given in found.items()} == varied(expected)
    # Of a document that was replaced, the signatures that stand.
    current = {
        key: sorted(
            slot
            for document in world.of("review_document", review_id=key)
            for slot in slots(document["request_id"], withdrawn_at=None)
            if document["replaced_at"] is None or slot[1] or slot[2]
        )
        for key in world.seen("Review")
    }
    found = await world.fact("Review", "slots")
    assert {key: as_pairs(given) for key, given in found.items()} == varied(current)


async def test_who_assesses_a_unit_does_not_sample_it(world: World) -> None:
    def assessors(sample: Row) -> set[int]:
        signed = world.of(
            "unit_signature", aim_id=sample["aim_id"], unit_id=sample["unit_id"], role=Role.ASSESSOR, withdrawn_at=None
        )
        aim = world.one("aim", id=sample["aim_id"])
        return {each["signed_by_id"] for each in signed} | ({aim["assessor_id"]} - {None})

    samples = world.seen("Sample")
    expected = {key: assessors(row) for key, row in samples.items()}
    found = await world.fact("Sample", "assessors")
    assert {key: set(given) - {None} for key, given in found.items()} == varied(expected)
    of_actions = {key: expected[row["sample_id"]] for key, row in world.seen("SampleAction").items()}
    found = await world.fact("SampleAction", "assessors")
    assert {key: set(given) - {None} for key, given in found.items()} == of_actions
    mapped = {
        key: bool(world.of("evidence_mapping", aim_id=row["aim_id"], unit_id=row["unit_id"]))
        for key, row in samples.items()
    }
    assert await world.fact("Sample", "has_evidence") == mapped


async def test_the_signatures_and_the_open_criteria_of_a_unit(world: World) -> None:
    rules, loaders = rules_by_type()["Unit"], world.loaders(Role.MASTER_ADMIN)
    aims = sorted(world.seen("Aim"))
    rows = [
        unit
        for of_aim in await loaders.get(UnitsOfAimLoader, False).load_many(aims)
        + await loaders[UnitsOfEarlierVersionsLoader].load_many(aims)
        for unit in of_aim
    ]
    given = dict(zip([row.key for row in rows], await rules.facts["signatures"](loaders, rows), strict=True))
    assert {
        key: sorted((each.role.name, each.signed_by_key) for each in of_unit) for key, of_unit in given.items()
    } == {
        (aim, unit): sorted(
            (each["role"].name, each["signed_by_id"])
            for each in world.of("unit_signature", aim_id=aim, unit_id=unit, withdrawn_at=None)
        )
        for aim, unit in given
    }
    assert any(given.values())
    left = dict(zip([row.key for row in rows], await rules.facts["open_criteria"](loaders, rows), strict=True))
    for (aim, unit), codes in left.items():
        signed_off = {each["criterion_id"] for each in world.of("criterion_progress", aim_id=aim, signed_off=True)}
        criteria = world.of("qualification_criterion", unit_id=unit)
        assert codes == [each["code"] for each in criteria if each["id"] not in signed_off], (aim, unit)
    of_version = {row.key: world.one("qualification_unit", id=row.key[1])["qualification_id"] for row in rows}
    assert {row.key: rules.state(row).current for row in rows} == {
        key: qualification == world.one("aim", id=key[0])["qualification_id"]
        for key, qualification in of_version.items()
    }
