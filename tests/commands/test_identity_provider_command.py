"""The command `identity-provider`, each action in a process of its own, with an OpenID provider on a socket."""

from subprocess import CompletedProcess

import pytest
from sqlalchemy import select

from auth.identity.configured import client_secret, configured_providers
from auth.seals import Seals
from db.database import Database
from db.models.auth_session import AuthSession
from db.models.identity_provider import IdentityLink
from domain import clock
from domain.enums import Role
from services.settings import read_settings
from tests.commands.test_command_line import ADMIN, Operator, sqlite_only
from tests.support.openid_provider import HUGE, OpenIdProvider

NAME = ("--name", "Hill accounts")


@pytest.fixture
def operator(own_database_url: str, tmp_path) -> Operator:  # type: ignore[no-untyped-def]
    return Operator(own_database_url, tmp_path)


@sqlite_only
async def test_an_identity_provider_is_added_changed_and_removed(operator: Operator, own_database_url: str) -> None:
    def run(*words: str, answers: str = "") -> CompletedProcess[str]:
        return operator.run("identity-provider", *words, answers=answers)

    operator.run("migrate")
    operator.run(*ADMIN, answers="a heron on the weir\n")
    database = Database(own_database_url)
    async with OpenIdProvider("https://portfolio.example/kpi/") as openid:
        add = ("add", *NAME, "--issuer", openid.issuer, "--client-id", "waymark")
        no_secret = run(*add)
        assert no_secret.returncode == 1 and no_secret.stderr.startswith("Client secret:")
        http = run("add", *NAME, "--issuer", "http://accounts.example", "--client-id", "w", answers="x\n")
        assert (http.returncode, http.stderr) == (1, "--issuer: must be an address that begins with https://\n")
        openid.tell(wrong={"discovery": HUGE})
        unusable = run(*add, answers="a-long-secret\n")
        assert unusable.returncode == 1 and "--issuer: its discovery document cannot be used" in unusable.stderr
        openid.behave()
        added = run(*add, "--second-factor", "mfa", answers="a-long-secret\n")
        assert added.returncode == 0, added.stderr
        assert added.stdout == "Added. Redirect addresses to register there: https://portfolio.example/kpi/\n"
        changed = run(*add, answers="another-secret\n")
        assert changed.stdout.startswith("Changed.")
        other = run("add", *NAME, "--issuer", openid.issuer, "--client-id", "other", answers="x\n")
        assert other.returncode == 1 and "another issuer or client" in other.stderr
    (provider,) = await configured_providers(database)
    keys = read_settings(operator.environment).secret_keys
    assert client_secret(Seals(keys), provider) == "another-secret" and provider.second_factor_values == ()
    listed = run("list").stdout
    assert listed.startswith("Hill College: Hill accounts, http://127.0.0.1") and "another-secret" not in listed
    async with database.writing() as session:
        session.add(
            AuthSession(
                provider_id=1, user_id=1, role=Role.MASTER_ADMIN, started_at=clock.now(), expires_at=clock.now(),
                identity_provider_id=provider.key,
            )
        )  # fmt: skip
        linked = {"provider_id": 1, "user_id": 1, "identity_provider_id": provider.key}
        session.add(IdentityLink(**linked, subject="ana", linked_at=clock.now()))
    assert run("unlink", *NAME, "nobody@hill.example").returncode == 1
    assert run("unlink", *NAME, "ana@hill.example").returncode == 0
    removed = run("remove", *NAME)
    assert removed.stdout == "Removed, with the links of 0 people. Their accounts stay.\n", removed.stderr
    assert run("remove", *NAME).returncode == 1
    async with database.writing() as session:
        assert list(await session.scalars(select(AuthSession.end_reason))) == ["identity provider removed"]
    await database.close()
    assert operator.run("verify").returncode == 0
