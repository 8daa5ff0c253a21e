"""LIMIT: the screens without GraphQL. Starlette, asyncpg, hand-written SQL and orjson, one handler for each screen.

It checks the sign-in with the same statement as Waymark, applies the scope of an Employer Overview and returns the same
data. The bench runs `python -m bench.limit DATABASE PORT` with BENCH_SOCKETS and BENCH_KEY in the environment.
"""

import base64
import datetime as dt
import json
import os
import sys
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import asyncpg
import jwt
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench import limit_sql as sql
from db.postgres_connection import STATEMENTS_STAY

LONDON = ZoneInfo("Europe/London")
PAGE_SIZE = 100


class Connection(asyncpg.Connection):
    """A connection that the pool does not reset, because no handler changes its state."""

    def get_reset_query(self) -> str:
        return ""


class Limit:
    """The handlers, with their connection pool and the tokens verified so far."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._key = base64.b64decode(os.environ["BENCH_KEY"])
        self._verified: dict[str, dict] = {}
        self.app: Starlette = Starlette(
            routes=[
                Route("/map/{learner:int}", self.progress_map),
                Route("/dashboard", self.dashboard),
                Route("/kpis", self.kpis),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette):
        async with asyncpg.create_pool(
            user="postgres", host=os.environ["BENCH_SOCKETS"], database=self._database, min_size=16, max_size=16,
            max_inactive_connection_lifetime=0, connection_class=Connection, **STATEMENTS_STAY,
        ) as self._pool:  # fmt: skip
            yield

    def _claims(self, request: Request) -> dict:
        token = request.headers["authorization"].removeprefix("Bearer ")
        claims = self._verified.get(token)
        if claims is None:
            claims = jwt.decode(token, self._key, ["HS256"], audience="waymark-graph", issuer="waymark")
            self._verified[token] = claims
        return claims

    async def _viewer(self, connection: Connection, request: Request) -> asyncpg.Record:
        claims, now = self._claims(request), dt.datetime.now(dt.UTC)
        viewer = await connection.fetchrow(sql.SIGNED_IN, claims["sid"], int(claims["sub"]), claims["role"], now)
        if viewer is None or claims["exp"] < now.timestamp():
            raise PermissionError
        return viewer

    async def progress_map(self, request: Request) -> Response:
        learner_key, today = request.path_params["learner"], dt.datetime.now(LONDON).date()
        async with self._pool.acquire() as connection:
            viewer = await self._viewer(connection, request)
            scope = viewer["user_id"], viewer["provider_id"]
            learner = await connection.fetchrow(sql.LEARNER, *scope, learner_key)
            if learner is None:
                return respond({"learner": None})
            aims = await connection.fetch(sql.AIMS, *scope, [learner_key])
            criteria = await connection.fetch(sql.CRITERIA, [aim["id"] for aim in aims])
        aims_by_key = {}
        for aim in aims:
            duration = _duration(aim, today)
            mapped = _tenths(aim["criteria_mapped"], aim["criteria_total"])
            aims_by_key[aim["id"]] = {
                "id": f"Aim_{aim['id']}",
                "title": aim["title"],
                "trafficLight": _light(aim, mapped, duration, viewer),
                "progress": {
                    "durationPercent": duration / 10,
                    "mappedPercent": mapped / 10,
                    "signedOffPercent": _tenths(aim["criteria_signed_off"], aim["criteria_total"]) / 10,
                },
                "units": [],
            }
        current_unit: tuple[int, int] | None = None
        unit_criteria: list[dict] = []
        for aim, unit, number, title, criterion, code, description, count, signed_off in criteria:
            if (aim, unit) != current_unit:
                current_unit, unit_criteria = (aim, unit), []
                aims_by_key[aim]["units"].append(
                    {"id": f"Unit_{aim}.{unit}", "number": number, "title": title, "criteria": unit_criteria}
                )
            unit_criteria.append(
                {
                    "id": f"Criterion_{aim}.{criterion}",
                    "code": code,
                    "description": description,
                    "status": "SIGNED_OFF" if signed_off else "IN_PROGRESS" if count else "NOT_STARTED",
                    "evidenceCount": count,
                }
            )
        return respond(
            {"learner": {"id": f"Learner_{learner_key}", "name": learner["name"], "aims": list(aims_by_key.values())}}
        )

    async def dashboard(self, request: Request) -> Response:
        now = dt.datetime.now(dt.UTC)
        today, after = now.astimezone(LONDON).date(), request.query_params.get("after")
        start = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))[1:] if after else None
        async with self._pool.acquire() as connection:
            viewer = await self._viewer(connection, request)
            scope = viewer["user_id"], viewer["provider_id"]
            learners = await connection.fetch(
                sql.LEARNERS if start is None else sql.LEARNERS_AFTER, *scope, now, PAGE_SIZE + 1, *(start or ())
            )
            awaiting_signature = await connection.fetchval(sql.AWAITING_SIGNATURE, *scope)
            page = learners[:PAGE_SIZE]
            aims = await connection.fetch(sql.AIMS, *scope, [learner["id"] for learner in page])
        nodes = {learner["id"]: _dashboard_row(learner) for learner in page}
        for aim in aims:
            duration = _duration(aim, today)
            mapped = _tenths(aim["criteria_mapped"], aim["criteria_total"])
            assessor = aim["assessor_id"]
            nodes[aim["learner_id"]]["aims"].append(
                {
                    "id": f"Aim_{aim['id']}",
                    "title": aim["title"],
                    "assessor": None if assessor is None else {"id": f"User_{assessor}", "name": aim["assessor_name"]},
                    "trafficLight": _light(aim, mapped, duration, viewer),
                    "progress": {
                        "durationPercent": duration / 10,
                        "pastPlannedEnd": today > aim["planned_end_date"]
                        and aim["status"] not in ("COMPLETED", "WITHDRAWN", "SUSPENDED"),
                        "mappedPercent": mapped / 10,
                        "signedOffPercent": _tenths(aim["criteria_signed_off"], aim["criteria_total"]) / 10,
                    },
                }
            )
        end_cursor = None
        if page:
            cursor = json.dumps(
                ["name", page[-1]["sort_name"], page[-1]["id"]], ensure_ascii=False, separators=(",", ":")
            )
            end_cursor = base64.urlsafe_b64encode(cursor.encode()).decode().rstrip("=")
        return respond(
            {
                "viewer": {"awaitingSignatureCount": awaiting_signature},
                "learners": {
                    "totalCount": learners[0]["total"] if learners else 0,
                    "pageInfo": {"hasNextPage": len(learners) > PAGE_SIZE, "endCursor": end_cursor},
                    "nodes": list(nodes.values()),
                },
            }
        )

    async def kpis(self, request: Request) -> Response:
        now = dt.datetime.now(dt.UTC)
        async with self._pool.acquire() as connection:
            viewer = await self._viewer(connection, request)
            sums = await connection.fetchrow(
                sql.KPIS, viewer["user_id"], viewer["provider_id"], now.astimezone(LONDON).date(),
                round(viewer["traffic_light_tolerance"] * 10), round(viewer["rated_from_percent"] * 10),
            )  # fmt: skip
        aims, criteria = sums["aims"], sums["criteria"]
        duration = (2 * sums["duration"] + aims) // (2 * aims) if aims else 0
        return respond(
            {
                "viewer": {
                    "user": {"name": viewer["name"]},
                    "awaitingSignatureCount": sums["awaiting_signature"],
                    "kpis": {
                        "generatedAt": now,
                        "learnerCount": sums["learners"],
                        "offTrackCount": sums["off_track"],
                        "onTrackCount": aims - sums["off_track"] - sums["ahead"] - sums["not_rated"],
                        "aheadCount": sums["ahead"],
                        "pastPlannedEndCount": sums["past_end"],
                        "overdueActionCount": sums["overdue"],
                        "progress": {
                            "durationPercent": duration / 10,
                            "mappedPercent": _tenths(sums["mapped"], criteria) / 10,
                            "signedOffPercent": _tenths(sums["signed_off"], criteria) / 10,
                        },
                    },
                }
            }
        )


def _dashboard_row(learner: asyncpg.Record) -> dict:
    employer, session = learner["employer_id"], learner["session_id"]
    return {
        "id": f"Learner_{learner['id']}",
        "name": learner["name"],
        "lastLoginAt": learner["last_login_at"],
        "employer": None if employer is None else {"id": f"Employer_{employer}", "name": learner["employer_name"]},
        "nextSession": None
        if session is None
        else {"id": f"Session_{session}", "startsAt": learner["starts_at"], "type": learner["session_type"]},
        "outstandingActionCount": learner["outstanding"],
        "aims": [],
    }


def respond(data: dict) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


def _tenths(part: int, whole: int) -> int:
    if whole <= 0 or part <= 0:
        return 0
    return 1000 if part >= whole else min(max((2000 * part + whole) // (2 * whole), 1), 999)


def _duration(aim: asyncpg.Record, today: dt.date) -> int:
    start, end, since, on_break = aim["start_date"], aim["planned_end_date"], aim["break_since"], aim["days_on_break"]
    until = min(today, end)
    if since is not None:
        on_break += max((until - max(since, start)).days + 1, 0)
    return _tenths((until - start).days + 1 - on_break, (end - start).days + 1 - on_break)


def _light(aim: asyncpg.Record, mapped: int, duration: int, viewer: asyncpg.Record) -> str:
    tolerance = viewer["traffic_light_tolerance"] * 10
    if aim["status"] != "IN_TRAINING" or not aim["criteria_total"] or duration < viewer["rated_from_percent"] * 10:
        return "NOT_RATED"
    if mapped - duration <= -tolerance:
        return "OFF_TRACK"
    return "AHEAD" if mapped - duration >= tolerance else "ON_TRACK"


if __name__ == "__main__":
    uvicorn.run(Limit(sys.argv[1]).app, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning")
