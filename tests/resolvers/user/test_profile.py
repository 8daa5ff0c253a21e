"""Names and addresses are corrected: a new address counts once it is confirmed, and links to the old one end."""

import re

import pytest

from db.models.provider import Provider
from db.models.user import User
from domain import global_id as ids
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from resolvers.authentication import email, password
from resolvers.authentication.reset_request import create_requested_links, reset_request
from resolvers.core.context import Context
from tests.resolvers.user.test_account import CHOSEN, MIA, link_token, user_id
from tests.support.factories import Factory
from tests.support.scenarios.base import rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

NEW = "Ada.New@works.example"


def email_token(body: str) -> str:
    (token,) = re.findall(r"http://waymark\.test/email\?token=(\S+)", body)
    return token


async def confirm(scenario: EmptyPortfolio, token: str) -> None:
    await email.confirm_from_page(scenario.services, token, Context(scenario.services).client)


async def user(scenario: EmptyPortfolio, who: str) -> User:
    return await scenario.one(User, scenario.user(who).id)


async def sent_to(scenario: EmptyPortfolio) -> list[tuple[str, str]]:
    return [(mail.kind, mail.to_address) for mail in await scenario.mails()]


async def test_a_new_address_counts_once_it_is_confirmed(scenario: EmptyPortfolio) -> None:
    old = scenario.user("learner").email
    async with scenario.database.writing() as session:
        (await session.get_one(User, scenario.user("learner").id)).username = old.lower()
    await reset_request(Context(scenario.services), username=old)
    await create_requested_links(scenario.services)
    (reset,) = await scenario.mails()
    shown = await scenario.client("assessor").mutate(
        "userUpdate", id=user_id(scenario, "learner"), input={"email": NEW}
    )
    assert shown["email"] == old and (await user(scenario, "learner")).email == old
    assert (await sent_to(scenario))[1:] == [("email_confirmation", NEW), ("email_change_requested", old)]
    # Links that were sent to the old address no longer work.
    with pytest.raises(DomainError):
        await password.reset(Context(scenario.services), token=link_token(reset.body), new_password=CHOSEN)
    (_, confirmation, notice) = await scenario.mails()
    assert NEW not in notice.body
    token = email_token(confirmation.body)
    # The link confirms an address, and cannot set a password.
    with pytest.raises(DomainError):
        await password.reset(Context(scenario.services), token=token, new_password=CHOSEN)
    await confirm(scenario, token)
    changed = await user(scenario, "learner")
    assert (changed.email, changed.username) == (NEW, NEW.lower())
    assert await rejected(confirm(scenario, token)) == {"token": UserErrorCode.INVALID}
    assert (await scenario.audit_trail())[-2:] == ["userUpdate", "emailConfirm"]


async def test_an_address_that_somebody_took_meanwhile_is_not_confirmed(scenario: EmptyPortfolio) -> None:
    await scenario.client("master").mutate("learnerUpdate", id=scenario.ada, input={"email": NEW})
    (confirmation, _) = await scenario.mails()
    invited = {"name": "Other", "email": NEW, "role": "EMPLOYER_MANAGER"}
    await scenario.client("master").mutate("userInvite", input=invited)
    assert await rejected(confirm(scenario, email_token(confirmation.body))) == {"token": UserErrorCode.CONFLICT}


async def test_an_invitation_to_a_wrong_address_goes_to_the_right_one(scenario: EmptyPortfolio) -> None:
    master = scenario.client("master")
    invited = (await master.mutate("userInvite", input=MIA))["id"]
    await master.mutate("userUpdate", id=invited, input={"email": "mia@works.example", "name": "Mia Works"})
    await master.mutate("invitationResend", userId=invited)
    kinds = await sent_to(scenario)
    assert kinds[0][1] == "Mia@Garage.example" and kinds[1] == ("welcome", "mia@works.example")
    assert kinds[2:] == [("email_change_requested", "Mia@Garage.example"), ("welcome", "mia@works.example")]
    first, second, _, third = await scenario.mails()
    assert "Your username: mia@works.example" in third.body
    for old in (first, second):
        with pytest.raises(DomainError):
            await password.reset(Context(scenario.services), token=link_token(old.body), new_password=CHOSEN)
    await password.reset(Context(scenario.services), token=link_token(third.body), new_password=CHOSEN)
    mia = await scenario.one(User, ids.decode("User", invited))
    assert (mia.email, mia.username, mia.name) == ("mia@works.example", "mia@works.example", "Mia Works")
    assert await master.user_errors("invitationResend", userId=invited) == {"userId": "CONFLICT"}


async def test_everybody_changes_their_own_name(scenario: EmptyPortfolio) -> None:
    for who in ("learner", "manager", "iqa", "overview", "assessor", "basic"):
        client, own = scenario.client(who), user_id(scenario, who)
        assert (await client.mutate("userUpdate", id=own, input={"name": f" New  {who} "}))["name"] == f"New {who}"
        assert await client.user_errors("userUpdate", id=own, input={"email": NEW}) == {"input.email": "NOT_ALLOWED"}
    master = scenario.client("master")
    await master.mutate("userUpdate", id=user_id(scenario, "master"), input={"email": NEW})


async def test_whose_account_each_role_corrects(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        provider = await session.get_one(Provider, scenario.user("master").provider_id)
        both = await Factory(session).user(provider, "Both", Role.EMPLOYER_MANAGER, Role.IQA)
    allowed: dict[str, set[str]] = {
        "learner": set(), "manager": set(), "iqa": set(), "overview": set(), "assessor": {"learner"},
        "basic": {"learner", "cy", "manager"}, "master": {"learner", "cy", "manager", "assessor", "both"},
    }  # fmt: skip
    for who, people in allowed.items():
        for target in ("learner", "cy", "manager", "assessor", "both"):
            if target == who:
                continue
            id = ids.encode("User", both.id) if target == "both" else user_id(scenario, target)
            payload = await scenario.client(who).payload("userUpdate", id=id, input={"name": f"{who} {target}"})
            codes = {error["code"] for error in payload["errors"]}
            assert (not codes) == (target in people), (who, target, codes)
            assert codes <= {"NOT_ALLOWED", "NOT_FOUND"}


async def test_invalid_changes(scenario: EmptyPortfolio) -> None:
    master, id = scenario.client("master"), user_id(scenario, "learner")
    wrong = {"name": " ", "email": "nobody"}
    assert await master.user_errors("userUpdate", id=id, input=wrong) == {
        "input.name": "REQUIRED", "input.email": "INVALID",
    }  # fmt: skip
    await master.mutate("userInvite", input=MIA)
    taken = {"email": MIA["email"].upper()}
    assert await master.user_errors("userUpdate", id=id, input=taken) == {"input.email": "CONFLICT"}
    for _ in range(5):
        await master.payload("userUpdate", id=id, input={"email": NEW})
    assert await master.user_errors("userUpdate", id=id, input={"email": NEW}) == {"input.email": "TOO_MANY_ATTEMPTS"}
    assert await scenario.client("learner").user_errors("invitationResend", userId=id) == {None: "NOT_ALLOWED"}
    assert await scenario.client("assessor").user_errors("invitationResend", userId=id) == {"userId": "CONFLICT"}


async def test_a_user_whose_roles_were_revoked_is_corrected_by_no_manager_and_no_iqa(scenario: EmptyPortfolio) -> None:
    learner = user_id(scenario, "learner")
    await scenario.client("master").mutate("roleRevoke", userId=learner, role="LEARNER")
    for who in ("manager", "overview", "iqa"):
        for change in ({"name": "Taken"}, {"email": NEW}):
            assert await scenario.client(who).user_errors("userUpdate", id=learner, input=change) == {
                "id": "NOT_ALLOWED"
            }
    assert await sent_to(scenario) == []
    await scenario.client("basic").mutate("userUpdate", id=learner, input={"name": "Ada Right"})
