"""Rows that lead from one provider to the other, as no write leaves them: a wall that stands behind the wall.

Every record carries its provider, and every condition looks at it. Were a row ever to name somebody of another
provider, they would still see nothing by it.
"""

import datetime as dt

from sqlalchemy import select

from db.database import Database
from db.models.audit_event import AuditEvent
from db.models.file import File
from db.models.learner import Learner
from db.models.signature_request import SignatureSlot
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant
from domain.enums import Role
from services.audit.append import append
from tests.authorization.authorization_scenario import Everything
from tests.support.worlds import World

# To these a crossing shows the name of a site here: that of a learner of theirs who works there.
SHOWN_A_SITE = ("zoo", "zed")


async def add_crossings(database: Database, made: Everything) -> None:
    """Far away's records that name the people here, and records of the learners here that are Far away's."""
    it, who = made.it, {name: user for name, (user, _, _) in made.people.items()}
    async with database.writing() as session:
        world = World(session)
        far = await session.get_one(type(it.provider), it.zoe.provider_id)
        # Far away's learner with people from here.
        await world.aim(it.zoe, it.far_standard, assessor=who["ann"], iqa=who["ian"])
        at = {"provider_id": far.id, "allocated_at": world.now}
        await world.add(ManagerAllocation(user_id=who["mo"].id, learner_id=it.zoe.id, **at))
        await world.add(ManagerAllocation(user_id=who["nell"].id, learner_id=it.zoe.id, **at))
        for site in (it.far_site, it.c):
            await world.add(OverviewAllocation(user_id=who["olu"].id, employer_id=site.id, **at))
        at_far_site = {"user_id": who["oz"].id, "employer_id": it.far_site.id}
        await world.add(OverviewAllocation(**at_far_site, provider_id=it.provider.id, allocated_at=world.now))
        await world.add(
            Learner(provider_id=far.id, user_id=who["oz"].id, employer_id=it.far_site.id, created_at=world.now)
        )
        await world.learner(far, "Zara", it.far_site, enrolled_by_id=who["ann"].id)
        await world.add(ManagerAllocation(user_id=who["nell"].id, learner_id=it.dan.id, **at))
        zeds = await world.learner(far, "Zed's at a site here", it.a)
        await world.add(ManagerAllocation(user_id=who["zed"].id, learner_id=zeds.id, **at))
        for role in (Role.ASSESSOR, Role.EMPLOYER_MANAGER):
            await world.add(RoleGrant(provider_id=far.id, user_id=who["oz"].id, role=role, granted_at=world.now))
        # Only the row's provider says that these are not of here.
        await _of_ada_but_far(world, made, far.id)
        for name in ("ann", "ada", "may"):
            upload = await world.file(who[name], name="far.txt")
            upload.provider_id = far.id
        for actor, role in (("ada", Role.LEARNER), ("ann", Role.ASSESSOR)):
            line = AuditEvent(
                provider_id=far.id, at=world.now, actor_id=who[actor].id, role=role, action="evidenceSubmit",
                subject_type="Learner", subject_key=it.ada.id, learner_id=it.ada.id, aim_id=it.aims["main"].id,
            )  # fmt: skip
            await append(session, line)


async def _of_ada_but_far(world: World, made: Everything, far: int) -> None:
    """One record of each kind of Ada's, in her aim and in none, that says it is Far away's."""
    it, who = made.it, {name: user for name, (user, _, _) in made.people.items()}
    aim = await world.aim(it.ada, it.maths, assessor=who["ann"], iqa=who["ian"])
    start = world.now + dt.timedelta(days=33)
    crossing = [aim, await world.session_of(it.ada, who["ann"], start), await world.file(who["ann"], it.ada)]
    for about in (it.aims["main"], None):
        crossing.append(await world.action(it.ada, who["ann"], about))
        crossing.append(await world.time(it.ada, who["ann"], 500, about))
        crossing.append(await world.file(who["ann"], it.ada, about))
    request = await world.signature_request(it.ada, who["ann"], tuple(Role))
    for named in (request, await world.evidence(it.aims["main"], who["ann"])):
        crossing += [named, await world.session.get_one(File, named.file_id)]
    # Places to sign are counted by themselves, without a look at the document's provider.
    crossing += await world.session.scalars(select(SignatureSlot).where(SignatureSlot.request_id == request.id))
    for row in crossing:
        row.provider_id = far
