"""Taking away acts on the next request: an allocation, an aim, a role, an account; for tokens given out too."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from auth.tokens import AccessClaims
from auth.viewer import NotSignedIn, read_viewer
from db.database import Database
from db.models.auth_session import AuthSession
from db.models.user import RoleGrant
from db.models.user import User as UserTable
from domain.enums import Role
from resolvers.core.context import Context
from resolvers.exports.export_service import ExportService
from tests.authorization.authorization_scenario import Everything, everything
from tests.authorization.oracle import Sight
from tests.authorization.rows import Rows, continue_numbers, read_rows, replace_rows
from tests.authorization.schema_crawler import schema
from tests.authorization.viewer_crawler import LIFETIME, Looker
from tests.support.databases import Databases


@dataclass
class Stage:
    """Whoever asks does so with claims that were given out before anything was taken away."""

    made: Everything
    looker: Looker
    rows: Rows
    # What was given out since, by who asks in which role.
    given: dict[tuple[str, Role], AccessClaims] = field(default_factory=dict)

    def claims(self, who: str, role: Role) -> AccessClaims:
        if (who, role) in self.given:
            return self.given[who, role]
        user = self.made.people[who][0].id
        return AccessClaims(user, role, user, self.looker.now + LIFETIME)

    async def ask(self, who: str, role: Role, query: str, **variables: Any) -> dict[str, Any]:
        """A request as the server begins it: whoever the claims name is read afresh."""
        services, claims = self.looker.services, self.claims(who, role)
        context = Context(services, await read_viewer(services.database, claims), claims=claims)
        answer = await schema().execute(query, variable_values=variables, context_value=context)
        assert answer.errors is None, answer.errors
        return answer.data

    async def do(self, mutation: str) -> None:
        """A change by the Master Admin."""
        answer = await self.ask("may", Role.MASTER_ADMIN, f"mutation {{ {mutation} {{ errors {{ code message }} }} }}")
        assert all(payload["errors"] == [] for payload in answer.values()), answer

    async def seen(self, who: str, role: Role) -> set[str]:
        """Ids of the learners, aims and evidence that they reach."""
        document = """{ learners(first: 100) { totalCount
            nodes { id aims { id } evidence(first: 100) { nodes { id } } } }
          viewer { kpis { learnerCount } } }"""
        answer = await self.ask(who, role, document)
        found = {learner["id"] for learner in answer["learners"]["nodes"]}
        assert answer["learners"]["totalCount"] == len(found) == answer["viewer"]["kpis"]["learnerCount"]
        for learner in answer["learners"]["nodes"]:
            found |= {aim["id"] for aim in learner["aims"]} | {one["id"] for one in learner["evidence"]["nodes"]}
        return found

    async def opens(self, who: str, role: Role, file: int) -> bool:
        """Whether a link to a file, given out before, still opens it."""
        user = self.made.people[who][0].id
        claims = {"user": user, "role": role.value, "signIn": user, "file": file}
        return await ExportService(self.looker.services).stored_download(claims) is not None

    def id(self, who: str) -> str:
        return f"User_{self.made.people[who][0].id}"


@pytest.fixture(scope="module")
async def whole(databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    url = await databases.fresh(backend)
    database = Database(url)
    made = await everything(database)
    rows, folder = await read_rows(database), tmp_path_factory.mktemp("taking")
    yield Stage(made, Looker(database, Path(folder), rows), rows)
    await database.close()
    await databases.release(url)


@pytest.fixture
async def stage(whole: Stage) -> Stage:
    """The world as it was made, and everybody signed in."""
    database = whole.looker.database
    await replace_rows(database, whole.rows)
    whole.given.clear()
    async with database.writing() as session:
        for user, roles, _ in whole.made.people.values():
            session.add(
                AuthSession(
                    id=user.id, provider_id=user.provider_id, user_id=user.id, role=roles[0],
                    started_at=whole.looker.now, expires_at=whole.looker.now + LIFETIME,
                )
            )  # fmt: skip
    await continue_numbers(database)
    return whole


async def _expect(stage: Stage, who: str, role: Role) -> set[str]:
    """What the oracle says they reach now."""
    sight = Sight(await read_rows(stage.looker.database), stage.made.people[who][0].id, role)
    return sight.ids["Learner"] | sight.ids["Aim"] | sight.ids["Evidence"]


async def _loses(stage: Stage, who: str, role: Role, file: int, *mutations: str) -> None:
    """After the mutations somebody reaches less than before, and exactly what the oracle says."""
    before = await stage.seen(who, role)
    assert before == await _expect(stage, who, role)
    assert await stage.opens(who, role, file)
    for mutation in mutations:
        await stage.do(mutation)
    after = await stage.seen(who, role)
    assert after < before
    assert after == await _expect(stage, who, role)
    assert not await stage.opens(who, role, file)


async def _is_out(stage: Stage, who: str, role: Role, file: int, mutation: str) -> None:
    """After the mutation their token opens nothing at all."""
    assert await stage.seen(who, role)
    assert await stage.opens(who, role, file)
    await stage.do(mutation)
    with pytest.raises(NotSignedIn):
        await stage.seen(who, role)
    assert not await stage.opens(who, role, file)


async def test_a_learner_from_an_employer_manager(stage: Stage) -> None:
    it = stage.made.it
    taken = f'employerManagerDeallocate(userId: "{stage.id("mo")}", learnerIds: ["Learner_{it.ada.id}"])'
    await _loses(stage, "mo", Role.EMPLOYER_MANAGER, it.of["ada.file"].id, taken)


async def test_a_site_from_an_employer_overview(stage: Stage) -> None:
    it = stage.made.it
    taken = f'employerOverviewDeallocate(userId: "{stage.id("olu")}", employerIds: ["Employer_{it.a.id}"])'
    await _loses(stage, "olu", Role.EMPLOYER_OVERVIEW, it.of["ada.file"].id, taken)


async def test_a_learner_who_moves_to_another_site(stage: Stage) -> None:
    it = stage.made.it
    moved = f'learnerUpdate(id: "Learner_{it.ada.id}", input: {{ employerId: "Employer_{it.c.id}" }})'
    await _loses(stage, "olu", Role.EMPLOYER_OVERVIEW, it.of["ada.file"].id, moved)


async def test_an_aim_from_an_assessor(stage: Stage) -> None:
    it = stage.made.it
    given = f'aimUpdate(id: "Aim_{it.aims["main"].id}", input: {{ assessorId: "{stage.id("bob")}" }})'
    await _loses(stage, "ann", Role.ASSESSOR, it.of["main.evidence"].file_id, given)


async def test_an_aim_from_an_iqa(stage: Stage) -> None:
    it = stage.made.it
    taken = f'aimUpdate(id: "Aim_{it.aims["main"].id}", input: {{ iqaId: null }})'
    await _loses(stage, "ian", Role.IQA, it.of["main.evidence"].file_id, taken)


async def test_a_learner_without_an_aim_from_whom_enrolled_them(stage: Stage) -> None:
    it = stage.made.it
    added = f"""aimAdd(input: {{ learnerId: "Learner_{it.eve.id}", qualificationId: "Qualification_{it.maths.id}",
      assessorId: "{stage.id("bob")}", startDate: "2026-01-01", plannedEndDate: "2027-01-01" }})"""
    await _loses(stage, "ann", Role.ASSESSOR, it.of["eve.file"].id, added)


async def test_a_role(stage: Stage) -> None:
    it = stage.made.it
    for who, role, file in (
        ("mo", Role.EMPLOYER_MANAGER, it.of["ada.file"].id),
        ("olu", Role.EMPLOYER_OVERVIEW, it.of["ada.file"].id),
        ("ann", Role.ASSESSOR, it.of["main.evidence"].file_id),
        ("ian", Role.IQA, it.of["main.evidence"].file_id),
        ("bas", Role.BASIC_ADMIN, it.of["dan.file"].id),
    ):
        await _is_out(stage, who, role, file, f'roleRevoke(userId: "{stage.id(who)}", role: {role.value})')


async def test_an_account(stage: Stage) -> None:
    it = stage.made.it
    for who, role, file in (
        ("mo", Role.EMPLOYER_MANAGER, it.of["ada.file"].id),
        ("ann", Role.ASSESSOR, it.of["main.evidence"].file_id),
        ("ada", Role.LEARNER, it.of["ada.file"].id),
        ("bas", Role.BASIC_ADMIN, it.of["dan.file"].id),
    ):
        await _is_out(stage, who, role, file, f'userArchive(id: "{stage.id(who)}")')


async def test_a_grant_that_goes_by_itself_takes_its_tokens_along(stage: Stage) -> None:
    """Not by ending the sign-in alone: the grant is looked for with every request."""
    async with stage.looker.database.writing() as session:
        bob = await session.scalar(select(UserTable.id).where(UserTable.name == "Bob"))
        await session.execute(delete(RoleGrant).where(RoleGrant.user_id == bob))
    with pytest.raises(NotSignedIn):
        await stage.seen("bob", Role.ASSESSOR)


async def test_switching_roles_shows_what_that_role_sees(stage: Stage) -> None:
    switch = "mutation($to: Role!) { roleSwitch(role: $to) { accessToken errors { code } } }"
    before = await stage.seen("max", Role.ASSESSOR)
    for role in set(Role) - {Role.ASSESSOR, Role.IQA}:
        refused = await stage.ask("max", Role.ASSESSOR, switch, to=role.value)
        assert refused["roleSwitch"]["accessToken"] is None and refused["roleSwitch"]["errors"], role
    switched = await stage.ask("max", Role.ASSESSOR, switch, to="IQA")
    claims = stage.looker.services.tokens.verify(switched["roleSwitch"]["accessToken"])
    assert claims.role is Role.IQA
    stage.given["max", Role.IQA] = claims
    after = await stage.seen("max", Role.IQA)
    assert after == await _expect(stage, "max", Role.IQA) != before


async def test_a_role_that_a_token_does_not_carry_opens_nothing(stage: Stage) -> None:
    """Max holds two roles; signed in as an Assessor, his claims to another are nobody's."""
    assert await stage.seen("max", Role.ASSESSOR) == await _expect(stage, "max", Role.ASSESSOR)
    for role in Role:
        if role is not Role.ASSESSOR:
            with pytest.raises(NotSignedIn):
                await stage.seen("max", role)
