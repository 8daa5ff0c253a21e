"""Records of every kind for seven learners at two providers, and everybody who may see them.

| learner | site | manager | aims: assessor / IQA |
|---|---|---|---|
| Ada | A | Mo | main Ann / Ian; side Bob / Ivy; third Max / Ian |
| Bea | A | Nat (a colleague of Mo's), Old (archived) | Bob / Ivy; second Bob / Max |
| Cyd | B | Mo | Ann / Ivy, withdrawn |
| Dan | C | - | Bob / Ian |
| Eve | - | - | none: Ann enrolled her |
| Fay | head office | - | one with neither; Ann enrolled her too |
| Zoe | far | Zed | Zak / Zia, at the other provider |

Olu oversees sites A, B and D, where nobody works yet; Oz oversees C. Max assesses one of Ada's aims and samples one of
Bea's: his one login holds both roles. Nell is an Employer Manager to whom no learner is allocated.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from db.database import Database
from db.models.access_key import AccessKey
from db.models.aim import Aim
from db.models.change_reason import ChangeReason
from db.models.employer import Employer
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.qualification import Qualification
from db.models.session import Session
from db.models.signature_request import SignatureSlot
from db.models.updated_at import DeletedRecord
from db.models.user import RoleGrant, User
from domain.enums import AimOutcome, AimStatus, BulkExportStatus, Role, SessionStatus, SessionType
from tests.support.factories import DAY, SHA256, Factory
from tests.support.scenarios.authorization_records import add_records, session_of_two_aims, submitted_evidence
from tests.support.scenarios.base import Scenario

STAFF = {
    "ann": (Role.ASSESSOR,), "bob": (Role.ASSESSOR,), "max": (Role.ASSESSOR, Role.IQA), "ian": (Role.IQA,),
    "ivy": (Role.IQA,), "bas": (Role.BASIC_ADMIN,), "may": (Role.MASTER_ADMIN,), "mo": (Role.EMPLOYER_MANAGER,),
    "nat": (Role.EMPLOYER_MANAGER,), "nell": (Role.EMPLOYER_MANAGER,), "olu": (Role.EMPLOYER_OVERVIEW,),
    "oz": (Role.EMPLOYER_OVERVIEW,),
}  # fmt: skip
STRANGERS = {
    "zak": (Role.ASSESSOR,), "zia": (Role.IQA,), "zed": (Role.EMPLOYER_MANAGER,), "zev": (Role.EMPLOYER_OVERVIEW,),
    "zoo": (Role.MASTER_ADMIN,),
}  # fmt: skip

# Who has a link to sign without an account, in the slots of an Employer Overview.
GUEST = "guest@garage.example"

# Everybody in each role that they hold; of the learners, one with every record, one with no aim, and a stranger.
VIEWERS = [(who, role) for who, roles in (STAFF | STRANGERS).items() for role in roles]
VIEWERS += [(who, Role.LEARNER) for who in ("ada", "eve", "zoe")]
# One user of each role, and the Master Admin of the other provider.
ONE_OF_EACH = [(who, role) for who, role in VIEWERS if who in ("ann", "ian", "mo", "olu", "bas", "may", "ada", "zoo")]


@dataclass
class AuthorizationScenario(Scenario):
    """The scenario. `people` has the first role of each user; `records` has records by `aim.kind` or `learner.kind`."""

    provider: Provider = field(init=False)
    far: Provider = field(init=False)
    head: Employer = field(init=False)
    a: Employer = field(init=False)
    b: Employer = field(init=False)
    c: Employer = field(init=False)
    d: Employer = field(init=False)
    far_site: Employer = field(init=False)
    ada: Learner = field(init=False)
    bea: Learner = field(init=False)
    cyd: Learner = field(init=False)
    dan: Learner = field(init=False)
    eve: Learner = field(init=False)
    fay: Learner = field(init=False)
    zoe: Learner = field(init=False)
    standard: Qualification = field(init=False)
    english: Qualification = field(init=False)
    barista: Qualification = field(init=False)
    far_standard: Qualification = field(init=False)
    # A session about two of Ada's aims, and the one that comes first, which is Bob's.
    both: Session = field(init=False)
    soonest: Session = field(init=False)
    aims: dict[str, Aim] = field(default_factory=dict)
    records: dict[str, Any] = field(default_factory=dict)
    # By the key of the user.
    access_keys: dict[int, AccessKey] = field(default_factory=dict)

    @property
    def users(self) -> dict[str, User]:
        return {name: user for name, (user, _, _) in self.people.items()}


async def build_authorization(database: Database) -> AuthorizationScenario:
    """Fills a database that has every table and no row."""
    scenario = AuthorizationScenario()
    async with database.writing() as session:
        factory = Factory(session)
        scenario.provider = await factory.provider(
            "Here", disclaimer="Keep it to yourself.", unit_signatures=["ASSESSOR", "IQA"]
        )
        scenario.far = await factory.provider(
            "Far away", review_interval_weeks=8, require_second_factor=["EMPLOYER_OVERVIEW"]
        )
        for provider in (scenario.provider, scenario.far):
            await factory.sampling_policy(provider, 50, 50, 2)
        await _staff(factory, scenario)
        await _learners(factory, scenario)
        await _aims(factory, scenario)
        await _records(factory, scenario)
        await _audit_trail(factory, scenario)
        await session.execute(update(User).values(disclaimer_accepted=1))
        for slot in await session.scalars(select(SignatureSlot).where(SignatureSlot.signed_at.is_not(None))):
            slot.document_sha256, slot.statement = SHA256, "I confirm"
            if slot.role is Role.MASTER_ADMIN:
                slot.withdrawn_at, slot.withdrawn_reason = factory.now, "Signed by mistake"
        invited = update(SignatureSlot).where(SignatureSlot.role == Role.EMPLOYER_OVERVIEW)
        await session.execute(invited.values(guest_name="Jo Miller", guest_email=GUEST))
        await factory.identity_provider(scenario.provider)
        for user, role, _ in scenario.people.values():
            await factory.auth_session(user, role, id=user.id)
            used = {"last_used_at": factory.now, "revoked_at": factory.now, "operations": ["site_comparison"]}
            scenario.access_keys[user.id] = await factory.access_key(user, role, secret=f"wmk_{user.id}", **used)
            await factory.bulk_export(user, role)
            await factory.bulk_export(user, role, status=BulkExportStatus.FAILED, failure="INTERNAL")
            await factory.report_schedule(user, role)
    return scenario


async def _staff(factory: Factory, scenario: AuthorizationScenario) -> None:
    for provider, people in ((scenario.provider, STAFF), (scenario.far, STRANGERS)):
        for who, roles in people.items():
            user = await factory.user(provider, who.title(), *roles, last_login_at=factory.now)
            scenario.people[who] = (user, roles[0], None)
    scenario.users["ann"].digest_hour, scenario.users["ann"].calendar_nonce = 7, "0" * 24
    granted_here = RoleGrant.provider_id == scenario.provider.id
    await factory.session.execute(update(RoleGrant).where(granted_here).values(granted_by_id=scenario.users["may"].id))


async def _learners(factory: Factory, scenario: AuthorizationScenario) -> None:
    here, far, users = scenario.provider, scenario.far, scenario.users
    old = await factory.user(here, "Old", Role.EMPLOYER_MANAGER, archived_at=factory.now)
    head = scenario.head = await factory.employer(here, "Head office")
    scenario.a, scenario.b, scenario.c, scenario.d = [
        await factory.employer(here, f"Site {name}", head) for name in "ABCD"
    ]
    scenario.far_site = await factory.employer(far, "Site far")
    for who, provider, site, columns in (
        ("ada", here, scenario.a, {"uln": "1000000001"}),
        ("bea", here, scenario.a, {"uln": "1000000002"}),
        ("cyd", here, scenario.b, {"uln": "1000000003"}),
        ("dan", here, scenario.c, {"uln": "1000000004"}),
        ("eve", here, None, {"uln": "1000000005", "enrolled_by_id": users["ann"].id}),
        ("fay", here, head, {"uln": "1000000006", "enrolled_by_id": users["ann"].id}),
        ("zoe", far, scenario.far_site, {"uln": "1000000001"}),
    ):
        learner = await factory.learner(provider, who.title(), site, **columns)
        user = await factory.session.get_one(User, learner.user_id)
        user.last_login_at = factory.now - DAY
        scenario.people[who] = (user, Role.LEARNER, learner)
        setattr(scenario, who, learner)
    await factory.allocate(users["mo"], scenario.ada, scenario.cyd)
    await factory.allocate(users["nat"], scenario.bea)
    await factory.allocate(old, scenario.bea)
    await factory.allocate(users["zed"], scenario.zoe)
    await factory.oversee(users["olu"], scenario.a, scenario.b, scenario.d)
    await factory.oversee(users["oz"], scenario.c)
    await factory.oversee(users["zev"], scenario.far_site)


async def _aims(factory: Factory, scenario: AuthorizationScenario) -> None:
    about = {"reference": "ST0001", "version": "1.1", "level": 2, "off_the_job_hours_minimum": 100}
    scenario.standard = await factory.qualification(scenario.provider, "Cycle mechanic", (2, 1), **about)
    scenario.english = await factory.qualification(scenario.provider, "English", (1,))
    scenario.barista = await factory.qualification(scenario.provider, "Barista's café skills", (1, 1))
    scenario.far_standard = await factory.qualification(scenario.far, "Far standard", (2, 1))
    # Only Max and Ian see this aim, whose planned end is the latest: other viewers must not see it in the order.
    ended = {
        "status": AimStatus.COMPLETED, "actual_end_date": factory.today,
        "planned_end_date": factory.today + 200 * DAY, "outcome": AimOutcome.ACHIEVED,
    }  # fmt: skip
    late = {"planned_end_date": factory.today - 5 * DAY}
    unmapped = {"mapped": 0, "signed_off": 0}
    users = scenario.users
    for name, learner, qualification, assessor, iqa, columns in (
        ("main", scenario.ada, scenario.standard, "ann", "ian", {}),
        ("side", scenario.ada, scenario.english, "bob", "ivy", late),
        ("third", scenario.ada, scenario.barista, "max", "ian", ended),
        ("beas", scenario.bea, scenario.standard, "bob", "ivy", unmapped),
        ("beas_second", scenario.bea, scenario.english, "bob", "max", unmapped),
        ("cyds", scenario.cyd, scenario.standard, "ann", "ivy", {"status": AimStatus.WITHDRAWN}),
        ("dans", scenario.dan, scenario.english, "bob", "ian", {}),
        ("fays", scenario.fay, scenario.barista, None, None, {"status": AimStatus.AWAITING_INDUCTION}),
        ("zoes", scenario.zoe, scenario.far_standard, "zak", "zia", {}),
    ):
        values = {"mapped": 2, "signed_off": 1, **columns}
        scenario.aims[name] = await factory.aim(
            learner, qualification, assessor=users.get(assessor), iqa=users.get(iqa), **values
        )


async def _records(factory: Factory, scenario: AuthorizationScenario) -> None:
    users, aims = scenario.users, scenario.aims
    managers = {"ada": "mo", "bea": "nat", "cyd": "mo", "zoe": "zed"}
    helpers = {"ada": "ann", "bea": "bob", "cyd": "ann", "dan": "bob", "fay": "bob", "eve": "bas", "zoe": "zak"}
    for name, helper in helpers.items():
        _, _, learner = scenario.people[name]
        own = {key: aim for key, aim in aims.items() if aim.learner_id == learner.id}
        manager = users[managers[name]] if name in managers else None
        scenario.records |= await add_records(factory, learner, users[name], users[helper], manager, own)
    # Sessions about some of Ada's aims: a viewer of another aim sees neither the session nor what is in it.
    ada, main, side = scenario.ada, aims["main"], aims["side"]
    # The first of them is only Bob's to see: for Ann another one comes next.
    scenario.soonest = await factory.session_of(ada, users["bob"], factory.now + 0.5 * DAY, side)
    scenario.both = await session_of_two_aims(factory, ada, users["ann"], factory.now + 2 * DAY, main, side)
    for aim, assessor, days, feedback in ((main, "ann", 9, "Well done"), (side, "bob", 2, "Well read")):
        attended = {"type": SessionType.FORMAL_REVIEW, "status": SessionStatus.ATTENDED, "feedback": feedback}
        await factory.session_of(ada, users[assessor], factory.now - days * DAY, aim, **attended)
    for name in ("ann", "bob", "mo", "ada", "zak"):
        await factory.file(users[name], name=f"{name}s-own-upload.txt")
    # Deleted: an action of each aim, and a time entry of each learner that was of no aim.
    learners = {learner.id: learner.provider_id for _, _, learner in scenario.people.values() if learner is not None}
    gone = [("Action", aim.learner_id, aim.id) for aim in aims.values()]
    for number, (type_name, learner_id, aim_id) in enumerate(
        [*gone, *(("TimeLogEntry", learner_id, None) for learner_id in learners)], 900
    ):
        about = {"provider_id": learners[learner_id], "learner_id": learner_id, "aim_id": aim_id}
        record = {"record_type": type_name, "record_key": number, "deleted_at": factory.now}
        await factory.add(DeletedRecord(**about, **record))
    # Submitted by an Employer Manager while Ada was allocated to them: their name stays with it.
    await submitted_evidence(factory, main, users["nell"], "Given by somebody who left")


async def _audit_trail(factory: Factory, scenario: AuthorizationScenario) -> None:
    """Lines about each learner's records by staff, signatures of the learners' own, and lines about no learner."""
    users = scenario.users

    async def line(who: str, action: str, type_name: str | None, key: int | None, **columns: Any) -> None:
        _, role, _ = scenario.people[who]
        event = await factory.audit_event(users[who], role, action, subject_type=type_name, subject_key=key, **columns)
        if action == "evidenceWithdraw":
            await factory.session.flush()
            about = {"provider_id": event.provider_id, "learner_id": event.learner_id}
            await factory.add(ChangeReason(audit_event_id=event.id, reason="The wrong file", **about))

    names = {learner.id: who for who, (_, _, learner) in scenario.people.items() if learner is not None}
    for name, aim in scenario.aims.items():
        about = {"learner_id": aim.learner_id, "aim_id": aim.id}
        admin = "zoo" if name == "zoes" else "may"
        await line(admin, "aimAdd", "Aim", aim.id, **about)
        signer = names[aim.learner_id]
        await line(signer, "evidenceSubmit", "Evidence", scenario.records[f"{name}.evidence"].id, **about)
        await line(admin, "evidenceAssess", "Evidence", scenario.records[f"{name}.evidence"].id, **about)
        await line(admin, "evidenceWithdraw", "Evidence", scenario.records[f"{name}.evidence"].id, **about)
        await line(signer, "cvSectionSave", "Learner", aim.learner_id, learner_id=aim.learner_id)
        await line(admin, "unitSign", "Unit", aim.id, subject_part=scenario.records[f"{name}.unit"], **about)
    for admin, learner in (("may", scenario.ada), ("zoo", scenario.zoe)):
        await line(admin, "learnerUpdate", "Learner", learner.id, learner_id=learner.id)
        await line(admin, "providerSettingsUpdate", None, None)
        await line(admin, "userInvite", "User", users[admin].id)
