"""Sign-in through an identity provider: whom it finds, what it refuses, and what the provider may do wrong."""

import asyncio
import datetime as dt
from itertools import product
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select, update

from auth.identity import discovery
from auth.identity.client import IdentityClient
from db.models.audit_event import AuditEvent
from db.models.auth_session import AuthSession, OneTimeToken
from db.models.identity_provider import IdentityLink, IdentityLogin, IdentityProvider
from db.models.outbox import OutboxMail
from db.models.provider import Provider
from db.models.user import RoleGrant, User
from domain import clock
from domain.enums import Role, UserErrorCode
from resolvers.authentication import identity_provider as identity
from resolvers.authentication.second_factor import SecondFactorRequired
from resolvers.authentication.tokens import INVITATION, one_time_token
from resolvers.core.context import Client, Context
from tests.resolvers.authentication.conftest import ADA, SignIn
from tests.resolvers.authentication.test_login import rejection
from tests.resolvers.authentication.test_second_factor import Clock, enrolled, time
from tests.support.factories import Factory
from tests.support.openid_provider import DRIPPING, HUGE, Claims, elsewhere

__all__ = ["time"]

# What does not depend on the database.
sqlite_only = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


async def count(context: Context, table: Any) -> int:
    async with context.services.database.writing() as session:
        return (await session.execute(select(func.count()).select_from(table))).scalar_one()


async def change_user(context: Context, **values: Any) -> None:
    async with context.services.database.writing() as session:
        await session.execute(update(User).where(User.id == 1).values(**values))


async def refusal(sign_in: SignIn, person: Claims | None = None, **changed: Any) -> UserErrorCode:
    code, message = await rejection(sign_in(person, **changed))
    assert not any(
        str(value) in message for value in {**ADA, **(person or {}), **changed}.values() if value is not True
    )
    assert await count(sign_in.context, AuthSession) == 0
    return code


async def test_the_first_sign_in_links_the_account_and_later_ones_need_no_address(sign_in: SignIn) -> None:
    viewer = (await sign_in()).viewer_or_raise()
    assert (viewer.name, viewer.role, viewer.last_login_at is not None) == ("Ada", Role.ASSESSOR, True)
    again = await sign_in({"sub": "ada-1", "email": "new@example.org"}, role=Role.IQA)
    assert again.viewer_or_raise().role is Role.IQA
    assert (await count(sign_in.context, IdentityLink), await count(sign_in.context, User)) == (1, 1)
    async with sign_in.context.services.database.writing() as session:
        started = list(await session.scalars(select(AuthSession)))
        trail = list(await session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))
        (mail,) = await session.scalars(select(OutboxMail))
    assert all(each.identity_provider_id == 1 and each.network_sha256 for each in started) and len(started) == 2
    assert trail == ["identityLink", "loginWithProvider", "loginWithProvider"]
    assert mail.to_address == "Ada@example.org" and "Hill accounts" in mail.body


@sqlite_only
async def test_nobody_gets_in_without_the_verified_address_of_an_account(sign_in: SignIn) -> None:
    for person in (
        {**ADA, "email_verified": False}, {"sub": "x", "email": ADA["email"]}, {"sub": "x"},
        {**ADA, "email": "nobody@example.org"}, {**ADA, "email": 7}, {**ADA, "email_verified": "yes"},
    ):  # fmt: skip
        assert await refusal(sign_in, person) is UserErrorCode.NOT_FOUND, person
    assert (await count(sign_in.context, User), await count(sign_in.context, IdentityLink)) == (1, 0)


async def test_an_address_that_goes_to_another_person_does_not_take_the_account_with_it(sign_in: SignIn) -> None:
    await sign_in()
    assert (await rejection(sign_in({**ADA, "sub": "successor"})))[0] is UserErrorCode.NOT_FOUND


async def test_an_account_of_another_training_provider_is_not_found(sign_in: SignIn) -> None:
    async with sign_in.context.services.database.writing() as session:
        factory = Factory(session)
        other = await factory.provider(disclaimer=None)
        await factory.user(other, "Bo", Role.ASSESSOR, username="bo@example.org", email="bo@example.org")
    assert await refusal(sign_in, {**ADA, "email": "bo@example.org"}) is UserErrorCode.NOT_FOUND


async def test_an_archived_account_or_one_without_roles_is_refused(sign_in: SignIn) -> None:
    await change_user(sign_in.context, archived_at=clock.now())
    assert await refusal(sign_in) is UserErrorCode.NOT_FOUND
    await change_user(sign_in.context, archived_at=None)
    async with sign_in.context.services.database.writing() as session:
        await session.execute(RoleGrant.__table__.delete())
    assert await refusal(sign_in) is UserErrorCode.NOT_FOUND
    assert await count(sign_in.context, IdentityLink) == 0


async def test_a_linked_account_is_refused_once_it_is_archived_or_has_no_role(sign_in: SignIn) -> None:
    await sign_in()
    async with sign_in.context.services.database.writing() as session:
        await session.execute(RoleGrant.__table__.delete())
    assert (await rejection(sign_in()))[0] is UserErrorCode.NOT_ALLOWED
    await change_user(sign_in.context, archived_at=clock.now())
    assert (await rejection(sign_in()))[0] is UserErrorCode.NOT_FOUND


WRONG_CLAIMS: dict[str, Claims] = {
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "someone-else"},
    "another party": {"azp": "someone-else"},
    "audiences without a party": {"aud": ["waymark-client", "b"]},
    "another issuer": {"iss": "https://elsewhere.example"},
    "expired": {"exp": {"iat": -100}},
    "exp is text": {"exp": "tomorrow"},
    "exp is huge": {"exp": 1e300},
    "issued long ago": {"iat": {"iat": -3600}},
    "issued later": {"iat": {"iat": 3600}},
    "not valid yet": {"nbf": {"iat": 3600}},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "no subject": {"sub": ""},
}


@sqlite_only
async def test_a_token_with_wrong_claims_is_refused(sign_in: SignIn) -> None:
    for wrong, change in WRONG_CLAIMS.items():
        sign_in.provider.tell(changed_claims=change)
        assert await refusal(sign_in) is UserErrorCode.INVALID, wrong
    sign_in.provider.behave()
    await sign_in()


@sqlite_only
async def test_a_token_that_is_not_signed_with_a_published_key_is_refused(sign_in: SignIn) -> None:
    for algorithm in ("none", "HS256", "another key"):
        sign_in.provider.tell(algorithm=algorithm)
        assert await refusal(sign_in) is UserErrorCode.INVALID, algorithm


async def test_keys_that_were_rotated_are_read_again(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    await sign_in()
    sign_in.provider.forget_requests()
    await sign_in()
    assert sign_in.provider.requests == ["token"]
    sign_in.provider.rotate_keys()
    await sign_in()
    assert sign_in.provider.requests[1:] == ["token", "keys"]
    # But not each time: an unknown key does not make the server ask again and again.
    monkeypatch.setattr(discovery, "RETRY_SECONDS", 60.0)
    sign_in.provider.rotate_keys()
    assert (await rejection(sign_in()))[0] is UserErrorCode.INVALID
    assert sign_in.provider.requests[3:] == ["token"]


@sqlite_only
async def test_a_slow_huge_or_redirected_answer_is_given_up(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth.identity.http.SECONDS", 0.8)
    for path, answer in product(("discovery", "token", "keys"), (HUGE, DRIPPING, 1.0, None)):
        sign_in.provider.forget_requests()
        sign_in.provider.tell(wrong={path: answer or elsewhere(f"{sign_in.provider.issuer}/userinfo")})
        sign_in.context.services.identity = IdentityClient()
        assert await refusal(sign_in) is UserErrorCode.CONFLICT, (path, answer)
        assert path in sign_in.provider.requests and "userinfo" not in sign_in.provider.requests


async def test_an_address_from_the_user_info_counts_for_the_same_person(sign_in: SignIn) -> None:
    sign_in.provider.tell(only_in_user_info=("email", "email_verified"))
    sign_in.provider.tell(changed_claims={"sub": "another"})
    assert await refusal(sign_in) is UserErrorCode.INVALID
    sign_in.provider.tell(changed_claims={})
    await sign_in()


async def test_what_was_begun_once_is_finished_once(sign_in: SignIn) -> None:
    sign_in.provider.tell(person=ADA)
    returned = await sign_in.go()
    answers = await asyncio.gather(
        *(identity.login_with_provider(Context(sign_in.context.services), **returned) for _ in range(5)),
        return_exceptions=True,
    )
    assert sum(not isinstance(answer, BaseException) for answer in answers) <= 1
    assert await count(sign_in.context, AuthSession) == 1
    assert (await rejection(identity.login_with_provider(sign_in.context, **returned)))[0] is UserErrorCode.INVALID


async def test_a_code_is_of_no_use_to_who_intercepts_it(sign_in: SignIn) -> None:
    sign_in.provider.tell(person=ADA)
    returned = await sign_in.go()
    (other,) = await identity.identity_providers(sign_in.context)
    new_state = parse_qs(urlsplit(other.authorization_url).query)["state"][0]
    sign_in.provider.forget_requests()
    for changed in (
        {"code_verifier": "x" * 43}, {"code_verifier": "short"}, {"state": returned["state"][:-2] + "AA"},
        {"state": "a.9999999999.b"}, {"state": ""}, {"state": new_state}, {"redirect_uri": "https://evil.example/"},
        {"provider_id": "IdentityProvider_2"}, {"code": ""}, {"code": "x\0"},
    ):  # fmt: skip
        fresh = await sign_in.go()
        code, _ = await rejection(identity.login_with_provider(sign_in.context, **{**fresh, **changed}))
        assert code in (UserErrorCode.INVALID, UserErrorCode.NOT_FOUND), changed
    # The others are refused before anything is exchanged.
    assert sign_in.provider.requests.count("token") == 2
    assert await count(sign_in.context, AuthSession) == 0


async def test_an_invited_person_needs_no_password_and_the_invitation_ends(sign_in: SignIn) -> None:
    await change_user(sign_in.context, must_change_password=True, has_password=False, last_login_at=None)
    async with sign_in.context.services.database.writing() as session:
        ada = await session.get_one(User, 1)
        # The invitation was corrected to her address; somebody else may have the first one.
        ada.email = "other@example.org"
        session.add(one_time_token(ada, INVITATION, "secret", clock.now(), dt.timedelta(days=7), "ada@example.org"))
    assert await refusal(sign_in, {**ADA, "email": "other@example.org"}) is UserErrorCode.NOT_FOUND
    viewer = (await sign_in()).viewer_or_raise()
    assert not viewer.has_password and not viewer.must_complete_setup and viewer.email == "ada@example.org"
    async with sign_in.context.services.database.writing() as session:
        assert all(token.used_at for token in await session.scalars(select(OneTimeToken)))


async def test_a_second_factor_here_is_asked_for_in_the_same_sign_in(sign_in: SignIn, time: Clock) -> None:
    app, _ = await enrolled(Context(sign_in.context.services, client=Client(address="192.0.2.1")), time)
    sign_in.provider.tell(person=ADA)
    returned = await sign_in.go()
    begun = Context(sign_in.context.services)
    with pytest.raises(SecondFactorRequired) as asked:
        await identity.login_with_provider(begun, **returned)
    assert asked.value.errors[0].field == ("input", "secondFactorCode")
    wrong = identity.login_with_provider(begun, **returned, second_factor_code="000000")
    assert (await rejection(wrong))[0] is UserErrorCode.WRONG_PASSWORD
    # Another code verifier: somebody else, who has seen the rest of the address.
    theirs = {**returned, "code_verifier": "y" * 50}
    stolen = identity.login_with_provider(begun, **theirs, second_factor_code=app.code())
    assert (await rejection(stolen))[0] is UserErrorCode.INVALID
    await identity.login_with_provider(begun, **returned, second_factor_code=app.code())
    assert begun.viewer_or_raise().name == "Ada"


@pytest.mark.parametrize(
    "said, is_met", [({"amr": ["pwd", "mfa"]}, True), ({"acr": "mfa"}, True), ({"amr": ["pwd"]}, False)]
)
async def test_a_second_factor_there_counts_if_the_operator_says_so(
    sign_in: SignIn, said: Claims, is_met: bool
) -> None:
    async with sign_in.context.services.database.writing() as session:
        await session.execute(update(Provider).values(require_second_factor=["ASSESSOR"]))
    viewer = (await sign_in({**ADA, **said})).viewer_or_raise()
    assert viewer.must_set_up_second_factor is not is_met
    async with sign_in.context.services.database.writing() as session:
        await session.execute(update(IdentityProvider).values(second_factor_values=[]))
    assert (await sign_in({**ADA, **said})).viewer_or_raise().must_set_up_second_factor


async def test_the_secret_is_sealed_and_needs_its_key(sign_in: SignIn) -> None:
    async with sign_in.context.services.database.writing() as session:
        (sealed,) = await session.scalars(select(IdentityProvider.sealed_secret))
        assert sign_in.provider.client.secret not in sealed
        await session.execute(update(IdentityProvider).values(sealed_secret="gone.AAAA"))
    assert await refusal(sign_in) is UserErrorCode.CONFLICT


async def test_a_confirmed_login_expires(sign_in: SignIn, time: Clock) -> None:
    assert await count(sign_in.context, IdentityLogin) == 0
    sign_in.provider.tell(person=ADA)
    returned = await sign_in.go()
    rejected = identity.login_with_provider(sign_in.context, **returned, role=Role.LEARNER)
    assert (await rejection(rejected))[0] is UserErrorCode.NOT_ALLOWED
    time.time += dt.timedelta(minutes=11)
    assert (await rejection(identity.login_with_provider(sign_in.context, **returned)))[0] is UserErrorCode.INVALID
