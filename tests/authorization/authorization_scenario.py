"""A world with one of everything for several learners, and everybody who may look at them, at two providers.

| learner | site | manager | aims: assessor / IQA |
|---|---|---|---|
| Ada | A | Mo | main Ann / Ian; side Bob / Ivy; third Max / Ian |
| Bea | A | Nat (a colleague of Mo's), Old (archived) | Bob / Ivy; second Bob / Max |
| Cyd | B | Mo | Ann / Ivy, withdrawn |
| Dan | C | - | Bob / Ian |
| Eve | - | - | none: Ann enrolled her |
| Fay | head office | - | one with neither; Ann enrolled her too |
| Zoe | far | Zed | Zak / Zia, at the other provider |

Olu oversees sites A and B, and D, where no learner works yet; Oz oversees C. Max has two roles in one account: he
assesses one of Ada's aims and quality-assures one of Bea's. Nell is an Employer Manager without an allocated learner.
"""

from dataclasses import dataclass, field
from types import SimpleNamespace

from sqlalchemy import select, update

from db.database import Database
from db.migrate import migrate
from db.models.audit_event import AuditEvent
from db.models.auth_session import AuthSession
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.signature_request import SignatureSlot
from db.models.user import RoleGrant, User
from domain.enums import AimStatus, Role, SessionStatus, SessionType
from services.audit.append import append
from tests.authorization.records import everything_of, plan_of_two_aims, waiting_evidence
from tests.support.factories import DAY, SHA256, Factory

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
LEARNERS = ("ada", "bea", "cyd", "dan", "eve", "fay", "zoe")

# Everybody in each role that they hold; of the learners, one with everything, one with no aim, and a stranger.
VIEWERS = [(who, role) for who, roles in (STAFF | STRANGERS).items() for role in roles]
VIEWERS += [(who, Role.LEARNER) for who in ("ada", "eve", "zoe")]
# Somebody in each role, and the Master Admin of the other provider.
ONE_OF_EACH = [(who, role) for who, role in VIEWERS if who in ("ann", "ian", "mo", "olu", "bas", "may", "ada", "zoo")]


@dataclass
class Everything:
    """The factory: `people` by what the tests call them, with the roles they hold; `it` holds the entities."""

    people: dict[str, tuple[User, tuple[Role, ...], Learner | None]] = field(default_factory=dict)
    it: SimpleNamespace = field(default_factory=SimpleNamespace)


async def everything(database: Database) -> Everything:
    """Fills an empty database."""
    await migrate(database)
    made = Everything()
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider(
            "Here", disclaimer="Keep it to yourself.", unit_signatures=["ASSESSOR", "IQA"]
        )
        far = await factory.provider("Far away")
        made.it.provider = provider
        await _people(factory, made, provider, far)
        await _learners(factory, made, provider, far)
        await _programmes(factory, made, provider, far)
        await _belongings(factory, made)
        await _trail(factory, made)
        await session.execute(update(User).values(disclaimer_accepted=1))
        for slot in await session.scalars(select(SignatureSlot).where(SignatureSlot.signed_at.is_not(None))):
            slot.document_sha256 = SHA256
        for user, roles, _ in made.people.values():
            await factory.add(
                AuthSession(
                    id=user.id, provider_id=user.provider_id, user_id=user.id, role=roles[0], started_at=factory.now,
                    expires_at=factory.now + 30 * DAY,
                )
            )  # fmt: skip
    return made


async def _people(factory: Factory, made: Everything, provider: Provider, far: Provider) -> None:
    for at, people in ((provider, STAFF), (far, STRANGERS)):
        for who, roles in people.items():
            made.people[who] = (await factory.user(at, who.title(), *roles, last_login_at=factory.now), roles, None)
    for grant in await factory.session.scalars(select(RoleGrant).where(RoleGrant.provider_id == provider.id)):
        grant.granted_by_id = made.people["may"][0].id
    old = await factory.user(provider, "Old", Role.EMPLOYER_MANAGER, archived_at=factory.now)
    made.it.old = old


async def _learners(factory: Factory, made: Everything, provider: Provider, far: Provider) -> None:
    it = made.it
    it.head = await factory.employer(provider, "Head office")
    it.a, it.b, it.c, it.d = [await factory.employer(provider, f"Site {name}", it.head) for name in "ABCD"]
    it.far_site = await factory.employer(far, "Site far")
    ann = made.people["ann"][0]
    for who, at, site, columns in (
        ("ada", provider, it.a, {"uln": "1000000001"}),
        ("bea", provider, it.a, {"uln": "1000000002"}),
        ("cyd", provider, it.b, {"uln": "1000000003"}),
        ("dan", provider, it.c, {"uln": "1000000004"}),
        ("eve", provider, None, {"uln": "1000000005", "enrolled_by_id": ann.id}),
        ("fay", provider, it.head, {"uln": "1000000006", "enrolled_by_id": ann.id}),
        ("zoe", far, it.far_site, {"uln": "1000000001"}),
    ):
        learner = await factory.learner(at, who.title(), site, **columns)
        user = await factory.session.get_one(User, learner.user_id)
        user.last_login_at = factory.now - DAY
        made.people[who] = (user, (Role.LEARNER,), learner)
        setattr(it, who, learner)
    await factory.allocate(made.people["mo"][0], it.ada, it.cyd)
    await factory.allocate(made.people["nat"][0], it.bea)
    await factory.allocate(it.old, it.bea)
    await factory.allocate(made.people["zed"][0], it.zoe)
    await factory.oversee(made.people["olu"][0], it.a, it.b, it.d)
    await factory.oversee(made.people["oz"][0], it.c)
    await factory.oversee(made.people["zev"][0], it.far_site)


async def _programmes(factory: Factory, made: Everything, provider: Provider, far: Provider) -> None:
    it = made.it
    who = {name: user for name, (user, _, _) in made.people.items()}
    told = {"reference": "ST0001", "version": "1.1", "level": 2, "off_the_job_hours_minimum": 100}
    it.standard = await factory.qualification(provider, "Cycle mechanic", (2, 1), **told)
    it.english = await factory.qualification(provider, "English", (1,))
    it.maths = await factory.qualification(provider, "Maths", (1, 1))
    it.far_standard = await factory.qualification(far, "Far standard", (2, 1))
    ended = {"status": AimStatus.COMPLETED, "actual_end_date": factory.today}
    late = {"planned_end_date": factory.today - 5 * DAY}
    it.aims = {}
    for name, learner, qualification, assessor, iqa, columns in (
        ("main", it.ada, it.standard, "ann", "ian", {}),
        ("side", it.ada, it.english, "bob", "ivy", late),
        ("third", it.ada, it.maths, "max", "ian", ended),
        ("beas", it.bea, it.standard, "bob", "ivy", {}),
        ("beas_second", it.bea, it.english, "bob", "max", {}),
        ("cyds", it.cyd, it.standard, "ann", "ivy", {"status": AimStatus.WITHDRAWN}),
        ("dans", it.dan, it.english, "bob", "ian", {}),
        ("fays", it.fay, it.maths, None, None, {"status": AimStatus.AWAITING_INDUCTION}),
        ("zoes", it.zoe, it.far_standard, "zak", "zia", {}),
    ):
        it.aims[name] = await factory.aim(
            learner, qualification, assessor=who.get(assessor), iqa=who.get(iqa), mapped=2, signed_off=1, **columns
        )


async def _belongings(factory: Factory, made: Everything) -> None:
    it, who = made.it, {name: user for name, (user, _, _) in made.people.items()}
    managers = {"ada": "mo", "bea": "nat", "cyd": "mo", "zoe": "zed"}
    helpers = {"ada": "ann", "bea": "bob", "cyd": "ann", "dan": "bob", "fay": "bob", "eve": "bas", "zoe": "zak"}
    it.of = {}
    for name, helper in helpers.items():
        aims = {key: aim for key, aim in it.aims.items() if aim.learner_id == getattr(it, name).id}
        manager = who[managers[name]] if name in managers else None
        it.of |= await everything_of(factory, getattr(it, name), who[name], who[helper], manager, aims)
    # Sessions about some of Ada's aims: whoever holds another of them sees neither the session nor what is in it.
    aims, start = it.aims, factory.now + 2 * DAY
    # What comes first is Bob's alone to see: to Ann something else comes next.
    it.soonest = await factory.session_of(it.ada, who["bob"], factory.now + 0.5 * DAY, aims["side"])
    it.both = await plan_of_two_aims(factory, it.ada, who["ann"], start, aims["main"], aims["side"])
    for name, assessor, words in (("main", "ann", "Well done"), ("side", "bob", "Well read")):
        days = 9 if name == "main" else 2
        review = await factory.session_of(
            it.ada, who[assessor], factory.now - days * DAY, aims[name], status=SessionStatus.ATTENDED, feedback=words
        )
        review.type = SessionType.FORMAL_REVIEW
    for name in ("ann", "bob", "mo", "ada", "zak"):
        await factory.file(who[name], name=f"{name}s-own-upload.txt")
    # What an Employer Manager gave while Ada was theirs: their name stays with it.
    await waiting_evidence(factory, aims["main"], who["nell"], "Given by somebody who left")


async def _trail(factory: Factory, made: Everything) -> None:
    """Lines about each learner's records by staff, signatures of the learners' own, and what is about no learner."""
    it, people = made.it, made.people
    for name, aim in it.aims.items():
        learner = aim.learner_id
        actor = people["zoo" if name == "zoes" else "may"][0]
        await _line(factory, actor, Role.MASTER_ADMIN, "aimAdd", "Aim", aim.id, learner, aim.id)
        photo = it.of[f"{name}.evidence"]
        signer = await factory.session.get_one(User, (await factory.session.get_one(Learner, learner)).user_id)
        await _line(factory, signer, Role.LEARNER, "evidenceSubmit", "Evidence", photo.id, learner, aim.id)
        await _line(factory, signer, Role.LEARNER, "cvSectionSave", "Learner", learner, learner, None)
        unit = it.of[f"{name}.unit"]
        await _line(factory, actor, Role.MASTER_ADMIN, "unitSign", "Unit", aim.id, learner, aim.id, part=unit)
    for who, subject in (("may", "ada"), ("zoo", "zoe")):
        actor = people[who][0]
        learner = getattr(it, subject).id
        await _line(factory, actor, Role.MASTER_ADMIN, "learnerUpdate", "Learner", learner, learner)
        await _line(factory, actor, Role.MASTER_ADMIN, "providerSettingsUpdate", None, None)
        await _line(factory, actor, Role.MASTER_ADMIN, "userInvite", "User", actor.id)


async def _line(
    factory: Factory,
    actor: User,
    role: Role,
    action: str,
    type_name: str | None,
    key: int | None,
    learner: int | None = None,
    aim: int | None = None,
    part: int | None = None,
) -> None:
    line = AuditEvent(
        provider_id=actor.provider_id, at=factory.now, actor_id=actor.id, role=role, action=action,
        subject_type=type_name, subject_key=key, subject_part=part, learner_id=learner, aim_id=aim,
    )  # fmt: skip
    await append(factory.session, line)
