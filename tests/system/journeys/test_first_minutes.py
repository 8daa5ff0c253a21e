"""The first minutes: the README's commands, a learner's first login, and a second provider."""

import asyncio
import json
import os

from tests.docs.test_readme import README, blocks
from tests.support.http_server import PASSWORD, Clients

CHOSEN = "a heron on the weir"


async def run(block: str, **environment: str) -> str:
    """Runs a block of the README in a shell, unchanged."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", block, stdout=asyncio.subprocess.PIPE, env={**os.environ, **environment}
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_the_readmes_first_query_works(clients: Clients):
    (block,) = [block for block in blocks("sh") if "curl" in block]
    answer = json.loads(await run(block, WAYMARK=clients.running.address))
    viewer = answer["data"]["viewer"]
    assert viewer["user"]["name"] == "Duncan Frame"
    assert (viewer["awaitingSignatureCount"], viewer["kpis"]["learnerCount"]) > (0, 0)
    assert min(viewer["kpis"].values()) > 0


async def test_every_user_in_the_readme_can_sign_in(clients: Clients):
    rows = [line.split("|")[1].strip(" `") for line in README.splitlines() if line.startswith("| `")]
    names = [name for name in rows if not name.startswith("WAYMARK")]
    assert len(names) == 10
    for name in names:
        await (await clients.anonymous()).sign_in(name, PASSWORD)


async def test_a_new_starter_changes_the_password_and_accepts_the_disclaimer_first(clients: Clients):
    jay = await clients.anonymous()
    viewer = await jay.sign_in("new.starter")
    assert (viewer["mustChangePassword"], viewer["mustAcceptDisclaimer"]) == (True, True)

    async def must_complete_setup() -> set[str]:
        answer = await jay.response("{ learners { totalCount } viewer { kpis { learnerCount } learner { id } } }")
        return {error["extensions"]["code"] for error in answer["errors"]}

    assert await must_complete_setup() == {"PASSWORD_CHANGE_REQUIRED"}
    upload = {"name": "a.pdf", "contentType": "application/pdf", "size": 9}
    refused = await jay.response(
        "mutation($i: FileUploadInput!) { fileUploadCreate(input: $i) { errors { code } } }", i=upload
    )
    assert refused["errors"][0]["extensions"]["code"] == "PASSWORD_CHANGE_REQUIRED"

    for new, why in ((PASSWORD, "INVALID"), ("jay.lister", "INVALID"), ("short", "INVALID"), ("12345678", "INVALID")):
        change = {"currentPassword": PASSWORD, "newPassword": new}
        assert await jay.user_errors("passwordChange", input=change) == {"input.newPassword": why}
    wrong = {"currentPassword": "not this", "newPassword": CHOSEN}
    assert await jay.user_errors("passwordChange", input=wrong) == {"input.currentPassword": "WRONG_PASSWORD"}
    old = jay.tokens["accessToken"]
    jay.use(await jay.mutate("passwordChange", input={"currentPassword": PASSWORD, "newPassword": CHOSEN}))
    gone = await jay.http.post(
        "/graphql", json={"query": "{ viewer { role } }"}, headers={"authorization": f"Bearer {old}"}
    )
    assert gone.status_code == 401

    assert await must_complete_setup() == {"DISCLAIMER_REQUIRED"}
    assert (await jay.data("{ viewer { disclaimer } }"))["viewer"]["disclaimer"]
    await jay.mutate("disclaimerAccept")
    home = await jay.data("{ viewer { learner { name aims { status trafficLight } nextSession { type } } } }")
    learner = home["viewer"]["learner"]
    assert (learner["name"], learner["nextSession"]) == ("Jay Lister", {"type": "INDUCTION"})
    assert {aim["status"] for aim in learner["aims"]} == {"AWAITING_INDUCTION"}
    assert {aim["trafficLight"] for aim in learner["aims"]} == {"NOT_RATED"}
    errors = await (await clients.anonymous()).user_errors(
        "login", input={"username": "new.starter", "password": PASSWORD}
    )
    assert errors == {"input": "WRONG_PASSWORD"}


async def test_the_second_provider_sees_nothing_of_the_first(clients: Clients):
    ruth, victor = await clients("other.provider"), await clients("master.admin")
    names = (
        "{ learners(first: 100) { nodes { name } } users(first: 100) { nodes { name } } employers { nodes { name } } }"
    )
    mine, theirs = [
        {kind: {one["name"] for one in page["nodes"]} for kind, page in (await who.data(names)).items()}
        for who in (ruth, victor)
    ]
    assert all(mine.values()) and all(theirs.values())
    # The second provider finds no user, site or count of the first, even with the same name.
    assert mine["employers"] == {"Calder Vale Wheelworks"} and not mine["employers"] & theirs["employers"]
    search = "query($s: String) { users(search: $s) { totalCount } learners(filter: { search: $s }) { totalCount } }"
    found = await ruth.data(search, s="Maya Thornton")
    assert (found["users"]["totalCount"], found["learners"]["totalCount"]) == (0, 0)
    counts = await ruth.data("{ learners { totalCount } viewer { kpis { learnerCount endedLearnerCount } } }")
    assert counts["learners"]["totalCount"] == len(mine["learners"]) == 8
    # Both ended learners have a completed aim; of the others, every one counts.
    assert counts["viewer"]["kpis"] == {"learnerCount": 6, "endedLearnerCount": 2}
    trail = await ruth.data("{ auditTrail(first: 100) { nodes { actor { name } } } }")
    actors = {line["actor"]["name"] for line in trail["auditTrail"]["nodes"] if line["actor"]}
    assert actors <= mine["users"]
