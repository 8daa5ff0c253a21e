"""Users are invited by e-mail, sign in through the link, and are archived."""

import asyncio
import datetime as dt
import re

import pytest

from auth.viewer import NotSignedIn, read_viewer
from db.models.auth_session import OneTimeToken
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant, User
from domain import clock
from domain import global_id as ids
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from resolvers.authentication import login as sign_in
from resolvers.authentication import password
from resolvers.authentication.reset_request import create_requested_links, reset_request
from resolvers.core.context import Context
from resolvers.user import account
from tests.support.factories import Factory
from tests.support.scenarios.base import PASSWORD, rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

CHOSEN = "seven grey geese over the weir"
MIA = {"name": " Mia  Manager ", "email": "Mia@Garage.example", "role": "EMPLOYER_MANAGER"}


def link_token(body: str) -> str:
    (token,) = re.findall(r"http://waymark\.test/password\?token=(\S+)", body)
    return token


def user_id(scenario: EmptyPortfolio, who: str) -> str:
    return ids.encode("User", scenario.user(who).id)


async def test_an_invited_user_sets_a_password_and_signs_in(scenario: EmptyPortfolio) -> None:
    invited = await scenario.client("assessor").mutate("userInvite", input=MIA)
    # An assessor sees the e-mail addresses of their learners only.
    assert (invited["name"], invited["email"]) == ("Mia Manager", None)
    row = await scenario.one(User, ids.decode("User", invited["id"]))
    assert (row.username, row.email, row.must_change_password) == ("mia@garage.example", "Mia@Garage.example", True)
    (grant,) = await scenario.rows(RoleGrant, RoleGrant.user_id == row.id)
    assert (grant.role, grant.granted_by_id) == (Role.EMPLOYER_MANAGER, scenario.user("assessor").id)
    (mail,) = await scenario.mails()
    assert (mail.to_address, mail.kind) == ("Mia@Garage.example", "welcome")
    assert "mia@garage.example" in mail.body and "Employer Manager" in mail.body and "Provider" in mail.body
    assert await scenario.audit_trail() == ["userInvite"]

    token = link_token(mail.body)
    (kept,) = await scenario.rows(OneTimeToken)
    assert token not in (kept.token_sha256, row.password_hash)
    assert kept.expires_at - kept.issued_at == dt.timedelta(days=7)
    stranger = Context(scenario.services)
    await password.reset(stranger, token=token, new_password=CHOSEN)
    assert stranger.viewer_or_raise().role is Role.EMPLOYER_MANAGER
    assert not stranger.viewer_or_raise().must_change_password
    with pytest.raises(DomainError):
        await password.reset(Context(scenario.services), token=token, new_password=CHOSEN)
    await sign_in.login(Context(scenario.services), username="MIA@garage.example", password=CHOSEN)


@pytest.mark.parametrize("who", ["assessor", "basic"])
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.EMPLOYER_MANAGER])
async def test_an_assessor_and_a_basic_admin_invite_managers_only(
    scenario: EmptyPortfolio, who: str, role: Role
) -> None:
    before = await scenario.row_counts()
    with pytest.raises(DomainError) as caught:
        await account.invite(scenario.context(who), name="Mia", email="mia@garage.example", role=role)
    first = caught.value.errors[0]
    assert (first.code, first.field) == (UserErrorCode.NOT_ALLOWED, ("input", "role"))
    assert await scenario.row_counts() == before


async def test_a_master_admin_invites_every_role_except_learner(scenario: EmptyPortfolio) -> None:
    for role in Role:
        asked = {"name": "Nia", "email": f"{role.value.lower()}@example.org", "role": role.value}
        if role is Role.LEARNER:
            assert await scenario.client("master").user_errors("userInvite", input=asked) == {"input.role": "INVALID"}
        else:
            assert (await scenario.client("master").mutate("userInvite", input=asked))["email"] == asked["email"]


@pytest.mark.parametrize("who", ["learner", "iqa", "manager", "overview"])
async def test_other_roles_cannot_invite(scenario: EmptyPortfolio, who: str) -> None:
    assert await scenario.client(who).user_errors("userInvite", input=MIA) == {None: "NOT_ALLOWED"}


async def test_all_errors_of_an_invitation_are_reported_together(scenario: EmptyPortfolio) -> None:
    asked = {"name": " ", "email": "not an address", "role": "MASTER_ADMIN"}
    assert await scenario.client("basic").user_errors("userInvite", input=asked) == {
        "input.name": "REQUIRED", "input.email": "INVALID", "input.role": "NOT_ALLOWED",
    }  # fmt: skip
    asked = {"name": "Mia", "email": " ", "role": "EMPLOYER_MANAGER"}
    assert await scenario.client("basic").user_errors("userInvite", input=asked) == {"input.email": "REQUIRED"}
    asked["email"] = "a@b.example\r\nBcc: c@d.example"
    assert await scenario.client("basic").user_errors("userInvite", input=asked) == {"input.email": "INVALID"}
    asked["email"] = f"{'a' * 250}@b.example"
    assert await scenario.client("basic").user_errors("userInvite", input=asked) == {"input.email": "INVALID"}


async def test_a_taken_username_is_refused_only_by_its_own_provider(scenario: EmptyPortfolio) -> None:
    answers = []
    for who in ("master", "learner", "foreign_assessor"):
        async with scenario.database.writing() as session:
            (await session.get_one(User, scenario.user(who).id)).username = f"{who}@example.org"
        asked = {**MIA, "email": f"{who.upper()}@example.org"}
        answers.append(await scenario.client("assessor").payload("userInvite", input=asked))
    taken, also_taken, invited = answers
    assert taken["errors"][0]["code"] == "CONFLICT" and taken["errors"][0]["field"] == ["input", "email"]
    assert taken == also_taken and invited["errors"] == []
    (mail,) = await scenario.mails()
    assert mail.to_address == "FOREIGN_ASSESSOR@example.org"


async def test_a_second_invitation_sends_a_new_link_and_revokes_the_first(scenario: EmptyPortfolio) -> None:
    first = await scenario.client("assessor").mutate("userInvite", input=MIA)
    again = await scenario.client("basic").mutate("userInvite", input={**MIA, "name": "Mia Meyer"})
    assert (again["id"], again["name"]) == (first["id"], "Mia Meyer")
    tokens = [link_token(mail.body) for mail in await scenario.mails()]
    with pytest.raises(DomainError):
        await password.reset(Context(scenario.services), token=tokens[0], new_password=CHOSEN)
    await password.reset(Context(scenario.services), token=tokens[1], new_password=CHOSEN)
    # After the first login the same invitation gives that person, and sends nothing.
    mails = len(await scenario.mails())
    assert (await scenario.client("assessor").mutate("userInvite", input=MIA))["id"] == first["id"]
    assert len(await scenario.mails()) == mails
    asked = {**MIA, "role": "EMPLOYER_OVERVIEW"}
    assert await scenario.client("master").user_errors("userInvite", input=asked) == {"input.email": "CONFLICT"}


async def test_at_most_five_links_are_sent_per_hour(scenario: EmptyPortfolio) -> None:
    for _ in range(5):
        await scenario.client("assessor").mutate("userInvite", input=MIA)
    assert await scenario.client("assessor").user_errors("userInvite", input=MIA) == {"input": "TOO_MANY_ATTEMPTS"}
    assert len(await scenario.mails()) == 5


async def test_a_basic_admin_cannot_invite_a_master_admin_again(scenario: EmptyPortfolio) -> None:
    await scenario.client("master").mutate("userInvite", input={**MIA, "role": "MASTER_ADMIN"})
    assert await scenario.client("basic").user_errors("userInvite", input=MIA) == {"input.email": "CONFLICT"}
    assert len(await scenario.mails()) == 1


@pytest.mark.parametrize(
    "email", ["a@b", "a@b.1", "a b@c.example", "a@-x.example", "a@ünïx..example", f"{'a' * 65}@x.example"]
)
async def test_what_is_no_address_is_not_invited(scenario: EmptyPortfolio, email: str) -> None:
    asked = {**MIA, "email": email}
    assert await scenario.client("master").user_errors("userInvite", input=asked) == {"input.email": "INVALID"}


async def test_concurrent_invitations_create_one_user(scenario: EmptyPortfolio) -> None:
    answers = await asyncio.gather(*(scenario.client("master").payload("userInvite", input=MIA) for _ in range(5)))
    assert len(await scenario.rows(User, User.username == "mia@garage.example")) == 1
    assert {error["code"] for answer in answers for error in answer["errors"]} <= {"CONFLICT"}
    same = [
        account.invite(scenario.context("master", "k"), name="Ina", email="ina@x.example", role=Role.IQA)
        for _ in range(10)
    ]
    assert len(set(await asyncio.gather(*same))) == 1
    assert len([mail for mail in await scenario.mails() if mail.to_address == "ina@x.example"]) == 1


async def test_archiving_ends_sessions_and_allocations_and_keeps_the_name(scenario: EmptyPortfolio) -> None:
    there = Context(scenario.services)
    await sign_in.login(there, username=scenario.user("manager").username, password=PASSWORD)
    async with scenario.services.changes.subscriber(scenario.user("master").provider_id) as subscriber:
        archived = await scenario.client("master").mutate("userArchive", id=user_id(scenario, "manager"))
        if scenario.database.is_sqlite:
            # Subscribers are notified, so that each stream checks its authentication session.
            await asyncio.wait_for(subscriber.wait(), 5)
            assert subscriber.take().any_learner
    assert archived["name"] == "Manager"
    with pytest.raises(NotSignedIn):
        await read_viewer(scenario.database, there.claims)
    assert not await there.still_signed_in()
    with pytest.raises(DomainError):
        await sign_in.login(Context(scenario.services), username=scenario.user("manager").username, password=PASSWORD)
    assert await scenario.rows(ManagerAllocation, ManagerAllocation.user_id == scenario.user("manager").id) == []
    assert len(await scenario.rows(ManagerAllocation)) == 1
    at = (await scenario.one(User, scenario.user("manager").id)).archived_at
    assert at is not None and at <= clock.now()
    # Archiving again changes nothing.
    await scenario.client("master").mutate("userArchive", id=user_id(scenario, "manager"))
    assert (await scenario.one(User, scenario.user("manager").id)).archived_at == at
    assert (await scenario.audit_trail()).count("userArchive") == 1


async def test_archiving_revokes_links_and_site_allocations(scenario: EmptyPortfolio) -> None:
    await reset_request(Context(scenario.services), username=scenario.user("overview").username)
    await create_requested_links(scenario.services)
    await scenario.client("master").mutate("userArchive", id=user_id(scenario, "overview"))
    assert await scenario.rows(OverviewAllocation) == []
    (mail,) = await scenario.mails()
    with pytest.raises(DomainError):
        await password.reset(Context(scenario.services), token=link_token(mail.body), new_password=CHOSEN)


async def test_who_can_archive_which_users(scenario: EmptyPortfolio) -> None:
    for who in ("learner", "assessor", "iqa", "manager", "overview", "basic"):
        assert await scenario.client(who).user_errors("userArchive", id=user_id(scenario, "iqa")) == {
            None: "NOT_ALLOWED"
        }
    unseen = await scenario.client("master").payload("userArchive", id=user_id(scenario, "foreign_assessor"))
    unknown = await scenario.client("master").payload("userArchive", id="User_999999")
    assert unseen == unknown and unseen["errors"][0]["code"] == "NOT_FOUND"
    assert await scenario.client("assessor").user_errors("userArchive", id=user_id(scenario, "cy")) == {
        "id": "NOT_FOUND"
    }
    assert await scenario.client("master").user_errors("userArchive", id=user_id(scenario, "master")) == {
        "id": "CONFLICT"
    }


async def test_two_master_admins_cannot_archive_each_other(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        factory = Factory(session)
        second = await factory.add(
            User(
                provider_id=scenario.user("master").provider_id, name="Max", username="max", email="max@example.org",
                password_hash="-", created_at=clock.now(),
            )
        )  # fmt: skip
        await factory.add(
            RoleGrant(provider_id=second.provider_id, user_id=second.id, role=Role.MASTER_ADMIN, granted_at=clock.now())
        )
    scenario.people["max"] = (second, Role.MASTER_ADMIN, None)
    results = await asyncio.gather(
        account.archive(scenario.context("master"), id=user_id(scenario, "max")),
        account.archive(scenario.context("max"), id=user_id(scenario, "master")),
        return_exceptions=True,
    )
    assert sum(isinstance(result, DomainError) for result in results) == 1
    left = [who for who in ("master", "max") if (await scenario.one(User, scenario.user(who).id)).archived_at is None]
    assert len(left) == 1


async def test_a_rejected_invitation_sends_no_mail(scenario: EmptyPortfolio) -> None:
    doing = account.invite(scenario.context("basic"), name="Mia", email="mia@x.example", role=Role.BASIC_ADMIN)
    assert await rejected(doing) == {"input.role": UserErrorCode.NOT_ALLOWED}
    assert await scenario.mails() == [] and await scenario.audit_trail() == []
