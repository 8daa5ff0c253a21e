"""The files of deploy/: their own programs accept them, and requests and sockets pass through both proxies."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.architecture import ROOT
from tests.support.demo_server import Demo
from tests.support.reverse_proxies import DEPLOY, HAPROXY, NGINX, haproxy, nginx
from tests.support.server_process import free_port, server_process
from tests.support.socket_client import connected

PROXIES = [
    pytest.param(haproxy, id="haproxy", marks=pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed")),
    pytest.param(nginx, id="nginx", marks=pytest.mark.skipif(NGINX is None, reason="nginx is not installed")),
]
COMPOSE = (DEPLOY / "compose.yaml").read_text()
ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.parametrize("proxy", PROXIES)
async def test_a_proxy_passes_requests_and_sockets(demo: Demo, tmp_path: Path, proxy: Any) -> None:
    url = await demo.copied("sqlite", tmp_path)
    async with server_process(url, tmp_path) as server, proxy([server.port, free_port()], tmp_path) as address:
        async with (
            server.signed_in("master.admin") as person,
            httpx2.AsyncClient(base_url=address, timeout=30) as client,
        ):
            token = f"Bearer {person.tokens['accessToken']}"
            # Half of them would fail, if the proxy did not notice that the second process does not run.
            for _ in range(4):
                answer = await client.post(
                    "/graphql", json={"query": "{ viewer { role } }"}, headers={"authorization": token}
                )
                assert answer.json()["data"] == {"viewer": {"role": "MASTER_ADMIN"}}
            init = {"type": "connection_init", "payload": {"authorization": token}}
            async with connected(int(address.rpartition(":")[2]), init, origin=address) as socket:
                query = "subscription { learnerChanged { id } }"
                await socket.send({"id": "1", "type": "subscribe", "payload": {"query": query}})
                learner = (await person.data("{ learners(first: 1) { nodes { id } } }"))["learners"]["nodes"][0]["id"]
                change = (
                    'mutation($id: ID!) { learnerUpdate(id: $id, input: { name: "New Name" }) { errors { code } } }'
                )
                await person.data(change, id=learner)
                received = await socket.receive()
                assert received["payload"]["data"] == {"learnerChanged": {"id": learner}}


@pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed")
def test_haproxy_accepts_its_file_without_settings() -> None:
    done = subprocess.run([HAPROXY, "-c", "-f", DEPLOY / "haproxy.cfg"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")
@pytest.mark.parametrize("name", ["waymark@.service", "waymark.service", "waymark.socket"])
def test_systemd_accepts_a_unit(tmp_path: Path, name: str) -> None:
    for each in DEPLOY.glob("waymark*.s*"):
        text = each.read_text().replace("/srv/waymark/waymark/.venv/bin/python", "/bin/true")
        (tmp_path / each.name).write_text(text)
    done = subprocess.run([ANALYZE, "verify", "--man=no", tmp_path / name], capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (0, "")


@pytest.mark.parametrize("name", ["waymark@.service", "waymark.service"])
def test_a_unit_starts_with_the_machine_and_is_closed(name: str) -> None:
    unit = (DEPLOY / name).read_text().splitlines()
    assert {
        "WantedBy=multi-user.target", "Restart=always", "StartLimitIntervalSec=0", "LimitNOFILE=65536", "UMask=0077",
        "NoNewPrivileges=true", "ProtectSystem=strict", "CapabilityBoundingSet=", "SystemCallFilter=@system-service",
    } <= set(unit)  # fmt: skip
    [after] = [line for line in unit if line.startswith("After=")]
    assert {"network-online.target", "postgresql.service"} <= set(after.removeprefix("After=").split())
    # As long as the server takes: it drains, then finishes what runs within 25 s.
    [stop] = [int(line.partition("=")[2]) for line in unit if line.startswith("TimeoutStopSec=")]
    assert stop > 5 + 25


def test_the_image_copies_files_that_exist_and_runs_without_root() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    for source in re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE):
        assert (ROOT / source).exists(), source
    last = text[text.rindex("FROM ") :]
    assert "\nUSER waymark\n" in last and json.loads(last.partition("ENTRYPOINT ")[2].splitlines()[0])[1:] == [
        "server.py"
    ]
    assert os.readlink(ROOT / ".dockerignore") == ".containerignore"


def test_the_compose_file_mounts_what_exists_and_holds_no_secret() -> None:
    for source in re.findall(r"\[\"(\./[^:]+):", COMPOSE):
        assert (DEPLOY / source).is_file(), source
    secrets = re.findall(r"(\w*(?:PASSWORD|SECRET_KEYS)\w*): (\S+)", COMPOSE)
    assert len(secrets) >= 3 and all(value.startswith("${") for _, value in secrets)
    assert "127.0.0.1:8025:8025" in COMPOSE
