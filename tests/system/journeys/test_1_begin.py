"""Journey 1: a learner is invited, enrolled and inducted, from the e-mail to an aim in training."""

import datetime as dt

from domain import clock
from domain.enums import Role
from services.demo.people import uln
from tests.support.client import HttpClient
from tests.support.http_server import Clients
from tests.support.lookup import employer_id, learner_id, qualification_id, user_id
from tests.support.smtp_server import Post, link_in

CHOSEN = "a heron on the weir"


async def accept_invitation(clients: Clients, post: Post, address: str) -> HttpClient:
    """Opens the link of an invitation, chooses a password, and accepts the disclaimer."""
    message = await post.to(address, "Your Waymark account")
    assert f"Your username: {address}" in message.get_content()
    link = link_in(message)
    assert link.startswith(clients.running.address)
    newcomer = await clients.anonymous()
    page = await newcomer.fetch(link)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    token = link.partition("token=")[2]
    assert f'value="{token}"' in page.text
    # A weak password is rejected, and the link stays valid.
    assert await newcomer.user_errors("passwordReset", input={"token": token, "newPassword": "password1"}) == {
        "input.newPassword": "INVALID"
    }
    chosen = {"token": token, "newPassword": CHOSEN}
    tokens = await newcomer.mutate("passwordReset", input=chosen)
    newcomer.use(tokens)
    assert (tokens["viewer"]["mustChangePassword"], tokens["viewer"]["mustAcceptDisclaimer"]) == (False, True)
    must_complete_setup = await newcomer.response("{ viewer { kpis { learnerCount } } learners { totalCount } }")
    assert {error["extensions"]["code"] for error in must_complete_setup["errors"]} == {"DISCLAIMER_REQUIRED"}
    shown = await newcomer.data("{ viewer { disclaimer mustAcceptDisclaimer } }")
    assert shown["viewer"]["disclaimer"] == tokens["viewer"]["disclaimer"] is not None
    assert (await newcomer.mutate("disclaimerAccept"))["mustAcceptDisclaimer"] is False
    # The link cannot be used again.
    assert await newcomer.user_errors("passwordReset", input=chosen) == {"input.token": "INVALID"}
    return newcomer


async def names(person: HttpClient) -> set[str]:
    found = await person.data("{ learners(first: 100) { totalCount nodes { name } } }")
    assert found["learners"]["totalCount"] == len(found["learners"]["nodes"])
    return {one["name"] for one in found["learners"]["nodes"]}


async def test_a_learner_is_enrolled_invited_and_inducted(clients: Clients, post: Post):
    assessor, admin = await clients("assessor"), await clients("master.admin")
    before = await assessor.kpis()
    site = await assessor.mutate("employerCreate", input={"name": "Ferry Lane Cycles", "parentId": None})
    site = await assessor.mutate("employerUpdate", id=site["id"], input={"name": "Ferry Lane Cycle Works"})
    assert site["name"] == "Ferry Lane Cycle Works"

    enrolled = {"name": "Ivo Brandt", "email": "ivo.brandt@example.org", "uln": None, "employerId": site["id"]}
    learner = await assessor.mutate("learnerEnrol", input=enrolled)
    assert (learner["employer"]["name"], learner["aims"], learner["trafficLight"]) == (
        "Ferry Lane Cycle Works", [], "NOT_RATED"
    )  # fmt: skip
    errors = await assessor.user_errors("learnerEnrol", input={**enrolled, "name": " ", "uln": "123"})
    assert errors == {"input.name": "REQUIRED", "input.uln": "INVALID", "input.email": "CONFLICT"}
    learner = await assessor.mutate("learnerUpdate", id=learner["id"], input={"uln": uln(500)})
    assert learner["uln"] == uln(500)

    today = clock.today()
    asked = {
        "learnerId": learner["id"], "qualificationId": await qualification_id(assessor, "Functional Skills"),
        "assessorId": await user_id(assessor, "Priya Raman"), "iqaId": await user_id(assessor, "Gareth Pugh"),
        "startDate": (today - dt.timedelta(days=1)).isoformat(),
        "plannedEndDate": (today + dt.timedelta(days=200)).isoformat(),
    }  # fmt: skip
    # The IQA of an aim cannot be its assessor.
    errors = await assessor.user_errors("aimAdd", input={**asked, "iqaId": asked["assessorId"]})
    assert list(errors) == ["input.iqaId"]
    aim = await assessor.mutate("aimAdd", input=asked)
    assert (aim["status"], aim["trafficLight"], aim["assessor"]["name"], aim["iqa"]["name"]) == (
        "AWAITING_INDUCTION", "NOT_RATED", "Priya Raman", "Gareth Pugh"
    )  # fmt: skip

    newcomer = await accept_invitation(clients, post, "ivo.brandt@example.org")
    home = await newcomer.data("{ viewer { role learner { name aims { status } nextSession { id } } } }")
    assert home["viewer"]["learner"] == {
        "name": "Ivo Brandt", "aims": [{"status": "AWAITING_INDUCTION"}], "nextSession": None
    }  # fmt: skip
    # Only the new password works.
    assert (await (await clients.anonymous()).sign_in("Ivo.Brandt@example.org", CHOSEN))["role"] == Role.LEARNER.value
    errors = await (await clients.anonymous()).user_errors(
        "login", input={"username": "ivo.brandt@example.org", "password": "x"}
    )
    assert errors == {"input": "WRONG_PASSWORD"}

    started = clock.now() - dt.timedelta(hours=2)
    induction = await assessor.mutate(
        "sessionBook",
        input={
            "learnerId": learner["id"], "type": "INDUCTION", "startsAt": started.isoformat(),
            "endsAt": (started + dt.timedelta(minutes=90)).isoformat(), "aimIds": [aim["id"]],
        },
    )  # fmt: skip
    assert (induction["number"], induction["status"]) == (1, "PLANNED")
    said = {"attended": True, "feedback": "Welcome aboard."}
    assert await newcomer.user_errors("sessionComplete", id=induction["id"], input=said) == {None: "NOT_ALLOWED"}
    induction = await assessor.mutate("sessionComplete", id=induction["id"], input=said)
    assert (induction["status"], induction["aims"][0]["status"]) == ("ATTENDED", "IN_TRAINING")
    assert induction["aims"][0]["trafficLight"] == "ON_TRACK"
    # Minutes for English or mathematics are logged, but do not count towards the required hours.
    assert induction["learner"]["offTheJob"]["actualMinutes"] == 0
    hours = await newcomer.data("{ viewer { learner { offTheJob { loggedMinutes excluded { reason minutes } } } } }")
    assert hours["viewer"]["learner"]["offTheJob"] == {
        "loggedMinutes": 90, "excluded": [{"reason": "ENGLISH_OR_MATHS", "minutes": 90}]
    }  # fmt: skip

    after = await assessor.kpis()
    assert (after["learnerCount"], after["aimCount"]) == (before["learnerCount"] + 1, before["aimCount"] + 1)
    assert after["onTrackCount"] == before["onTrackCount"] + 1
    assert await admin.audit_trail(learner["id"]) == [("learnerUpdate", "Priya Raman"), ("learnerEnrol", "Priya Raman")]
    assert await admin.audit_trail(induction["id"]) == [
        ("sessionComplete", "Priya Raman"),
        ("sessionBook", "Priya Raman"),
    ]
    assert await admin.audit_trail(aim["id"]) == [("aimAdd", "Priya Raman")]
    aim = await assessor.mutate("aimUpdate", id=aim["id"], input={"status": "SUSPENDED"})
    assert (aim["status"], aim["trafficLight"]) == ("SUSPENDED", "NOT_RATED")
    assert (await assessor.kpis())["onTrackCount"] == before["onTrackCount"]


async def test_an_assessor_invites_a_manager_who_sees_allocated_learners(clients: Clients, post: Post):
    assessor, colleague = await clients("assessor"), await clients("colin.marsden")
    invited = {"name": "Noor Malik", "email": "noor.malik@harbour.example", "role": "EMPLOYER_MANAGER"}
    assert await assessor.user_errors("userInvite", input={**invited, "role": "ASSESSOR"}) == {
        "input.role": "NOT_ALLOWED"
    }
    user = await assessor.mutate("userInvite", input=invited)
    manager = await accept_invitation(clients, post, "noor.malik@harbour.example")
    assert await names(manager) == set()

    maya = await learner_id(assessor, "Maya Thornton")
    not_theirs = (await colleague.data("{ learners { nodes { id } } }"))["learners"]["nodes"][0]["id"]
    allocation = {"userId": user["id"], "learnerIds": [maya, not_theirs]}
    assert await assessor.user_errors("employerManagerAllocate", **allocation) == {"learnerIds.1": "NOT_FOUND"}
    assert await manager.read("Learner", maya) is None
    await assessor.mutate("employerManagerAllocate", userId=user["id"], learnerIds=[maya])
    assert await names(manager) == {"Maya Thornton"}
    seen = await manager.read("Learner", maya)
    assert (seen["uln"], "Noor Malik" in {one["name"] for one in seen["managers"]}) == (None, True)
    assert (await manager.kpis())["learnerCount"] == 1
    await assessor.mutate("employerManagerDeallocate", userId=user["id"], learnerIds=[maya])
    assert await names(manager) == set()
    assert await manager.read("Learner", maya) is None
    admin = await clients("master.admin")
    assert [action for action, _ in await admin.audit_trail(user["id"])] == [
        "employerManagerDeallocate", "employerManagerAllocate", "disclaimerAccept", "passwordReset", "userInvite"
    ]  # fmt: skip


async def test_a_master_admin_gives_an_overview_its_sites(clients: Clients, post: Post):
    admin, assessor, basic = await clients("master.admin"), await clients("assessor"), await clients("basic.admin")
    invited = {"name": "Ottilie Voss", "email": "ottilie.voss@harbour.example", "role": "EMPLOYER_OVERVIEW"}
    assert await basic.user_errors("userInvite", input=invited) == {"input.role": "NOT_ALLOWED"}
    user = await admin.mutate("userInvite", input=invited)
    overview = await accept_invitation(clients, post, "ottilie.voss@harbour.example")
    assert await names(overview) == set()

    quay = await employer_id(admin, "Harbour Cycles Quay")
    # A Basic Admin sees the user but cannot do it; an assessor does not see managers of other learners only.
    for client, expected in ((basic, {None: "NOT_ALLOWED"}), (assessor, {"userId": "NOT_FOUND"})):
        errors = await client.user_errors("employerOverviewAllocate", userId=user["id"], employerIds=[quay])
        assert errors == expected
    await admin.mutate("employerOverviewAllocate", userId=user["id"], employerIds=[quay])
    of_site = await admin.data(
        "query($id: ID!) { employer(id: $id) { learners(first: 100) { nodes { name } } } }", id=quay
    )
    assert await names(overview) == {one["name"] for one in of_site["employer"]["learners"]["nodes"]} != set()
    grants = await overview.data("{ viewer { grants { role grantedBy { name } employers { name } } } }")
    assert grants["viewer"]["grants"] == [
        {
            "role": "EMPLOYER_OVERVIEW",
            "grantedBy": {"name": "Victor Osei"},
            "employers": [{"name": "Harbour Cycles Quay"}],
        }
    ]
    await admin.mutate("employerOverviewDeallocate", userId=user["id"], employerIds=[quay])
    assert await names(overview) == set()


async def test_a_forgotten_password_is_reset_by_a_link(clients: Clients, post: Post):
    somebody = await clients.anonymous()
    for username in ("sally.pickering", "nobody.at.all"):
        assert await somebody.mutate("passwordResetRequest", username=username) == {}
    link = link_in(await post.to("sally.pickering@northmoor.example", "Choose a new"))
    sally = await clients("sally.pickering")
    # The page of the link looks the same for an invalid token.
    assert (await somebody.fetch(link)).status_code == (await somebody.fetch(f"{link}x")).status_code == 200
    form = {"token": link.partition("token=")[2], "new": CHOSEN, "again": CHOSEN}
    for wrong in ({"again": "another"}, {"new": "12345678", "again": "12345678"}, {"token": "<script>"}):
        refused = await somebody.http.post("/password", data={**form, **wrong})
        assert (refused.status_code, 'role="alert"' in refused.text, "<script>" in refused.text) == (422, True, False)
    assert (await somebody.http.post("/password", data=form)).status_code == 200
    assert (await somebody.http.post("/password", data=form)).status_code == 422
    assert (await somebody.http.post("/password", data={**form, "new": "x" * 9000})).status_code == 413
    assert (await somebody.sign_in("sally.pickering", CHOSEN))["user"]["name"] == "Sally Pickering"
    # Every other authentication session has ended.
    ended = await sally.response("{ viewer { role } }")
    assert ended["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
