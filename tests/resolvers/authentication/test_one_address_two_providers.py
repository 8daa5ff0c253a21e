"""One e-mail address at two training providers: two accounts, and nothing at one tells of the other."""

from dataclasses import dataclass
from unittest.mock import patch

import pytest
from sqlalchemy import select, update

from auth import passwords
from auth.login_candidates import login_candidates
from auth.passwords import hash_password, same_salt
from db.models.audit_event import AuditEvent
from db.models.outbox import OutboxMail
from db.models.provider import Provider
from db.models.user import User
from domain import clock
from domain.enums import Role, UserErrorCode
from resolvers import learner
from resolvers.authentication import login as authentication
from resolvers.authentication import password
from resolvers.authentication.login import TrainingProviderRequired
from resolvers.core.context import Client, Context
from resolvers.user import account
from services.mail.messages import WELCOME
from tests.resolvers.authentication.test_login import rejection
from tests.resolvers.authentication.test_password import ask_for_link
from tests.support.factories import Factory
from tests.support.scenarios.base import PASSWORD

ADDRESS = "ada@example.org"
OTHER_PASSWORD = "another bird altogether"


@dataclass
class TwoProviders:
    """Ada (1) is at Hill College. Mo is a Master Admin of Vale College, where Ada is invited."""

    context: Context
    mo: Context

    async def users(self) -> list[User]:
        async with self.context.services.database.writing() as session:
            return list(await session.scalars(select(User).where(User.username == ADDRESS).order_by(User.id)))

    async def login(self, password: str, **more: str) -> int:
        """Returns the key of the training provider to which they signed in."""
        context = Context(self.context.services, client=Client(address="192.0.2.9"))
        await authentication.login(context, username=ADDRESS, password=password, **more)
        return context.viewer_or_raise().provider_key

    async def mails(self) -> list[OutboxMail]:
        async with self.context.services.database.writing() as session:
            return list(await session.scalars(select(OutboxMail).order_by(OutboxMail.id)))


@pytest.fixture
async def two(context: Context) -> TwoProviders:
    async with context.services.database.writing() as session:
        (await session.get_one(Provider, 1)).name = "Hill College"
        factory = Factory(session)
        vale = await factory.provider(disclaimer=None)
        vale.name = "Vale College"
        hashed = await hash_password(PASSWORD)
        await factory.user(vale, "Mo", Role.MASTER_ADMIN, username="mo", password_hash=hashed)
        await factory.employer(vale, "Garage")
        await session.execute(update(User).where(User.id == 1).values(username=ADDRESS, email=ADDRESS))
    mo = Context(context.services, client=Client(address="192.0.2.2"))
    await authentication.login(mo, username="mo", password=PASSWORD)
    return TwoProviders(context, mo)


async def invitation(two: TwoProviders) -> str:
    """Returns the token of the invitation to Vale College."""
    (mail,) = [mail for mail in await two.mails() if mail.kind == WELCOME]
    filled = two.context.services.one_time_secrets.fill_in(mail.body, mail.to_address)
    return filled.split("token=")[1].split()[0]


async def joined(two: TwoProviders, password_there: str = OTHER_PASSWORD) -> None:
    """Ada is invited to Vale College, and chooses a password there."""
    await account.invite(two.mo, name="Ada L", email=ADDRESS, role=Role.ASSESSOR)
    link = await invitation(two)
    await password.reset(Context(two.context.services), token=link, new_password=password_there)


async def test_an_invitation_does_not_tell_that_the_address_is_known(two: TwoProviders) -> None:
    await joined(two)
    (hill, vale) = await two.users()
    assert (hill.provider_id, vale.provider_id, vale.name) == (1, 2, "Ada L")
    assert [await two.login(each) for each in (PASSWORD, OTHER_PASSWORD)] == [1, 2]
    assert not any("Hill" in mail.body for mail in await two.mails())
    again = account.invite(two.mo, name="Ada", email=ADDRESS, role=Role.IQA)
    assert (await rejection(again))[0] is UserErrorCode.CONFLICT


async def test_a_learner_can_be_enrolled_at_both(two: TwoProviders) -> None:
    await learner.enrol(two.mo, name="Ada", email=ADDRESS, employer_id="Employer_1")
    assert [each.provider_id for each in await two.users()] == [1, 2]


async def test_a_login_computes_one_hash_however_many_accounts_there_are(two: TwoProviders) -> None:
    async def computed(username: str, password: str) -> int:
        with patch.object(passwords, "_HASHER", wraps=passwords._HASHER) as hasher:
            context = Context(two.context.services, client=Client(address="192.0.2.9"))
            await rejection(authentication.login(context, username=username, password=password))
        return hasher.hash.call_count + hasher.verify.call_count

    one = await computed(ADDRESS, "wrong")
    await account.invite(two.mo, name="Ada", email=ADDRESS, role=Role.ASSESSOR)
    assert [one, await computed(ADDRESS, "wrong"), await computed("nobody", "wrong")] == [1, 1, 1]
    link = await invitation(two)
    await password.reset(Context(two.context.services), token=link, new_password=OTHER_PASSWORD)
    assert await computed(ADDRESS, "wrong") == 1
    hill, vale = await two.users()
    assert same_salt(hill.password_hash, vale.password_hash) and hill.password_hash != vale.password_hash


async def test_salts_that_differ_are_one_after_the_next_login(two: TwoProviders) -> None:
    await joined(two)
    async with two.context.services.database.writing() as session:
        apart = await hash_password(OTHER_PASSWORD)
        await session.execute(
            update(User).where(User.provider_id == 2, User.username == ADDRESS).values(password_hash=apart)
        )
    assert [await two.login(each) for each in (OTHER_PASSWORD, PASSWORD, OTHER_PASSWORD)] == [2, 1, 2]
    first, second = await login_candidates(two.context.services.database, ADDRESS, None, clock.now())
    assert same_salt(first.password_hash, second.password_hash)


async def test_with_the_same_password_at_both_the_person_chooses(two: TwoProviders) -> None:
    await joined(two, PASSWORD)
    with pytest.raises(TrainingProviderRequired) as asked:
        await two.login(PASSWORD)
    assert asked.value.names == ["Hill College", "Vale College"]
    assert [await two.login(PASSWORD, training_provider=name) for name in (" vale college", "Hill College")] == [2, 1]
    for wrong, named in ((PASSWORD, "Third College"), ("wrong", "Hill College")):
        code, message = await rejection(two.login(wrong, training_provider=named))
        assert code in (UserErrorCode.NOT_ALLOWED, UserErrorCode.WRONG_PASSWORD) and "Vale" not in message
    async with two.context.services.database.writing() as session:
        await session.execute(update(Provider).values(name="College"))
        (await session.get_one(Provider, 1)).ukprn, (await session.get_one(Provider, 2)).ukprn = "10000001", "10000002"
    with pytest.raises(TrainingProviderRequired) as asked:
        await two.login(PASSWORD)
    assert [await two.login(PASSWORD, training_provider=name) for name in asked.value.names] == [1, 2]


async def test_each_account_gets_its_own_link_from_its_own_provider(two: TwoProviders) -> None:
    await joined(two)
    before = len(await two.mails())
    await ask_for_link(Context(two.context.services, client=Client(address="192.0.2.5")), ADDRESS)
    hill, vale = (await two.mails())[before:]
    assert "at Hill College" in hill.body and "Vale" not in hill.body
    assert "at Vale College" in vale.body and "Hill" not in vale.body
    async with two.context.services.database.writing() as session:
        asked = select(AuditEvent.provider_id).where(AuditEvent.action == "passwordResetRequest")
        assert sorted(await session.scalars(asked)) == [1, 2]


async def test_what_is_done_at_one_does_not_change_the_other(two: TwoProviders) -> None:
    await joined(two)
    hill, vale = await two.users()
    await account.archive(two.mo, id=f"User_{vale.id}")
    assert await two.login(PASSWORD) == 1
    assert (await rejection(two.login(OTHER_PASSWORD)))[0] is UserErrorCode.WRONG_PASSWORD
    (still, _) = await two.users()
    assert (still.password_hash, still.archived_at) == (hill.password_hash, None)
