"""Rows that name users of another provider, which the database refuses. The tests check a second line of defence.

The rows are added while foreign keys are not checked. Every record names its provider, and every condition compares it.
If a row names a user of another provider, that user still sees nothing because of it.
"""

import datetime as dt

from sqlalchemy import select

from db.database import Database
from db.models.aim import AimProgress
from db.models.file import File
from db.models.learner import Learner
from db.models.signature_request import SignatureSlot
from domain.enums import Role
from tests.support.factories import Factory
from tests.support.scenarios.authorization import AuthorizationScenario, build_authorization
from tests.support.unchecked_references import unchecked_references

# These users see the name of a site of the other provider, because one of their learners works there.
USERS_WITH_A_FOREIGN_SITE = ("zoo", "zed")


async def build_with_cross_tenant_rows(database: Database) -> AuthorizationScenario:
    """Builds the scenario and adds rows of the other provider ("far") that name users or learners of this one."""
    scenario = await build_authorization(database)
    users, far = scenario.users, {"provider_id": scenario.far.id}
    async with unchecked_references(database) as session:
        factory = Factory(session)
        # Records of a learner of the far provider that name users of this one.
        await factory.aim(scenario.zoe, scenario.far_standard, assessor=users["ann"], iqa=users["ian"])
        await factory.allocate(users["mo"], scenario.zoe)
        await factory.allocate(users["nell"], scenario.zoe)
        await factory.oversee(users["olu"], scenario.far_site, scenario.c, **far)
        await factory.oversee(users["oz"], scenario.far_site, provider_id=scenario.provider.id)
        # Without a site: `Learner.user` cannot be null, so no user of the far provider may read this learner in a list.
        await factory.add(Learner(**far, user_id=users["oz"].id, created_at=factory.now))
        await factory.learner(scenario.far, "Zara", scenario.far_site, enrolled_by_id=users["ann"].id)
        await factory.allocate(users["nell"], scenario.dan, **far)
        at_site_here = await factory.learner(scenario.far, "Zed's at a site here", scenario.a)
        await factory.allocate(users["zed"], at_site_here)
        for role in (Role.ASSESSOR, Role.EMPLOYER_MANAGER):
            await factory.role_grant(users["oz"], role, **far)
        # In these rows only `provider_id` is of the far provider.
        await _add_records_of_ada(factory, scenario)
        for name in ("ann", "ada", "may"):
            (await factory.file(users[name], name="far.txt")).provider_id = scenario.far.id
        about = {"subject_type": "Learner", "subject_key": scenario.ada.id, "aim_id": scenario.aims["main"].id}
        for actor, role in (("ada", Role.LEARNER), ("ann", Role.ASSESSOR)):
            await factory.audit_event(users[actor], role, "evidenceSubmit", learner_id=scenario.ada.id, **about, **far)
    return scenario


async def build_with_foreign_learner(database: Database) -> AuthorizationScenario:
    """Builds the scenario and adds an aim and an allocation of this provider that name the far provider's learner."""
    scenario = await build_authorization(database)
    users = scenario.users
    async with unchecked_references(database) as session:
        factory = Factory(session)
        aim = await factory.aim(scenario.zoe, scenario.far_standard, assessor=users["ann"], iqa=users["ian"])
        progress = await session.get_one(AimProgress, aim.id)
        aim.provider_id = progress.provider_id = scenario.provider.id
        await factory.allocate(users["mo"], scenario.zoe, provider_id=scenario.provider.id)
    return scenario


async def _add_records_of_ada(factory: Factory, scenario: AuthorizationScenario) -> None:
    """Adds a record of each kind for Ada, with and without an aim; the provider of each is the far one."""
    ada, ann, main = scenario.ada, scenario.users["ann"], scenario.aims["main"]
    aim = await factory.aim(ada, scenario.barista, assessor=ann, iqa=scenario.users["ian"])
    session = await factory.session_of(ada, ann, factory.now + dt.timedelta(days=33))
    rows = [aim, session, await factory.file(ann, ada)]
    for about in (main, None):
        rows.append(await factory.action(ada, ann, about))
        rows.append(await factory.time_log_entry(ada, ann, 500, about))
        rows.append(await factory.file(ann, ada, about))
    request = await factory.signature_request(ada, ann, tuple(Role))
    for record in (request, await factory.evidence(main, ann)):
        rows += [record, await factory.session.get_one(File, record.file_id)]
    # Slots are counted without their document, so that its provider is not compared.
    rows += await factory.session.scalars(select(SignatureSlot).where(SignatureSlot.request_id == request.id))
    for row in rows:
        row.provider_id = scenario.far.id
