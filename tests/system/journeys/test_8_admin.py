"""Journey 8: settings and the numbers that depend on them, roles, and an account archived while in use."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pyotp
import pytest
from sqlalchemy import select

from db.models.user import User
from tests.support.demo_server import Demo
from tests.support.http_server import PASSWORD, Clients
from tests.support.lookup import user_id
from tests.support.smtp_server import Post
from tests.support.subscriptions import listening, streaming


@asynccontextmanager
async def fresh_clients(demo: Demo, backend: str, post: Post) -> AsyncIterator[Clients]:
    async with demo.serving(backend, WAYMARK_SMTP_URL=post.url) as running:
        clients = Clients(running)
        yield clients
        await clients.close()


@pytest.fixture
async def own_clients(demo: Demo, backend: str, post: Post) -> AsyncIterator[Clients]:
    """The users of a demo that is used by one test only."""
    async with fresh_clients(demo, backend, post) as clients:
        yield clients


async def lights(clients: Clients) -> tuple[int, int, int]:
    """Returns the number of aims by traffic light, and checks that KPIs and aims agree."""
    admin = await clients("master.admin")
    kpis = await admin.kpis()
    counted = {"OFF_TRACK": 0, "ON_TRACK": 0, "AHEAD": 0}
    page = await admin.data("{ learners(first: 100) { nodes { aims { status trafficLight } } } }")
    for learner in page["learners"]["nodes"]:
        for aim in learner["aims"]:
            if aim["trafficLight"] in counted:
                counted[aim["trafficLight"]] += 1
    found = kpis["offTrackCount"], kpis["onTrackCount"], kpis["aheadCount"]
    assert found == tuple(counted.values())
    return found


async def test_settings_change_every_traffic_light_at_once(clients: Clients):
    admin, basic = await clients("master.admin"), await clients("basic.admin")
    assert await basic.user_errors("providerSettingsUpdate", input={"reviewIntervalWeeks": 8}) == {None: "NOT_ALLOWED"}
    wrong = {"trafficLightTolerance": 101, "reviewIntervalWeeks": 0, "unitSignatures": ["BASIC_ADMIN"]}
    assert set(await admin.user_errors("providerSettingsUpdate", input=wrong)) == {
        "input.trafficLightTolerance", "input.reviewIntervalWeeks", "input.unitSignatures.0"
    }  # fmt: skip
    before = await lights(clients)
    settings = await admin.mutate("providerSettingsUpdate", input={"trafficLightTolerance": 100})
    assert settings["trafficLightTolerance"] == 100
    off, on, ahead = await lights(clients)
    assert (off, ahead, on) == (0, 0, sum(before))
    settings = await admin.mutate(
        "providerSettingsUpdate", input={"trafficLightTolerance": 10, "ratedFromPercent": 100}
    )
    assert sum(await lights(clients)) < sum(before)
    settings = await admin.mutate("providerSettingsUpdate", input={"ratedFromPercent": 0, "reviewIntervalWeeks": 8})
    assert (await lights(clients), settings["reviewIntervalWeeks"]) == (before, 8)

    unit = "{ learners(first: 1) { nodes { aims { units { signatures { role required } } } } } }"
    await admin.mutate("providerSettingsUpdate", input={"unitSignatures": ["IQA", "ASSESSOR"]})
    units = (await admin.data(unit))["learners"]["nodes"][0]["aims"][0]["units"]
    assert {one["role"] for one in units[0]["signatures"] if one["required"]} == {"ASSESSOR", "IQA"}
    # The settings of another provider are not changed.
    theirs = await (await clients("other.provider")).data(
        "{ providerSettings { trafficLightTolerance unitSignatures } }"
    )
    assert theirs["providerSettings"] == {"trafficLightTolerance": 5.0, "unitSignatures": ["ASSESSOR", "IQA"]}


async def test_a_changed_disclaimer_is_shown_to_everybody_again(own_clients: Clients):
    admin, learner, other = (
        await own_clients("master.admin"),
        await own_clients("learner"),
        await own_clients("other.provider"),
    )
    words = "Your evidence is kept for six years."
    settings = await admin.payload("providerSettingsUpdate", input={"disclaimer": words})
    assert settings["providerSettings"]["disclaimer"] == words
    for person in (admin, learner):
        answer = await person.response("{ learners { totalCount } }")
        assert answer["errors"][0]["extensions"]["code"] == "DISCLAIMER_REQUIRED"
        assert (await person.mutate("disclaimerAccept"))["mustAcceptDisclaimer"] is False
        assert (await person.data("{ viewer { disclaimer } learners { totalCount } }"))["viewer"]["disclaimer"] == words
    assert (await other.data("{ learners { totalCount } }"))["learners"]["totalCount"] == 8


async def test_roles_are_granted_switched_and_revoked(clients: Clients):
    admin, both = await clients("master.admin"), await clients("many.roles")
    sian = await user_id(admin, "Siân Fielding")
    assert (await both.data("{ viewer { role } }"))["viewer"]["role"] == "ASSESSOR"
    as_assessor = (await both.data("{ learners { totalCount } }"))["learners"]["totalCount"]
    old = both.tokens["accessToken"]
    assert await both.user_errors("roleSwitch", role="IQA") == {"refreshToken": "REQUIRED"}
    both.use(await both.mutate("roleSwitch", role="IQA", refreshToken=both.tokens["refreshToken"]))
    as_iqa = (await both.data("{ viewer { role } learners { totalCount } }"))["learners"]["totalCount"]
    assert as_assessor != as_iqa
    # The authentication session in the old role has ended.
    gone = await both.http.post(
        "/graphql", json={"query": "{ viewer { role } }"}, headers={"authorization": f"Bearer {old}"}
    )
    assert gone.status_code == 401
    refresh_token = both.tokens["refreshToken"]
    assert await both.user_errors("roleSwitch", role="MASTER_ADMIN", refreshToken=refresh_token) == {
        "role": "NOT_ALLOWED"
    }
    assert await both.user_errors("roleSwitch", role="IQA", refreshToken=refresh_token) == {"role": "INVALID"}

    assert await admin.user_errors("roleGrant", userId=sian, role="EMPLOYER_MANAGER") == {"role": "CONFLICT"}
    await admin.mutate("roleGrant", userId=sian, role="BASIC_ADMIN")
    both.use(await both.mutate("roleSwitch", role="BASIC_ADMIN", refreshToken=refresh_token))
    assert (await both.data("{ learners { totalCount } }"))["learners"]["totalCount"] > as_assessor
    await admin.mutate("roleRevoke", userId=sian, role="BASIC_ADMIN")
    # A revoked role ends access from the next request on, also for existing tokens.
    answer = await both.post("{ viewer { role } }")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    assert [action for action, _ in (await admin.audit_trail(sian))[:2]] == ["roleRevoke", "roleSwitch"]


async def test_a_second_factor_is_set_up_used_lost_and_removed(clients: Clients, post: Post):
    admin, person = await clients("master.admin"), await clients.anonymous()
    await person.sign_in("fiona.grange")
    begun = await person.payload("secondFactorEnrol", password=PASSWORD)
    app = pyotp.parse_uri(begun["uri"])
    assert begun["viewer"]["hasSecondFactor"] is False
    assert await person.user_errors("secondFactorConfirm", code="12345") == {"code": "WRONG_PASSWORD"}
    confirmed = await person.payload("secondFactorConfirm", code=app.now())
    assert (confirmed["uri"], confirmed["viewer"]["hasSecondFactor"]) == (None, True)
    first, second, *others = confirmed["recoveryCodes"]
    assert len(others) == 8

    again, given = await clients.anonymous(), {"username": "fiona.grange", "password": PASSWORD}
    payload = await again.payload("login", input=given)
    assert (payload["secondFactorRequired"], payload["accessToken"], payload["viewer"]) == (True, None, None)
    assert [(error["code"], error["field"]) for error in payload["errors"]] == [("REQUIRED", ["input", "code"])]
    assert (await again.payload("login", input={**given, "password": "wrong"}))["secondFactorRequired"] is False
    assert await again.user_errors("login", input={**given, "code": "ABCD"}) == {"input.code": "WRONG_PASSWORD"}
    again.use(await again.mutate("login", input={**given, "code": first}))
    assert (await again.mutate("secondFactorRemove", code=second))["hasSecondFactor"] is False

    begun = await again.payload("secondFactorEnrol", password=PASSWORD)
    await again.payload("secondFactorConfirm", code=pyotp.parse_uri(begun["uri"]).now())
    fiona = await user_id(admin, "Fiona Grange")
    assert await again.user_errors("secondFactorReset", userId=fiona) == {None: "NOT_ALLOWED"}
    await admin.mutate("secondFactorReset", userId=fiona)
    trail = [action for action, _ in await admin.audit_trail(fiona)]
    assert trail[:2] == ["secondFactorReset", "secondFactorConfirm"]
    await again.sign_in("fiona.grange")


async def test_who_has_no_password_asks_for_a_code(clients: Clients, post: Post):
    person = await clients("employer.manager")
    assert await person.user_errors("signingCodeRequest") == {None: "INVALID"}
    async with clients.running.server.services.database.writing() as session:
        user = (await session.scalars(select(User).where(User.username == "employer.manager"))).one()
        user.has_password = False
    payload = await person.payload("signingCodeRequest")
    assert (payload["sentTo"], payload["errors"]) == (f"{user.email[0]}…@{user.email.partition('@')[2]}", [])
    body = (await post.to(user.email, "Your code to sign in Waymark")).get_content()
    (code,) = re.findall(r"\b\d{8}\b", body)
    begun = await person.payload("secondFactorEnrol", password=code)
    assert begun["errors"] == [] and begun["uri"].startswith("otpauth://totp/")
    assert await person.user_errors("secondFactorEnrol", password=code) == {"password": "WRONG_PASSWORD"}


async def test_a_required_second_factor_comes_first(own_clients: Clients):
    admin = await own_clients("master.admin")
    settings = await admin.payload("providerSettingsUpdate", input={"requireSecondFactor": ["MASTER_ADMIN"]})
    assert settings["providerSettings"]["requireSecondFactor"] == ["MASTER_ADMIN"]
    for query in ("{ learners { totalCount } }", "{ providerSettings { requireSecondFactor } }"):
        answer = await admin.response(query)
        assert answer["errors"][0]["extensions"]["code"] == "SECOND_FACTOR_REQUIRED"
    assert (await admin.data("{ viewer { mustSetUpSecondFactor } }"))["viewer"]["mustSetUpSecondFactor"] is True
    begun = await admin.payload("secondFactorEnrol", password=PASSWORD)
    confirmed = await admin.payload("secondFactorConfirm", code=pyotp.parse_uri(begun["uri"]).now())
    assert confirmed["viewer"]["mustSetUpSecondFactor"] is False
    assert (await admin.data("{ providerSettings { requireSecondFactor } }"))["providerSettings"]
    assert (await (await own_clients("basic.admin")).data("{ learners { totalCount } }"))["learners"]["totalCount"]


async def test_a_session_is_refreshed_once_and_ended(clients: Clients):
    person = await clients.anonymous()
    await person.sign_in("fiona.grange")
    first = person.tokens
    person.use(await person.mutate("tokenRefresh", refreshToken=first["refreshToken"]))
    assert (await person.data("{ viewer { user { name } } }"))["viewer"]["user"]["name"] == "Fiona Grange"
    # A retry from the same address gets the same answer, and nobody is signed out.
    again = await person.mutate("tokenRefresh", refreshToken=first["refreshToken"])
    assert (again["accessToken"], again["refreshToken"]) == (
        person.tokens["accessToken"], person.tokens["refreshToken"]
    )  # fmt: skip
    assert (await person.post("{ viewer { role } }")).status_code == 200
    person = await clients.anonymous()
    await person.sign_in("fiona.grange")
    assert await person.mutate("logout", refreshToken=person.tokens["refreshToken"]) == {}
    assert (await person.post("{ viewer { role } }")).status_code == 401


async def test_an_archived_user_loses_access_at_once(clients: Clients):
    admin, manager = await clients("master.admin"), await clients("kwame.mensah")
    kwame = await user_id(admin, "Kwame Mensah")
    assert await (await clients("basic.admin")).user_errors("userArchive", id=kwame) == {None: "NOT_ALLOWED"}
    mine = (await admin.data("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    assert await admin.user_errors("userArchive", id=mine) == {"id": "CONFLICT"}
    async with (
        streaming(manager, "subscription { kpisChanged { learnerCount } }") as stream,
        listening(manager, "subscription { kpisChanged { learnerCount } }") as socket,
    ):
        first = await stream.next()
        assert first["data"]["kpisChanged"]["learnerCount"] == 5
        assert (await socket.next())["data"] == first["data"]
        archived = await admin.mutate("userArchive", id=kwame)
        assert archived["name"] == "Kwame Mensah"
        assert (await manager.post("{ viewer { role } }")).status_code == 401
        # Both streams end without another message.
        assert (await stream.next())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert await stream.next() is None
        assert (await socket.closed())[0] == 4403
    again = {"username": "kwame.mensah", "password": "waymark-demo", "role": None}
    assert await (await clients.anonymous()).user_errors("login", input=again) == {"input": "WRONG_PASSWORD"}
    refresh = await (await clients.anonymous()).user_errors("tokenRefresh", refreshToken=manager.tokens["refreshToken"])
    assert refresh == {"refreshToken": "INVALID"}
    assert (await admin.audit_trail(kwame))[0] == ("userArchive", "Victor Osei")
