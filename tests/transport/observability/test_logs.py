"""The log of a server with successful and failing requests: no secrets, and no personal data."""

import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from db.database import Database
from db.models.employer import Employer
from db.models.evidence import Evidence
from db.models.learner import Learner
from db.models.user import User
from tests.support.architecture import ROOT
from tests.support.demo_server import Demo
from tests.support.http_server import PASSWORD
from tests.support.server_process import ServerProcess, server_process

MARK = "Ottoline Featherstonehaugh"


async def use(server: ServerProcess) -> list[str]:
    """Sends valid and invalid requests; returns the secrets that they contained."""
    secrets = [PASSWORD, "a wrong password 7"]
    async with server.signed_in("learner") as ada, server.signed_in("master.admin") as master:
        secrets += [
            token for person in (ada, master) for token in (person.tokens["accessToken"], person.tokens["refreshToken"])
        ]
        me = (await ada.data("{ viewer { learner { id name aims { id status } } } }"))["viewer"]["learner"]
        aim = next(one["id"] for one in me["aims"] if one["status"] == "IN_TRAINING")
        file_id = await ada.upload(f"{MARK}.txt", "text/plain", MARK.encode())
        download = await ada.data("query($id: ID!) { node(id: $id) { ... on File { download { url } } } }", id=file_id)
        link = download["node"]["download"]["url"].rsplit("/", 1)[1]
        secrets.append(link)
        assert (await ada.http.get(f"/downloads/{link}")).status_code == 200
        submit = "mutation($input: EvidenceSubmitInput!) { evidenceSubmit(input: $input) { errors { code } } }"
        input = {"aimId": aim, "fileId": file_id, "title": MARK, "description": MARK, "declareOwnWork": True}
        await ada.data(submit, input={**input, "password": "a wrong password 7"})
        await ada.data(submit, input={**input, "password": PASSWORD})
        # Operations that are rejected in different ways: the log must not quote them.
        await ada.response(f'query Mine {{ learners(filter: {{ search: "{MARK}" }}) {{ nodes {{ nope }} }} }}')
        await ada.response("query($first: Int!) { learners(first: $first) { nodes { id } } }", first=MARK)
        await ada.response(f'{{ node(id: "{MARK}") {{ id }} }}')
        await ada.http.post("/graphql", content=f'{{"query": "{MARK}', headers={"content-type": "application/json"})
        await ada.http.get(f"/{MARK}?token={MARK}")
        await ada.http.get(f"/downloads/{link[:-2]}xx")
        await master.data("mutation($id: ID!) { subjectAccessExport(learnerId: $id) { errors { code } } }", id=me["id"])
    await _fail_to_sign_in(server)
    return secrets


async def _fail_to_sign_in(server: ServerProcess) -> None:
    async with server.anonymous() as stranger:
        wrong = {"username": "ottoline@example.org", "password": "a wrong password 7"}
        await stranger.response(
            "mutation($input: LoginInput!) { login(input: $input) { errors { code } } }", input=wrong
        )
        stranger.http.headers["authorization"] = f"Bearer {MARK.replace(' ', '')}"
        assert (await stranger.post("{ viewer { role } }")).status_code == 401
    async with httpx2.AsyncClient(base_url=server.address) as client:
        await client.request("BREW", "/graphql", content=MARK.encode())


async def test_no_secret_and_nothing_personal_is_logged(demo: Demo, backend: str, tmp_path: Path) -> None:
    url = await demo.copied(backend, tmp_path)
    async with server_process(url, tmp_path) as server:
        secrets = await use(server)
        server.terminate()
        await server.stopped()
        text = (tmp_path / f"server-{server.port}.log").read_text()
        events = {line["event"] for line in server.log()}
    assert {"started", "operation", "request", "stopping"} <= events
    database = Database(url)
    async with database.snapshot() as session:
        people = (await session.scalars(select(User))).all()
        ulns = (await session.scalars(select(Learner.uln).where(Learner.uln.is_not(None)))).all()
        titles = (await session.scalars(select(Evidence.title).distinct())).all()
        sites = (await session.scalars(select(Employer.name))).all()
    await database.close()
    personal = {MARK, "Ottoline", "ottoline", "Featherstonehaugh", *ulns, *titles, *sites}
    personal |= {value for user in people for value in (user.name, user.email, user.password_hash)}
    for word in [*secrets, *sorted(filter(None, personal))]:
        assert not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text), word


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a device that is always full")
def test_what_is_logged_on_a_full_disk_is_lost_and_nothing_fails() -> None:
    script = """
import structlog, sys
from transport.observability.logs import set_up
set_up()
for number in range(1000):
    structlog.get_logger().info("operation", number=number)
sys.stderr.write("went on")
"""
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, cwd=ROOT, check=False
        )
    assert b"went on" in ended.stderr, ended.stderr
