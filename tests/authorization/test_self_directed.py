"""Every mutation of the schema, in every role, by a person about themself.

Nobody grants, allocates or signs for themself, or changes their own record as staff or employer. Ada is a learner who
holds every other role, is assessor and IQA of all her aims, and is allocated to herself, as rows of release 0.1.0 may
say. A new mutation is covered without a change here.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from auth import policy
from db.database import Database
from db.models.aim import Aim
from db.models.signature_request import SignatureSlot
from db.models.user import ManagerAllocation, OverviewAllocation
from domain import clock
from domain.enums import Role
from resolvers.core.unit_of_work import UnitOfWork
from tests.authorization.mutation_caller import MutationCaller, RollbackDatabase, arguments, mutations
from tests.authorization.permissions import AUTHENTICATION, OWN_ORDERS
from tests.authorization.rows import read_rows
from tests.authorization.test_permissions import CALLERS, Setup, build_with_uploads
from tests.authorization.viewer_crawler import ViewerCrawler
from tests.support.databases import Databases
from tests.support.factories import Factory
from tests.support.scenarios.authorization import AuthorizationScenario

# What no learner's record and no other person's account is changed by.
OF_NO_PERSON = {
    "employerCreate", "employerUpdate", "fileUploadCreate", "learnerEnrol", "notificationSettingsUpdate",
    "providerSettingsUpdate", "pushSubscriptionRemove", "resourceAdd", "resourceRemove",
    "samplingPolicySave", "userInvite",
}  # fmt: skip
# Giving up a role of one's own takes no colleague; the last Master Admin is refused.
GIVING_UP = {"accessKeyRevoke", "roleRevoke", "employerManagerDeallocate", "employerOverviewDeallocate"}
ROLES = [role for role in Role if role is not Role.LEARNER]


async def build_self_directed(database: Database) -> tuple[AuthorizationScenario, dict[tuple[str, str], str]]:
    scenario, ids = await build_with_uploads(database)
    ada, learner = scenario.user("ada"), scenario.ada
    async with database.writing() as session:
        factory = Factory(session)
        for role in ROLES:
            await factory.role_grant(ada, role)
        await session.execute(update(Aim).where(Aim.learner_id == learner.id).values(assessor_id=ada.id, iqa_id=ada.id))
        await session.execute(delete(ManagerAllocation).where(ManagerAllocation.user_id == ada.id))
        await factory.allocate(ada, learner)
        await factory.oversee(ada, scenario.a)
        assert (await session.scalars(select(OverviewAllocation).where(OverviewAllocation.user_id == ada.id))).all()
        # Nobody has signed yet, so that only the rule can refuse a signature.
        await session.execute(
            update(SignatureSlot)
            .where(SignatureSlot.learner_id == learner.id)
            .values(signed_by_id=None, signed_at=None, statement=None, document_sha256=None)
        )
        ids["ada", "user"] = f"User_{ada.id}"
    return scenario, ids


@pytest.fixture(scope="module")
async def setup(databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    url, (scenario, ids) = await databases.fresh_with_value(backend, build_self_directed)
    database, rollback = Database(url), RollbackDatabase(url)
    rows = await read_rows(database)
    callers = [
        MutationCaller(ViewerCrawler(one, tmp_path_factory.mktemp("self"), rows)) for one in (database, rollback)
    ]
    yield Setup(scenario, rows, *callers, ids)
    for one in (rollback, database):
        await one.close()
    await databases.release(url)


SELF_DIRECTED = [name for name in mutations() if name not in OF_NO_PERSON | GIVING_UP | AUTHENTICATION | OWN_ORDERS]


@pytest.mark.parametrize("mutation", SELF_DIRECTED)
async def test_nobody_acts_on_themself_in_another_role(
    setup: Setup, mutation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = setup.scenario.user("ada").id
    # A repetition that changes nothing, such as reopening a planned session, has no audit event and no error.
    audited: list[str] = []
    audit = UnitOfWork.audit

    def record(uow: UnitOfWork, *arguments: Any, **detail: Any) -> None:
        audited.append(uow.action)
        audit(uow, *arguments, **detail)

    monkeypatch.setattr(UnitOfWork, "audit", record)
    for role in ROLES:
        if not policy.may(role, mutation):
            continue
        ids = setup.of("main", Role.LEARNER) | dict.fromkeys(
            ("userId", "assessorId", "iqaId", "toUserId"), f"User_{ada}"
        )
        ids |= {name: f"User_{ada}" for name in ids if name.startswith("user") and name.endswith(".id")}
        ids |= {name: f"User_{ada}" for name in ids if name.endswith(".userId")}
        errors = await setup.rollback_caller.errors(ada, role, mutation, arguments(mutation, ids, clock.today()))
        assert errors or not audited, f"{mutation} as {role.value}"
        audited.clear()


def test_the_callers_of_the_permission_tests_are_the_control() -> None:
    """Each of these mutations goes through for the person whose work it is: `test_permissions.test_cell_by_cell`."""
    for mutation in SELF_DIRECTED:
        assert any(policy.may(role, mutation) for role in CALLERS), mutation
