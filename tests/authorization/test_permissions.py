"""Every mutation in every role on three records: a visible one, an invisible one, and one of the other provider.

The expected result is from the table of docs/behaviours.md (`permissions.py`) and the oracle. A rejected mutation
changes nothing.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import update

from auth import policy
from db.database import Database
from db.models.user import User
from domain import clock
from domain.enums import CvDocumentKind, EvidenceStatus, Role
from tests.authorization.mutation_caller import (
    PASSWORD,
    MutationCaller,
    RollbackDatabase,
    arguments,
    id_paths,
    mutations,
)
from tests.authorization.oracle import Visibility
from tests.authorization.permissions import AUTHENTICATION, COLUMNS, ROW_OF, grantable, may
from tests.authorization.rows import Rows, read_rows, replace_rows
from tests.authorization.viewer_crawler import ViewerCrawler
from tests.support.databases import Databases
from tests.support.factories import Factory
from tests.support.passwords import cheap_hash
from tests.support.scenarios.authorization import AuthorizationScenario, build_authorization
from tests.support.scenarios.base import id_of

# The user who calls the mutation in each role. All of them see Ada's main aim.
CALLERS = {
    Role.LEARNER: "ada", Role.ASSESSOR: "ann", Role.IQA: "ian", Role.EMPLOYER_MANAGER: "mo",
    Role.EMPLOYER_OVERVIEW: "olu", Role.BASIC_ADMIN: "bas", Role.MASTER_ADMIN: "may",
}  # fmt: skip
# The aim that the caller does not see: Bea's; Dan's for Olu, who oversees Bea's site.
INVISIBLE = dict.fromkeys(COLUMNS, "beas") | {Role.EMPLOYER_OVERVIEW: "dans"}


@dataclass
class Setup:
    """`caller` commits, `rollback_caller` rolls back; both on the same rows."""

    scenario: AuthorizationScenario
    rows: Rows
    caller: MutationCaller
    rollback_caller: MutationCaller
    ids: dict[tuple[str, str], str] = field(default_factory=dict)

    def visibility(self, role: Role) -> Visibility:
        return Visibility(self.rows, self.user(role), role)

    def user(self, role: Role) -> int:
        return self.scenario.people[CALLERS[role]][0].id

    def of(self, place: str, role: Role) -> dict[str, str]:
        """Returns the ids by argument: the records of one aim (`place`), and the upload of the caller."""
        it, aim = self.scenario, self.scenario.aims[place]
        whose = {"main": "ada", "beas": "bea", "dans": "dan", "zoes": "zoe"}[place]
        manager = {"main": "mo", "beas": "nat", "dans": "nat", "zoes": "zed"}[place]
        overview = {"main": "olu", "beas": "olu", "dans": "oz", "zoes": "zev"}[place]
        site = {"main": it.a, "beas": it.c, "dans": it.c, "zoes": it.far_site}[place]
        far = place == "zoes"
        user = {who: f"User_{person.id}" for who, (person, _, _) in self.scenario.people.items()}
        ids = {
            "learnerId": f"Learner_{getattr(it, whose).id}", "aimId": f"Aim_{aim.id}",
            "unitId": f"Unit_{aim.id}.{it.records[f'{place}.unit']}",
            "criterionId": f"Criterion_{aim.id}.{it.records[f'{place}.criterion']}",
            "sessionId": f"Session_{it.records[f'{place}.session'].id}",
            "actionId": f"Action_{it.records[f'{place}.action'].id}",
            "employerId": f"Employer_{site.id}", "userId": user[manager], "assessorId": user["zak" if far else "bob"],
            "iqaId": user["zia" if far else "ivy"], "qualificationId": f"Qualification_{self._spare(far)}",
            "parentId": f"Employer_{(it.far_site if far else it.head).id}",
            "ids": f"TimeLogEntry_{it.records[f'{place}.entry'].id}",
            "unitIds": f"Unit_{aim.id}.{it.records[f'{place}.unit']}",
            "fileId": self.ids[CALLERS[role], "file"], "photoFileId": self.ids[CALLERS[role], "photo"],
        }  # fmt: skip
        named = {"learnerIds": "learnerId", "aimIds": "aimId", "employerIds": "employerId"}
        ids |= {many: ids[one] for many, one in named.items()}
        ids |= dict.fromkeys(("fileIds", "addFileIds"), ids["fileId"])
        mine = self.ids.get((CALLERS[role], f"{place}.returned"), f"Evidence_{it.records[f'{place}.evidence'].id}")
        waiting = f"Evidence_{it.records[f'{place}.submitted'].id}"
        own = {
            "action": ids["actionId"], "aim": ids["aimId"], "employer": ids["employerId"], "evidence": waiting,
            "learner": ids["learnerId"], "resource": f"Resource_{it.records[f'{place}.resource'].id}",
            "session": ids["sessionId"], "signatureRequest": f"SignatureRequest_{it.records[f'{whose}.request'].id}",
            "break": f"Break_{it.records[f'{place}.break'].id}", "timeLogEntry": ids["ids"], "unit": ids["unitId"],
            "user": ids["userId"], "subject": ids["learnerId"],
        }  # fmt: skip
        for mutation in mutations():
            entity = max((name for name in own if mutation.startswith(name)), key=len, default=None)
            if entity is not None:
                ids[f"{mutation}.id"] = own[entity]
            if mutation.startswith("employerOverview"):
                ids[f"{mutation}.userId"] = user[overview]
        ids["aimVersionChange.qualificationId"] = f"Qualification_{self._version(far)}"
        # Only an action that is not complete and a session that has begun can be changed by these.
        late, missed = it.records[f"{place}.late"], it.records[f"{place}.missed"]
        ids |= {
            f"{mutation}.id": f"Action_{late.id}"
            for mutation in ("actionUpdate", "actionRespond", "actionComplete", "actionDelete")
        }
        ids |= {"sessionComplete.id": f"Session_{missed.id}", "evidenceSubmit.actionId": f"Action_{late.id}"}
        ids["userUpdate.id"] = user[CALLERS[role]] if place == "main" else ids["userId"]
        ids["invitationResend.userId"] = self.ids["invited", "main"] if place == "main" else ids["userId"]
        ids["cvDocumentRemove.fileId"] = self.ids["cv", "main"] if place == "main" else ids["fileId"]
        ids["fromUserId"], ids["toUserId"] = (user["zak"], user["zia"]) if far else (user["ann"], user["bob"])
        ids |= dict.fromkeys(("evidenceResubmit.id", "evidenceUpdate.id", "evidenceWithdraw.id"), mine)
        # Each session that can be completed is a group of its own.
        ids |= {"groupId": f"SessionGroup_{missed.id}", "sessionCompleteMany.sessionId": f"Session_{missed.id}"}
        return ids | {"criterionIds": ids["criterionId"], "learnerErase.confirmName": whose.title()}

    def _version(self, far: bool) -> int:
        return (self.scenario.far_version if far else self.scenario.next_version).id

    def _spare(self, far: bool) -> int:
        return (self.scenario.far_standard if far else self.scenario.spare).id


@pytest.fixture(scope="module")
async def setup(databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    url, (scenario, ids) = await databases.fresh_with_value(backend, build_with_uploads)
    database, rollback = Database(url), RollbackDatabase(url)
    rows = await read_rows(database)
    callers = [
        MutationCaller(ViewerCrawler(one, tmp_path_factory.mktemp("permissions"), rows)) for one in (database, rollback)
    ]
    yield Setup(scenario, rows, *callers, ids)
    for one in (rollback, database):
        await one.close()
    await databases.release(url)


async def build_with_uploads(database: Database) -> tuple[AuthorizationScenario, dict[tuple[str, str], str]]:
    """The scenario with uploads and returned evidence of each caller, and their ids by caller and kind."""
    scenario, ids = await build_authorization(database), {}
    async with database.writing() as session:
        factory = Factory(session)
        await session.execute(update(User).values(password_hash=cheap_hash(PASSWORD)))
        for name, provider, title in (
            ("next_version", scenario.provider, "Cycle mechanic"), ("far_version", scenario.far, "Far standard"),
        ):  # fmt: skip
            reference = "ST0001" if name == "next_version" else None
            made = await factory.qualification(provider, title, (2, 1), reference=reference, version="1.2")
            setattr(scenario, name, made)
        scenario.spare = await factory.qualification(scenario.provider, "Spare", (1,))
        invited = await factory.user(scenario.provider, "Invited", Role.EMPLOYER_MANAGER, must_change_password=True)
        await factory.allocate(invited, scenario.ada)
        ids["invited", "main"] = id_of(invited)
        document = await factory.file(scenario.user("ada"), scenario.ada, storage_key="cv-file")
        await factory.cv_document(scenario.ada, CvDocumentKind.CV, document)
        ids["cv", "main"] = id_of(document)
        ids["zoo", "file"] = id_of(await factory.file(scenario.user("zoo"), storage_key="zoo-file"))
        for who in CALLERS.values():
            user = scenario.user(who)
            for kind, columns in (("file", {}), ("photo", {"name": "me.png", "content_type": "image/png"})):
                ids[who, kind] = id_of(await factory.file(user, storage_key=f"{who}-{kind}", **columns))
            returned = await factory.evidence(
                scenario.aims["main"], user, EvidenceStatus.RETURNED, points_for_improvement="More", title="Returned"
            )
            await factory.evidence_version(returned)
            ids[who, "main.returned"] = id_of(returned)
    return scenario, ids


def test_every_mutation_has_a_row_in_the_table() -> None:
    unknown = set(mutations()) - ROW_OF.keys() - AUTHENTICATION
    assert not unknown, f"add {unknown} to tests/authorization/permissions.py"


def test_the_policy_matches_the_table() -> None:
    for mutation in ROW_OF:
        assert {role for role in Role if policy.may(role, mutation)} == {
            role for role in COLUMNS if may(role, mutation)
        }
    authentication = AUTHENTICATION & policy.MUTATIONS.keys()
    assert policy.MUTATIONS.keys() == ROW_OF.keys() | authentication
    assert all(policy.may(role, mutation) for mutation in authentication for role in Role)
    assert not any(policy.may(role, "somethingNew") for role in Role)
    assert {role: policy.GRANTABLE.get(role, frozenset()) for role in Role} == {role: grantable(role) for role in Role}


MUTATIONS = [name for name in mutations() if name not in AUTHENTICATION]


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_mutations_follow_the_permission_table(setup: Setup, mutation: str) -> None:
    succeeded = set()
    for role in COLUMNS:
        visibility = setup.visibility(role)
        seen = set().union(*visibility.ids.values())
        for place in ("main", INVISIBLE[role], "zoes"):
            ids = setup.of(place, role)
            variables = arguments(mutation, ids, clock.today())
            about = _named_in(variables) - {ids["fileId"], ids["groupId"]}
            if place != "main" and (not about or about <= seen):
                continue  # This role sees all of these records.
            visible, cell = about <= seen, (role.value, place)
            if visible and may(role, mutation):
                codes = await setup.rollback_caller.codes(visibility.me, role, mutation, variables)
                assert not codes & {"NOT_FOUND", "NOT_ALLOWED"}, (cell, codes)
                succeeded |= {role} if not codes else set()
            else:
                codes = await setup.caller.codes(visibility.me, role, mutation, variables)
                # Without permission the code is one of two, the same for existing and unknown records.
                refused = {"NOT_FOUND"} if may(role, mutation) else {"NOT_FOUND", "NOT_ALLOWED"}
                expected = {"NOT_ALLOWED"} if visible else refused
                assert codes and codes <= expected, (cell, codes, expected)
    assert succeeded, "no call succeeded: the arguments are wrong"
    assert await _unchanged(setup)


def _named_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_named_in(one) for name, one in value.items()))
    if isinstance(value, list):
        return set().union(*map(_named_in, value))
    known = isinstance(value, str) and value.partition("_")[2].replace(".", "").isdigit() and value[0].isupper()
    return {value} if known else set()


async def _unchanged(setup: Setup) -> bool:
    """Returns whether the rows are unchanged. Restores them for the next test."""
    database = setup.caller.crawler.database
    kept = await read_rows(database) == setup.rows
    if not kept:
        await replace_rows(database, setup.rows)
    return kept


@pytest.mark.parametrize("mutation", [name for name in MUTATIONS if id_paths(name)])
async def test_an_invisible_id_gets_the_response_of_an_unknown_id(setup: Setup, mutation: str) -> None:
    """Each id of the arguments in turn: of another provider, invisible, and unknown. The responses are equal."""
    for role in (role for role in COLUMNS if may(role, mutation)):
        visibility = setup.visibility(role)
        seen, mine = set().union(*visibility.ids.values()), setup.of("main", role)
        for path in id_paths(mutation):
            for place in ("zoes", INVISIBLE[role]):
                theirs = setup.of(place, role)
                name = f"{mutation}.{path[-1]}" if f"{mutation}.{path[-1]}" in mine else path[-1]
                if path[-1] in FILES:
                    theirs[name] = setup.ids["zoo" if place == "zoes" else CALLERS[OTHER[role]], "file"]
                if theirs[name].replace("SessionGroup_", "Session_") in seen:
                    continue
                answers = [
                    await setup.caller.errors_as_json(
                        visibility.me,
                        role,
                        mutation,
                        arguments(mutation, mine | {name: id}, clock.today(), optional=True),
                    )
                    for id in (theirs[name], _unknown_id(theirs[name]))
                ]
                assert answers[0] == answers[1] != "[]", (role, path, answers)
    assert await _unchanged(setup)


FILES = {"fileId", "fileIds", "addFileIds", "photoFileId"}
# The role whose upload is used as the upload of another user.
OTHER = {role: Role.MASTER_ADMIN if role is not Role.MASTER_ADMIN else Role.BASIC_ADMIN for role in COLUMNS}


def _unknown_id(id: str) -> str:
    """Returns an id of the same type without a record."""
    name, _, key = id.partition("_")
    aim, dot, part = key.partition(".")
    return f"{name}_{aim}{dot}{int(part) + 700_000}" if dot else f"{name}_{int(key) + 700_000}"


@pytest.mark.parametrize("mutation", ["userInvite", "roleGrant", "roleRevoke"])
@pytest.mark.parametrize("role", [Role.ASSESSOR, Role.BASIC_ADMIN, Role.MASTER_ADMIN])
async def test_which_roles_a_role_may_grant(setup: Setup, mutation: str, role: Role) -> None:
    """EMPLOYER_MANAGER only; a Master Admin may grant all roles."""
    for given in Role:
        variables = arguments(mutation, setup.of("main", role), clock.today())
        variables.get("input", variables)["role"] = given.value
        codes = await setup.rollback_caller.codes(setup.user(role), role, mutation, variables)
        allowed = role is Role.MASTER_ADMIN or given is Role.EMPLOYER_MANAGER
        assert ("NOT_ALLOWED" in codes) != allowed, given
    assert await _unchanged(setup)
