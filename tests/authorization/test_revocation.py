"""A removed allocation, aim, role or account has effect on the next request, also for tokens issued before."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from auth.tokens import AccessClaims
from auth.viewer import NotSignedIn, read_viewer
from db.models.aim import Aim
from db.models.session import Session
from db.models.user import RoleGrant
from db.models.user import User as UserTable
from domain.enums import AimStatus, Role, SessionStatus
from resolvers.core.context import Context
from resolvers.signed_url_service import SignedUrlService
from tests.authorization.mutation_caller import PASSWORD
from tests.authorization.oracle import Visibility
from tests.authorization.rows import Rows, continue_numbers, read_rows, replace_rows
from tests.authorization.schema_crawler import schema
from tests.authorization.viewer_crawler import LIFETIME, ViewerCrawler
from tests.support.databases import Databases
from tests.support.factories import Factory
from tests.support.passwords import cheap_hash
from tests.support.scenarios.authorization import AuthorizationScenario, build_authorization


@dataclass
class Setup:
    """The requests use claims that were issued before the permission was removed."""

    scenario: AuthorizationScenario
    crawler: ViewerCrawler
    rows: Rows
    # Claims that a test issued itself, by user and role.
    issued: dict[tuple[str, Role], AccessClaims] = field(default_factory=dict)

    def claims(self, who: str, role: Role) -> AccessClaims:
        if (who, role) in self.issued:
            return self.issued[who, role]
        user = self.scenario.people[who][0].id
        return AccessClaims(user, role, user, self.crawler.now + LIFETIME)

    async def data(self, who: str, role: Role, query: str, **variables: Any) -> dict[str, Any]:
        """Returns the data of a request, for which the viewer is read from the database, as in the server."""
        services, claims = self.crawler.services, self.claims(who, role)
        context = Context(services, await read_viewer(services.database, claims), claims=claims)
        answer = await schema().execute(query, variable_values=variables, context_value=context)
        assert answer.errors is None, answer.errors
        return answer.data

    async def mutate(self, mutation: str) -> None:
        """Runs a mutation as the Master Admin."""
        answer = await self.data("may", Role.MASTER_ADMIN, f"mutation {{ {mutation} {{ errors {{ code message }} }} }}")
        assert all(payload["errors"] == [] for payload in answer.values()), answer

    async def reached(self, who: str, role: Role) -> set[str]:
        """Returns the ids of the learners, aims and evidence that the user reads."""
        document = """{ learners(first: 100) { totalCount
            nodes { id aims { id status } evidence(first: 100) { nodes { id } } } }
          viewer { kpis { learnerCount endedLearnerCount } } }"""
        answer = await self.data(who, role, document)
        found = {learner["id"] for learner in answer["learners"]["nodes"]}
        kpis = answer["viewer"]["kpis"]
        assert answer["learners"]["totalCount"] == len(found)
        # A withdrawn aim counts in no number: a learner who has no other is in the list only.
        statuses = [[aim["status"] for aim in learner["aims"]] for learner in answer["learners"]["nodes"]]
        counted = [each for each in statuses if set(each) != {"WITHDRAWN"}]
        assert kpis["learnerCount"] + kpis["endedLearnerCount"] == len(counted)
        for learner in answer["learners"]["nodes"]:
            found |= {aim["id"] for aim in learner["aims"]} | {one["id"] for one in learner["evidence"]["nodes"]}
        return found

    async def opens(self, who: str, role: Role, file: int) -> bool:
        """Returns whether a link to a file that was issued before still gives the file."""
        user = self.scenario.people[who][0].id
        claims = {"user": user, "role": role.value, "signIn": user, "file": file}
        return await SignedUrlService(self.crawler.services).stored_download(claims) is not None

    def id(self, who: str) -> str:
        return f"User_{self.scenario.people[who][0].id}"


@pytest.fixture(scope="module")
async def unchanged(
    databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Setup]:
    async with databases.opened(backend, build_authorization) as (database, scenario):
        rows = await read_rows(database)
        yield Setup(scenario, ViewerCrawler(database, tmp_path_factory.mktemp("revocation"), rows), rows)


@pytest.fixture
async def setup(unchanged: Setup) -> Setup:
    """The scenario as it was built, with every user signed in."""
    database, expires_at = unchanged.crawler.database, unchanged.crawler.now + LIFETIME
    await replace_rows(database, unchanged.rows)
    unchanged.issued.clear()
    async with database.writing() as session:
        factory = Factory(session, unchanged.crawler.now)
        for user, role, _ in unchanged.scenario.people.values():
            await factory.auth_session(user, role, id=user.id, expires_at=expires_at)
    await continue_numbers(database)
    return unchanged


async def _expect(setup: Setup, who: str, role: Role) -> set[str]:
    """Returns what the user may see now by the oracle."""
    visibility = Visibility(await read_rows(setup.crawler.database), setup.scenario.people[who][0].id, role)
    return visibility.ids["Learner"] | visibility.ids["Aim"] | visibility.ids["Evidence"]


async def _sees_less(setup: Setup, who: str, role: Role, file: int, *mutations: str) -> None:
    """After the mutations the user sees less than before, and exactly what the oracle says."""
    before = await setup.reached(who, role)
    assert before == await _expect(setup, who, role)
    assert await setup.opens(who, role, file)
    for mutation in mutations:
        await setup.mutate(mutation)
    after = await setup.reached(who, role)
    assert after < before
    assert after == await _expect(setup, who, role)
    assert not await setup.opens(who, role, file)


async def _is_signed_out(setup: Setup, who: str, role: Role, file: int, mutation: str) -> None:
    """After the mutation the user's token is rejected."""
    assert await setup.reached(who, role)
    assert await setup.opens(who, role, file)
    await setup.mutate(mutation)
    with pytest.raises(NotSignedIn):
        await setup.reached(who, role)
    assert not await setup.opens(who, role, file)


async def test_deallocating_an_employer_manager(setup: Setup) -> None:
    scenario = setup.scenario
    taken = f'employerManagerDeallocate(userId: "{setup.id("mo")}", learnerIds: ["Learner_{scenario.ada.id}"])'
    await _sees_less(setup, "mo", Role.EMPLOYER_MANAGER, scenario.records["ada.file"].id, taken)


async def test_deallocating_an_employer_overview(setup: Setup) -> None:
    scenario = setup.scenario
    taken = f'employerOverviewDeallocate(userId: "{setup.id("olu")}", employerIds: ["Employer_{scenario.a.id}"])'
    await _sees_less(setup, "olu", Role.EMPLOYER_OVERVIEW, scenario.records["ada.file"].id, taken)


async def test_moving_a_learner_to_another_site(setup: Setup) -> None:
    scenario = setup.scenario
    moved = f'learnerUpdate(id: "Learner_{scenario.ada.id}", input: {{ employerId: "Employer_{scenario.c.id}" }})'
    await _sees_less(setup, "olu", Role.EMPLOYER_OVERVIEW, scenario.records["ada.file"].id, moved)


async def test_giving_an_aim_to_another_assessor(setup: Setup) -> None:
    scenario = setup.scenario
    given = f'aimUpdate(id: "Aim_{scenario.aims["main"].id}", input: {{ assessorId: "{setup.id("bob")}" }})'
    await _sees_less(setup, "ann", Role.ASSESSOR, scenario.records["main.evidence"].file_id, given)


async def test_removing_the_iqa_of_an_aim(setup: Setup) -> None:
    scenario = setup.scenario
    taken = f'aimUpdate(id: "Aim_{scenario.aims["main"].id}", input: {{ iqaId: null }})'
    await _sees_less(setup, "ian", Role.IQA, scenario.records["main.evidence"].file_id, taken)


async def test_adding_the_first_aim_of_a_learner(setup: Setup) -> None:
    scenario = setup.scenario
    added = f"""aimAdd(input: {{ learnerId: "Learner_{scenario.eve.id}",
      qualificationId: "Qualification_{scenario.barista.id}", assessorId: "{setup.id("bob")}",
      startDate: "2026-01-01", plannedEndDate: "2027-01-01" }})"""
    await _sees_less(setup, "ann", Role.ASSESSOR, scenario.records["eve.file"].id, added)


async def test_revoking_a_role(setup: Setup) -> None:
    scenario = setup.scenario
    for who, role, file in (
        ("mo", Role.EMPLOYER_MANAGER, scenario.records["ada.file"].id),
        ("olu", Role.EMPLOYER_OVERVIEW, scenario.records["ada.file"].id),
        ("ann", Role.ASSESSOR, scenario.records["main.evidence"].file_id),
        ("ian", Role.IQA, scenario.records["main.evidence"].file_id),
        ("bas", Role.BASIC_ADMIN, scenario.records["dan.file"].id),
    ):
        await _is_signed_out(setup, who, role, file, f'roleRevoke(userId: "{setup.id(who)}", role: {role.value})')


async def test_archiving_an_account(setup: Setup) -> None:
    scenario = setup.scenario
    # An account with open work is not archived.
    async with setup.crawler.database.writing() as session:
        await session.execute(update(Aim).values(status=AimStatus.COMPLETED))
        await session.execute(update(Session).values(status=SessionStatus.CANCELLED))
    for who, role, file in (
        ("mo", Role.EMPLOYER_MANAGER, scenario.records["ada.file"].id),
        ("ann", Role.ASSESSOR, scenario.records["main.evidence"].file_id),
        ("ada", Role.LEARNER, scenario.records["ada.file"].id),
        ("bas", Role.BASIC_ADMIN, scenario.records["dan.file"].id),
    ):
        await _is_signed_out(setup, who, role, file, f'userArchive(id: "{setup.id(who)}")')


async def test_deleting_a_role_grant_invalidates_its_tokens(setup: Setup) -> None:
    """Every request checks the role grant, not only the authentication session."""
    async with setup.crawler.database.writing() as session:
        bob = await session.scalar(select(UserTable.id).where(UserTable.name == "Bob"))
        await session.execute(delete(RoleGrant).where(RoleGrant.user_id == bob))
    with pytest.raises(NotSignedIn):
        await setup.reached("bob", Role.ASSESSOR)


async def test_switching_roles_changes_what_is_visible(setup: Setup) -> None:
    switch = """mutation($to: Role!, $password: String!) {
      roleSwitch(role: $to, password: $password) { accessToken errors { code } } }"""
    async with setup.crawler.database.writing() as session:
        await session.execute(update(UserTable).values(password_hash=cheap_hash(PASSWORD)))
    before = await setup.reached("max", Role.ASSESSOR)
    for role in set(Role) - {Role.ASSESSOR, Role.IQA}:
        refused = await setup.data("max", Role.ASSESSOR, switch, to=role.value, password=PASSWORD)
        assert refused["roleSwitch"]["accessToken"] is None and refused["roleSwitch"]["errors"], role
    switched = await setup.data("max", Role.ASSESSOR, switch, to="IQA", password=PASSWORD)
    claims = setup.crawler.services.tokens.verify(switched["roleSwitch"]["accessToken"])
    assert claims.role is Role.IQA
    setup.issued["max", Role.IQA] = claims
    after = await setup.reached("max", Role.IQA)
    assert after == await _expect(setup, "max", Role.IQA) != before


async def test_claims_to_a_role_without_a_session_are_rejected(setup: Setup) -> None:
    """Max holds two roles. Signed in as an Assessor, he cannot use claims to another role."""
    assert await setup.reached("max", Role.ASSESSOR) == await _expect(setup, "max", Role.ASSESSOR)
    for role in Role:
        if role is not Role.ASSESSOR:
            with pytest.raises(NotSignedIn):
                await setup.reached("max", role)
