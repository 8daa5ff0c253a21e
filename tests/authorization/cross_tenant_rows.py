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
from tests.support.factories import Factory

# To these a crossing shows the name of a site here: that of a learner of theirs who works there.
SHOWN_A_SITE = ("zoo", "zed")


async def add_crossings(database: Database, made: Everything) -> None:
    """Far away's records that name the people here, and records of the learners here that are Far away's."""
    it, who = made.it, {name: user for name, (user, _, _) in made.people.items()}
    async with database.writing() as session:
        factory = Factory(session)
        far = await session.get_one(type(it.provider), it.zoe.provider_id)
        # Far away's learner with people from here.
        await factory.aim(it.zoe, it.far_standard, assessor=who["ann"], iqa=who["ian"])
        at = {"provider_id": far.id, "allocated_at": factory.now}
        await factory.add(ManagerAllocation(user_id=who["mo"].id, learner_id=it.zoe.id, **at))
        await factory.add(ManagerAllocation(user_id=who["nell"].id, learner_id=it.zoe.id, **at))
        for site in (it.far_site, it.c):
            await factory.add(OverviewAllocation(user_id=who["olu"].id, employer_id=site.id, **at))
        at_far_site = {"user_id": who["oz"].id, "employer_id": it.far_site.id}
        await factory.add(OverviewAllocation(**at_far_site, provider_id=it.provider.id, allocated_at=factory.now))
        await factory.add(
            Learner(provider_id=far.id, user_id=who["oz"].id, employer_id=it.far_site.id, created_at=factory.now)
        )
        await factory.learner(far, "Zara", it.far_site, enrolled_by_id=who["ann"].id)
        await factory.add(ManagerAllocation(user_id=who["nell"].id, learner_id=it.dan.id, **at))
        zeds = await factory.learner(far, "Zed's at a site here", it.a)
        await factory.add(ManagerAllocation(user_id=who["zed"].id, learner_id=zeds.id, **at))
        for role in (Role.ASSESSOR, Role.EMPLOYER_MANAGER):
            await factory.add(RoleGrant(provider_id=far.id, user_id=who["oz"].id, role=role, granted_at=factory.now))
        # Only the row's provider says that these are not of here.
        await _of_ada_but_far(factory, made, far.id)
        for name in ("ann", "ada", "may"):
            upload = await factory.file(who[name], name="far.txt")
            upload.provider_id = far.id
        for actor, role in (("ada", Role.LEARNER), ("ann", Role.ASSESSOR)):
            line = AuditEvent(
                provider_id=far.id, at=factory.now, actor_id=who[actor].id, role=role, action="evidenceSubmit",
                subject_type="Learner", subject_key=it.ada.id, learner_id=it.ada.id, aim_id=it.aims["main"].id,
            )  # fmt: skip
            await append(session, line)


async def _of_ada_but_far(factory: Factory, made: Everything, far: int) -> None:
    """One record of each kind of Ada's, in her aim and in none, that says it is Far away's."""
    it, who = made.it, {name: user for name, (user, _, _) in made.people.items()}
    aim = await factory.aim(it.ada, it.maths, assessor=who["ann"], iqa=who["ian"])
    start = factory.now + dt.timedelta(days=33)
    crossing = [aim, await factory.session_of(it.ada, who["ann"], start), await factory.file(who["ann"], it.ada)]
    for about in (it.aims["main"], None):
        crossing.append(await factory.action(it.ada, who["ann"], about))
        crossing.append(await factory.time_log_entry(it.ada, who["ann"], 500, about))
        crossing.append(await factory.file(who["ann"], it.ada, about))
    request = await factory.signature_request(it.ada, who["ann"], tuple(Role))
    for named in (request, await factory.evidence(it.aims["main"], who["ann"])):
        crossing += [named, await factory.session.get_one(File, named.file_id)]
    # Places to sign are counted by themselves, without a look at the document's provider.
    crossing += await factory.session.scalars(select(SignatureSlot).where(SignatureSlot.request_id == request.id))
    for row in crossing:
        row.provider_id = far
