"""People: invited by e-mail, signed in by their link, archived; what each role may and what nobody is told."""

import asyncio
import datetime as dt
import re

import pytest

from auth.viewer import NotSignedIn, read_viewer
from db.database import Database
from db.models.auth_session import OneTimeToken
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant, User
from domain import clock
from domain import global_id as ids
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from resolvers import authentication as sign_in
from resolvers import password, user
from resolvers.core.context import Context
from tests.support.mutation_documents import ask, done, faults
from tests.support.scenarios import PASSWORD, Stage, refused
from tests.support.factories import Factory

CHOSEN = "seven grey geese over the weir"
MIA = {"name": " Mia  Manager ", "email": "Mia@Garage.example", "role": "EMPLOYER_MANAGER"}


def link_token(body: str) -> str:
    (token,) = re.findall(r"http://waymark\.test/password\?token=(\S+)", body)
    return token


def user_id(stage: Stage, who: str) -> str:
    return ids.encode("User", stage.user(who).id)


async def test_an_invitation_leads_to_a_first_sign_in(stage: Stage) -> None:
    invited = await done(stage, "assessor", "userInvite", input=MIA)
    # An assessor sees no e-mail but their learners'.
    assert (invited["name"], invited["email"]) == ("Mia Manager", None)
    row = await stage.one(User, ids.decode("User", invited["id"]))
    assert (row.username, row.email, row.must_change_password) == ("mia@garage.example", "Mia@Garage.example", True)
    (grant,) = await stage.rows(RoleGrant, RoleGrant.user_id == row.id)
    assert (grant.role, grant.granted_by_id) == (Role.EMPLOYER_MANAGER, stage.user("assessor").id)
    (mail,) = await stage.mails()
    assert (mail.to_address, mail.kind) == ("Mia@Garage.example", "welcome")
    assert "mia@garage.example" in mail.body and "Employer Manager" in mail.body and "Provider" in mail.body
    assert await stage.trail() == ["userInvite"]

    token = link_token(mail.body)
    (kept,) = await stage.rows(OneTimeToken)
    assert token not in (kept.token_sha256, row.password_hash)
    assert kept.expires_at - kept.issued_at == dt.timedelta(days=7)
    stranger = Context(stage.services)
    await password.reset(stranger, token=token, new_password=CHOSEN)
    assert stranger.viewer_or_raise().role is Role.EMPLOYER_MANAGER
    assert not stranger.viewer_or_raise().must_change_password
    with pytest.raises(DomainError):
        await password.reset(Context(stage.services), token=token, new_password=CHOSEN)
    await sign_in.login(Context(stage.services), username="MIA@garage.example", password=CHOSEN)


@pytest.mark.parametrize("who", ["assessor", "basic"])
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.EMPLOYER_MANAGER])
async def test_an_assessor_and_a_basic_admin_invite_managers_only(stage: Stage, who: str, role: Role) -> None:
    before = await stage.state()
    with pytest.raises(DomainError) as caught:
        await user.invite(stage.at(who), name="Mia", email="mia@garage.example", role=role)
    first = caught.value.errors[0]
    assert (first.code, first.field) == (UserErrorCode.NOT_ALLOWED, ("input", "role"))
    assert await stage.state() == before


async def test_a_master_admin_invites_everybody_but_learners(stage: Stage) -> None:
    for role in Role:
        asked = {"name": "Nia", "email": f"{role.value.lower()}@example.org", "role": role.value}
        if role is Role.LEARNER:
            assert await faults(stage, "master", "userInvite", input=asked) == {"input.role": "INVALID"}
        else:
            assert (await done(stage, "master", "userInvite", input=asked))["email"] == asked["email"]


@pytest.mark.parametrize("who", ["learner", "iqa", "manager", "overview"])
async def test_nobody_else_invites(stage: Stage, who: str) -> None:
    assert await faults(stage, who, "userInvite", input=MIA) == {None: "NOT_ALLOWED"}


async def test_all_faults_of_an_invitation_are_told_together(stage: Stage) -> None:
    asked = {"name": " ", "email": "not an address", "role": "MASTER_ADMIN"}
    assert await faults(stage, "basic", "userInvite", input=asked) == {
        "input.name": "REQUIRED", "input.email": "INVALID", "input.role": "NOT_ALLOWED",
    }  # fmt: skip
    asked = {"name": "Mia", "email": " ", "role": "EMPLOYER_MANAGER"}
    assert await faults(stage, "basic", "userInvite", input=asked) == {"input.email": "REQUIRED"}
    asked["email"] = "a@b.example\r\nBcc: c@d.example"
    assert await faults(stage, "basic", "userInvite", input=asked) == {"input.email": "INVALID"}
    asked["email"] = f"{'a' * 250}@b.example"
    assert await faults(stage, "basic", "userInvite", input=asked) == {"input.email": "INVALID"}


async def test_a_name_that_is_taken_has_one_answer_wherever_it_is(stage: Stage) -> None:
    answers = []
    for who in ("foreign_assessor", "master", "learner"):
        async with stage.database.writing() as session:
            (await session.get_one(User, stage.user(who).id)).username = f"{who}@example.org"
        asked = {**MIA, "email": f"{who.upper()}@example.org"}
        answers.append(await ask(stage, "assessor", "userInvite", input=asked))
    assert answers[0]["errors"][0]["code"] == "CONFLICT" and answers[0]["errors"][0]["field"] == ["input", "email"]
    assert all(answer == answers[0] for answer in answers)
    assert await stage.mails() == []


async def test_who_never_signed_in_is_sent_a_new_link_and_the_old_one_ends(stage: Stage) -> None:
    first = await done(stage, "assessor", "userInvite", input=MIA)
    again = await done(stage, "basic", "userInvite", input={**MIA, "name": "Mia Meyer"})
    assert (again["id"], again["name"]) == (first["id"], "Mia Meyer")
    tokens = [link_token(mail.body) for mail in await stage.mails()]
    with pytest.raises(DomainError):
        await password.reset(Context(stage.services), token=tokens[0], new_password=CHOSEN)
    await password.reset(Context(stage.services), token=tokens[1], new_password=CHOSEN)
    # Signed in, they are no guest any more.
    assert await faults(stage, "assessor", "userInvite", input=MIA) == {"input.email": "CONFLICT"}


async def test_nobody_is_flooded_with_links(stage: Stage) -> None:
    for _ in range(5):
        await done(stage, "assessor", "userInvite", input=MIA)
    assert await faults(stage, "assessor", "userInvite", input=MIA) == {"input": "TOO_MANY_ATTEMPTS"}
    assert len(await stage.mails()) == 5


async def test_a_guest_in_a_role_above_is_not_invited_again_from_below(stage: Stage) -> None:
    await done(stage, "master", "userInvite", input={**MIA, "role": "MASTER_ADMIN"})
    assert await faults(stage, "basic", "userInvite", input=MIA) == {"input.email": "CONFLICT"}
    assert len(await stage.mails()) == 1


async def test_one_login_comes_of_many_invitations_at_once(stage: Stage) -> None:
    answers = await asyncio.gather(*(ask(stage, "master", "userInvite", input=MIA) for _ in range(5)))
    assert len(await stage.rows(User, User.username == "mia@garage.example")) == 1
    assert {error["code"] for answer in answers for error in answer["errors"]} <= {"CONFLICT"}
    same = [user.invite(stage.at("master", "k"), name="Ina", email="ina@x.example", role=Role.IQA) for _ in range(10)]
    assert len(set(await asyncio.gather(*same))) == 1
    assert len([mail for mail in await stage.mails() if mail.to_address == "ina@x.example"]) == 1


async def test_archiving_ends_everything_at_once_and_keeps_the_name(stage: Stage) -> None:
    there = Context(stage.services)
    await sign_in.login(there, username=stage.user("manager").username, password=PASSWORD)
    async with stage.services.changes.subscriber(stage.user("master").provider_id) as subscriber:
        archived = await done(stage, "master", "userArchive", id=user_id(stage, "manager"))
        if stage.database.is_sqlite:
            # Whoever listens looks again at whether they still may.
            await asyncio.wait_for(subscriber.wait(), 5)
            assert subscriber.take() is None
    assert archived["name"] == "Manager"
    with pytest.raises(NotSignedIn):
        await read_viewer(stage.database, there.claims)
    assert not await there.still_signed_in()
    with pytest.raises(DomainError):
        await sign_in.login(Context(stage.services), username=stage.user("manager").username, password=PASSWORD)
    assert await stage.rows(ManagerAllocation, ManagerAllocation.user_id == stage.user("manager").id) == []
    assert len(await stage.rows(ManagerAllocation)) == 1
    at = (await stage.one(User, stage.user("manager").id)).archived_at
    assert at is not None and at <= clock.now()
    # Again changes nothing.
    await done(stage, "master", "userArchive", id=user_id(stage, "manager"))
    assert (await stage.one(User, stage.user("manager").id)).archived_at == at
    assert (await stage.trail()).count("userArchive") == 1


async def test_archiving_ends_links_and_sites(stage: Stage) -> None:
    await password.reset_request(Context(stage.services), username=stage.user("overview").username)
    await done(stage, "master", "userArchive", id=user_id(stage, "overview"))
    assert await stage.rows(OverviewAllocation) == []
    (mail,) = await stage.mails()
    with pytest.raises(DomainError):
        await password.reset(Context(stage.services), token=link_token(mail.body), new_password=CHOSEN)


async def test_who_may_archive_whom(stage: Stage) -> None:
    for who in ("learner", "assessor", "iqa", "manager", "overview", "basic"):
        assert await faults(stage, who, "userArchive", id=user_id(stage, "iqa")) == {None: "NOT_ALLOWED"}
    unseen = await ask(stage, "master", "userArchive", id=user_id(stage, "foreign_assessor"))
    unknown = await ask(stage, "master", "userArchive", id="User_999999")
    assert unseen == unknown and unseen["errors"][0]["code"] == "NOT_FOUND"
    assert await faults(stage, "assessor", "userArchive", id=user_id(stage, "cy")) == {"id": "NOT_FOUND"}
    assert await faults(stage, "master", "userArchive", id=user_id(stage, "master")) == {"id": "CONFLICT"}


async def test_two_master_admins_cannot_archive_each_other(database: Database, stage: Stage) -> None:
    async with database.writing() as session:
        factory = Factory(session)
        second = await factory.add(
            User(
                provider_id=stage.user("master").provider_id, name="Max", username="max", email="max@example.org",
                password_hash="-", created_at=clock.now(),
            )
        )  # fmt: skip
        await factory.add(
            RoleGrant(provider_id=second.provider_id, user_id=second.id, role=Role.MASTER_ADMIN, granted_at=clock.now())
        )
    stage.people["max"] = (second, Role.MASTER_ADMIN, None)
    results = await asyncio.gather(
        user.archive(stage.at("master"), id=user_id(stage, "max")),
        user.archive(stage.at("max"), id=user_id(stage, "master")),
        return_exceptions=True,
    )
    assert sum(isinstance(result, DomainError) for result in results) == 1
    left = [who for who in ("master", "max") if (await stage.one(User, stage.user(who).id)).archived_at is None]
    assert len(left) == 1


async def test_a_refused_invitation_sends_nothing(stage: Stage) -> None:
    doing = user.invite(stage.at("basic"), name="Mia", email="mia@x.example", role=Role.BASIC_ADMIN)
    assert await refused(doing) == {"input.role": UserErrorCode.NOT_ALLOWED}
    assert await stage.mails() == [] and await stage.trail() == []
