"""PostGraphile and Mercurius, with a Node 22 of their own out of npm; left out where npm has none to give."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg

from bench.postgres import SUPERUSER, Postgres
from bench.servers import HERE, Ask, Server, free_port, peer_operation, peer_variables, post, read_data

PEERS = HERE / "peers"
_INSTALL_SECONDS = 600


def node_servers(postgres: Postgres, database: str, folder: Path, say: Callable[[str], None]) -> list[Server]:
    """Both servers, not started; none, and a word why, where Node cannot be had."""
    installed = _install(folder / "node", say)
    if installed is None:
        return []
    asyncio.run(_make_views(postgres, database))
    node = str(installed / "node_modules" / ".bin" / "node")

    def server(name: str, file: str, raw: Callable[[Ask], bytes], read: Callable[[str, Any], Any]) -> Server:
        port = free_port()
        command = [node, str(installed / file), str(postgres.sockets), database, str(port)]
        environment = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}
        return Server(name, command, environment, port, raw, read, screens=("map", "dashboard"), guarded=False)

    return [
        server("PostGraphile", "postgraphile.js", _raw_postgraphile, _read_postgraphile),
        server("Mercurius", "mercurius.js", _raw_mercurius, read_data),
    ]


def versions(folder: Path) -> dict[str, str]:
    """What is installed, by its name."""
    found = {}
    for name in ("node", "postgraphile", "mercurius", "graphql-jit", "fastify", "pg"):
        path = folder / "node" / "node_modules" / name / "package.json"
        if path.exists():
            found[name] = json.loads(path.read_text(encoding="utf-8"))["version"]
    return found


def _install(folder: Path, say: Callable[[str], None]) -> Path | None:
    """Puts the peers' files and what they need there; done already, it takes no time."""
    npm = shutil.which("npm")
    if npm is None:
        say("npm is not installed: PostGraphile and Mercurius are left out")
        return None
    folder.mkdir(parents=True, exist_ok=True)
    lock, stamp = PEERS / "package-lock.json", folder / "installed.json"
    for path in (PEERS / "package.json", lock, *PEERS.glob("*.js")):
        shutil.copy(path, folder / path.name)
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return folder
    say("Installing PostGraphile, Mercurius and Node 22 (once; a minute or so)")
    try:
        made = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
        works = (
            made.returncode == 0 and subprocess.run([folder / "node_modules/.bin/node", "--version"]).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"npm did not get through ({error}): PostGraphile and Mercurius are left out")
        return None
    if not works:
        say(f"npm could not install them: PostGraphile and Mercurius are left out\n{made.stderr[-1500:]}")
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


def _raw_mercurius(ask: Ask) -> bytes:
    name, text = peer_operation(ask.screen, "mercurius")
    return post(text, name, peer_variables(ask))


def _raw_postgraphile(ask: Ask) -> bytes:
    name, text = peer_operation(ask.screen, "postgraphile")
    return post(text, name, {"key": str(ask.learner)} if ask.screen == "map" else peer_variables(ask))


def _read_postgraphile(screen: str, data: Any) -> Any:
    """From views to the contract's shape."""
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
