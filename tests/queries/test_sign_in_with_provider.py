"""The saved operations for users without a password, in every role, with their cost."""

from sqlalchemy import select, update

from db.models.user import User
from tests.queries.conftest import USERNAMES, OperationRunner
from tests.queries.test_saved_operations import check, run_mutation
from tests.support.identity_login import Visit, configure
from tests.support.openid_provider import OpenIdProvider


async def test_sign_in_with_a_provider(own_runner: OperationRunner, backend: str):
    services, found = own_runner.running.server.services, {}
    async with OpenIdProvider("https://app.example/kpi/") as openid:
        await configure(services.database, services.tokens.seals, 1, openid)
        for role, username in USERNAMES.items():
            async with services.database.writing() as session:
                user = (await session.scalars(select(User).where(User.username == username))).one()
            openid.tell(person={"sub": username, "email": user.email, "email_verified": True})
            offers = await run_mutation(own_runner, None, "identity_providers", {})
            assert offers[1:] == (11, 1)
            returned = await Visit(openid.client.redirect_uri).input(offers[0][0], role=role)
            found[role] = await run_mutation(own_runner, None, "sign_in_with_provider", {"input": returned})
    check("sign_in_with_provider", backend, found)


async def test_codes_to_sign_with_in_every_role(own_runner: OperationRunner, backend: str):
    async with own_runner.running.server.services.database.writing() as session:
        await session.execute(update(User).values(has_password=False))
    sent = {role: await run_mutation(own_runner, role, "signing_code_request", {}) for role in USERNAMES}
    check("signing_code_request", backend, sent)
