"""PostGraphile and Mercurius, with a Node 22 that npm installs. They are left out if npm cannot install them."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg

from bench.postgres import SUPERUSER, Postgres
from bench.screens import ScreenRequest, normalize
from bench.servers import HERE, Server, encode_post, free_port, peer_operation, peer_variables

PEERS = HERE / "peers"
_INSTALL_TIMEOUT_SECONDS = 600


def node_servers(postgres: Postgres, database: str, folder: Path, log: Callable[[str], None]) -> list[Server]:
    """Returns both servers, not started. Returns none, and logs why, if they cannot be installed."""
    installed = _install(folder / "node", log)
    if installed is None:
        return []
    asyncio.run(_make_views(postgres, database))
    node = str(installed / "node_modules" / ".bin" / "node")

    def server(
        name: str, file: str, encode: Callable[[ScreenRequest], bytes], normalize: Callable[[str, Any], Any]
    ) -> Server:
        port = free_port()
        command = [node, str(installed / file), str(postgres.sockets), database, str(port)]
        environment = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}
        return Server(
            name, command, environment, port, encode, normalize, screens=("map", "dashboard"), checks_access=False
        )

    return [
        server("PostGraphile", "postgraphile.js", _encode_postgraphile, _normalize_postgraphile),
        server("Mercurius", "mercurius.js", _encode_mercurius, normalize),
    ]


def versions(folder: Path) -> dict[str, str]:
    """Returns the versions of the installed packages by name."""
    found = {}
    for name in ("node", "postgraphile", "mercurius", "graphql-jit", "fastify", "pg"):
        path = folder / "node" / "node_modules" / name / "package.json"
        if path.exists():
            found[name] = json.loads(path.read_text(encoding="utf-8"))["version"]
    return found


def _install(folder: Path, log: Callable[[str], None]) -> Path | None:
    """Copies the peers' files and installs their packages, unless they are installed already."""
    npm = shutil.which("npm")
    if npm is None:
        log("npm is not installed: PostGraphile and Mercurius are left out")
        return None
    folder.mkdir(parents=True, exist_ok=True)
    lock, stamp = PEERS / "package-lock.json", folder / "installed.json"
    for path in (PEERS / "package.json", lock, *PEERS.glob("*.js")):
        shutil.copy(path, folder / path.name)
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return folder
    log("Installing PostGraphile, Mercurius and Node 22 (once; a minute or so)")
    try:
        installation = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_INSTALL_TIMEOUT_SECONDS,
        )
        works = (
            installation.returncode == 0
            and subprocess.run([folder / "node_modules/.bin/node", "--version"]).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log(f"npm failed ({error}): PostGraphile and Mercurius are left out")
        return None
    if not works:
        log(
            "npm could not install the packages: PostGraphile and Mercurius are left out\n"
            f"{installation.stderr[-1500:]}"
        )
        return None
    shutil.copy(lock, stamp)
    return folder


async def _make_views(postgres: Postgres, database: str) -> None:
    connection = await asyncpg.connect(user=SUPERUSER, host=str(postgres.sockets), database=database)
    try:
        await connection.execute("drop schema if exists bench_graph cascade")
        await connection.execute((PEERS / "views.sql").read_text(encoding="utf-8"))
    finally:
        await connection.close()


def _encode_mercurius(request: ScreenRequest) -> bytes:
    name, text = peer_operation(request.screen, "mercurius")
    return encode_post(text, name, peer_variables(request))


def _encode_postgraphile(request: ScreenRequest) -> bytes:
    name, text = peer_operation(request.screen, "postgraphile")
    variables = {"key": str(request.learner)} if request.screen == "map" else peer_variables(request)
    return encode_post(text, name, variables)


def _normalize_postgraphile(screen: str, data: Any) -> Any:
    """Converts a response of PostGraphile to the shape of Waymark's."""
    if screen == "map":
        learner = data["learnerByKey"]
        return {"learner": {**_named(learner), "aims": [_map_aim(aim) for aim in learner["aimsByLearnerKey"]["nodes"]]}}
    page = data["learnersOf"]
    return {"learners": {"totalCount": page["totalCount"], "nodes": [_dashboard_row(each) for each in page["nodes"]]}}


def _named(row: dict[str, Any], name: str = "name") -> dict[str, Any]:
    return {"id": row["graphId"], name: row[name]}


def _map_aim(aim: dict[str, Any]) -> dict[str, Any]:
    progress = {key: aim[key] for key in ("durationPercent", "mappedPercent", "signedOffPercent")}
    units = [
        {
            **_named(unit, "title"),
            "number": unit["number"],
            "criteria": [
                {"id": each["graphId"]} | {key: each[key] for key in ("code", "description", "status", "evidenceCount")}
                for each in unit["criteriaByAimKeyAndUnitKey"]["nodes"]
            ],
        }
        for unit in aim["unitsByAimKey"]["nodes"]
    ]
    return {**_named(aim, "title"), "trafficLight": aim["trafficLight"], "progress": progress, "units": units}


def _dashboard_row(row: dict[str, Any]) -> dict[str, Any]:
    employer, session = row["employerId"], row["sessionId"]
    return {
        **_named(row),
        "lastLoginAt": row["lastLoginAt"],
        "employer": employer and {"id": employer, "name": row["employerName"]},
        "nextSession": session and {"id": session, "startsAt": row["startsAt"], "type": row["sessionType"]},
        "outstandingActionCount": row["outstanding"],
        "aims": [_dashboard_aim(aim) for aim in row["dashboardAims"]["nodes"]],
    }


def _dashboard_aim(aim: dict[str, Any]) -> dict[str, Any]:
    bars = ("durationPercent", "pastPlannedEnd", "mappedPercent", "signedOffPercent")
    assessor = aim["assessorId"]
    return {
        **_named(aim, "title"),
        "assessor": assessor and {"id": assessor, "name": aim["assessorName"]},
        "trafficLight": aim["trafficLight"],
        "progress": {key: aim[key] for key in bars},
    }
