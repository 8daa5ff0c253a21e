"""Calls of every mutation on a visible record, an invisible one and one of the other provider, in each role."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import update

from db.database import Database
from db.models.user import User
from domain.enums import CvDocumentKind, EvidenceStatus, Role
from tests.authorization.mutation_caller import PASSWORD, MutationCaller, RollbackDatabase, mutations
from tests.authorization.oracle import Visibility
from tests.authorization.permissions import COLUMNS
from tests.authorization.rows import Rows, read_rows
from tests.authorization.viewer_crawler import ViewerCrawler
from tests.support.databases import Databases
from tests.support.factories import Factory
from tests.support.passwords import cheap_hash
from tests.support.scenarios.authorization import AuthorizationScenario, build_authorization
from tests.support.scenarios.base import id_of

# The ids of uploads, by caller and kind.
Uploads = dict[tuple[str, str], str]

# The user who calls the mutation in each role. All of them see Ada's main aim.
CALLERS = {
    Role.LEARNER: "ada", Role.ASSESSOR: "ann", Role.IQA: "ian", Role.EMPLOYER_MANAGER: "mo",
    Role.EMPLOYER_OVERVIEW: "olu", Role.BASIC_ADMIN: "bas", Role.MASTER_ADMIN: "may",
}  # fmt: skip
# The aim that the caller does not see: Bea's; Dan's for Olu, who oversees Bea's site.
INVISIBLE = dict.fromkeys(COLUMNS, "beas") | {Role.EMPLOYER_OVERVIEW: "dans"}


@dataclass
class Setup:
    """`caller` commits, `rollback_caller` rolls back; both on the same rows. `digest`: of these, once it is known."""

    scenario: AuthorizationScenario
    rows: Rows
    caller: MutationCaller
    rollback_caller: MutationCaller
    ids: Uploads = field(default_factory=dict)
    digest: str | None = None
    _visibilities: dict[Role, Visibility] = field(default_factory=dict)

    def visibility(self, role: Role) -> Visibility:
        if role not in self._visibilities:
            self._visibilities[role] = Visibility(self.rows, self.user(role), role)
        return self._visibilities[role]

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
            "user": ids["userId"], "subject": ids["learnerId"], "accessKey": self._access_key(place, role, manager),
            "review": f"Review_{it.records[f'{place}.review'].id}",
            "sample": f"Sample_{it.records[f'{place}.sample'].id}",
            "sampleAction": f"SampleAction_{it.records[f'{place}.sampleAction'].id}",
        }  # fmt: skip
        for mutation in mutations():
            entity = max((name for name in own if mutation.startswith(name)), key=len, default=None)
            if entity is not None:
                ids[f"{mutation}.id"] = own[entity]
            if mutation.startswith("employerOverview"):
                ids[f"{mutation}.userId"] = user[overview]
        # The slot of an Employer Overview is open.
        ids |= {"requestId": own["signatureRequest"], "guestSignatureInvite.role": Role.EMPLOYER_OVERVIEW.value}
        ids["aimVersionChange.qualificationId"] = f"Qualification_{self._version(far)}"
        # Only an action that is not complete and a session that has begun can be changed by these.
        late, missed = it.records[f"{place}.late"], it.records[f"{place}.missed"]
        ids |= {
            f"{mutation}.id": f"Action_{late.id}"
            for mutation in ("actionUpdate", "actionRespond", "actionComplete", "actionDelete")
        }
        ids |= {"sessionComplete.id": f"Session_{missed.id}", "evidenceSubmit.actionId": f"Action_{late.id}"}
        # A review is issued after its session, and signed or reopened once it is issued.
        ids["reviewIssue.id"] = f"Review_{it.records[f'{place}.ready'].id}"
        issued = f"Review_{it.records[f'{place}.issued'].id}"
        ids |= dict.fromkeys(("reviewSign.id", "reviewReopen.id"), issued)
        ids["samplingPlanMake.assessorId"] = user["zak" if far else "ann"]
        ids["evidenceId"] = f"Evidence_{it.records[f'{place}.evidence'].id}"
        ids["userUpdate.id"] = user[CALLERS[role]] if place == "main" else ids["userId"]
        ids["invitationResend.userId"] = self.ids["invited", "main"] if place == "main" else ids["userId"]
        ids["cvDocumentRemove.fileId"] = self.ids["cv", "main"] if place == "main" else ids["fileId"]
        ids["fromUserId"], ids["toUserId"] = (user["zak"], user["zia"]) if far else (user["ann"], user["bob"])
        ids |= dict.fromkeys(("evidenceResubmit.id", "evidenceUpdate.id", "evidenceWithdraw.id"), mine)
        # Each session that can be completed is a group of its own.
        ids |= {"groupId": f"SessionGroup_{missed.id}", "sessionCompleteMany.sessionId": f"Session_{missed.id}"}
        return ids | {"criterionIds": ids["criterionId"], "learnerErase.confirmName": whose.title()}

    def _access_key(self, place: str, role: Role, manager: str) -> str:
        owner = self.scenario.people[CALLERS[role] if place == "main" else manager][0]
        return f"AccessKey_{self.scenario.access_keys[owner.id].id}"

    def _version(self, far: bool) -> int:
        return (self.scenario.far_version if far else self.scenario.next_version).id

    def _spare(self, far: bool) -> int:
        return (self.scenario.far_standard if far else self.scenario.spare).id


Build = Callable[[Database], Awaitable[tuple[AuthorizationScenario, Uploads]]]


@asynccontextmanager
async def open_setup(
    databases: Databases, backend: str, build: Build, folder: Path, connections: int = 16
) -> AsyncIterator[Setup]:
    """Opens the callers on a database that `build` fills. `connections`: for writes, at most."""
    url, (scenario, ids) = await databases.fresh_with_value(backend, build)
    database, rollback = Database(url, pool_size=connections), RollbackDatabase(url)
    rows = await read_rows(database)
    callers = [MutationCaller(ViewerCrawler(one, folder, rows)) for one in (database, rollback)]
    yield Setup(scenario, rows, *callers, ids)
    for one in (rollback, database):
        await one.close()
    await databases.release(url)


async def build_with_uploads(database: Database) -> tuple[AuthorizationScenario, Uploads]:
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
