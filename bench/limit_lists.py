"""LIMIT's lists: a learner's plan and evidence library, an assessor's inbox, an employer's diary and tasks.

The bench runs `python -m bench.limit_lists DATABASE PORT`, which serves the other screens of LIMIT too.
"""

import base64
import datetime as dt
import json
import sys
from collections.abc import Iterable
from typing import Any

import asyncpg
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.signed_urls import DOWNLOAD, SignedUrls
from bench import limit_lists_sql as sql
from bench.limit import LONDON, Limit, respond

_LINK_LIFETIME = dt.timedelta(minutes=5)
_TASK_TITLES = {
    "SIGN_DOCUMENT": "Sign the document: ", "SIGN_UNIT": "Sign the unit: ", "SIGN_REVIEW": "Sign progress review ",
    "ANSWER_REVIEW": "Write your part of progress review ", "RESUBMIT_EVIDENCE": "Improve the evidence: ",
}  # fmt: skip
_SUBJECTS = {
    "SIGN_DOCUMENT": "SignatureRequest", "SIGN_UNIT": "Unit", "SIGN_REVIEW": "Review", "ANSWER_REVIEW": "Review",
    "RESUBMIT_EVIDENCE": "Evidence",
}  # fmt: skip


class LimitLists(Limit):
    """The handlers of the lists."""

    def __init__(self, database: str, port: int) -> None:
        super().__init__(database)
        self._links, self._address = SignedUrls(self._key), f"http://127.0.0.1:{port}"
        self.app.router.routes += [
            Route("/plan/{learner:int}", self.plan),
            Route("/library/{learner:int}", self.library),
            Route("/inbox", self.inbox),
            Route("/diary", self.diary),
            Route("/tasks", self.tasks),
        ]

    async def plan(self, request: Request) -> Response:
        learner, now = request.path_params["learner"], dt.datetime.now(dt.UTC)
        today = now.astimezone(LONDON).date()
        async with self._pool.acquire() as connection:
            viewer = await self._viewer(connection, request)
            found = await connection.fetch(sql.SESSIONS, viewer["user_id"], viewer["provider_id"], learner, 21)
            if not found:
                return respond({"learner": None})
            sessions = [session for session in found[:20] if session["id"] is not None]
            keys = [session["id"] for session in sessions]
            actions = await connection.fetch(sql.ACTIONS, keys)
            files = _by_owner(await connection.fetch(sql.FILES_OF_SESSIONS, keys))
            of_actions = _by_owner(await connection.fetch(sql.FILES_OF_ACTIONS, [action["id"] for action in actions]))
        expires_at = (now + _LINK_LIFETIME).replace(microsecond=0)
        who = {"user": viewer["user_id"], "role": viewer["role"], "signIn": viewer["sign_in_id"]}
        by_session: dict[int, list[dict]] = {key: [] for key in keys}
        outstanding: set[int] = set()
        for action in actions:
            if is_open := action["status"] != "COMPLETE" and action["aim_status"] != "WITHDRAWN":
                outstanding.add(action["session_id"])
            by_session[action["session_id"]].append(
                {
                    "id": f"Action_{action['id']}", "kind": action["kind"], "title": action["title"],
                    "description": action["description"], "targetDate": action["target_date"],
                    "status": action["status"],
                    "overdue": is_open and not action["on_break"] and action["target_date"] < today,
                    "learnerFeedback": action["learner_feedback"], "minutesSpent": action["minutes_spent"],
                    "acceptsEvidence": action["accepts_evidence"],
                    "files": [_named("File", *file) for file in of_actions.get(action["id"], ())],
                }
            )  # fmt: skip

        def linked(file: tuple[int, str]) -> dict:
            link = self._links.sign(DOWNLOAD, {"file": file[0], **who}, expires_at)
            download = {"url": f"{self._address}/downloads/{link}", "expiresAt": expires_at}
            return {**_named("File", *file), "download": download}

        nodes = [
            {
                "id": f"Session_{session['id']}", "number": session["number"], "type": session["type"],
                "status": session["status"], "startsAt": session["starts_at"], "endsAt": session["ends_at"],
                "planningNotes": session["planning_notes"], "feedback": session["feedback"],
                "hasOutstandingActions": session["id"] in outstanding,
                "assessor": _named("User", session["assessor_id"], session["assessor_name"]),
                "files": [linked(file) for file in files.get(session["id"], ())],
                "actions": by_session[session["id"]],
            }
            for session in sessions
        ]  # fmt: skip
        last = ("number", sessions[-1]["number"], keys[-1]) if sessions else None
        return respond(
            {
                "learner": {
                    "id": f"Learner_{learner}",
                    "sessions": {"pageInfo": _page_info(len(found) > 20, last), "nodes": nodes},
                }
            }
        )

    async def library(self, request: Request) -> Response:
        learner = request.path_params["learner"]
        async with self._pool.acquire() as connection:
            viewer = await self._viewer(connection, request)
            found = await connection.fetch(sql.LIBRARY, viewer["user_id"], viewer["provider_id"], learner, 51)
            if not found:
                return respond({"learner": None})
            evidence = [each for each in found[:50] if each["id"] is not None]
            keys = [each["id"] for each in evidence]
            mappings = await connection.fetch(sql.MAPPINGS, keys)
            signatures = await connection.fetch(sql.SIGNATURES, keys)
        mapped: dict[int, list[dict]] = {key: [] for key in keys}
        for piece, aim, criterion, code, signed_off in mappings:
            mapped[piece].append(
                {"signedOff": signed_off, "criterion": {"id": f"Criterion_{aim}.{criterion}", "code": code}}
            )
        signed: dict[int, list[dict]] = {key: [] for key in keys}
        for piece, role, at, user, name in signatures:
            signed[piece].append({"role": role, "signedAt": at, "signedBy": _named("User", user, name)})
        nodes = [
            {
                "id": f"Evidence_{each['id']}", "title": each["title"], "description": each["description"],
                "status": each["status"], "submittedAt": each["submitted_at"], "assessedAt": each["assessed_at"],
                "feedback": each["feedback"], "pointsForImprovement": each["points_for_improvement"],
                "submittedBy": _named("User", each["submitted_by_id"], each["submitted_by"]),
                "aim": {"id": f"Aim_{each['aim_id']}", "title": each["aim_title"]},
                "file": {
                    "id": f"File_{each['file_id']}", "name": each["file_name"], "contentType": each["content_type"],
                    "size": each["size"],
                },
                "mappings": mapped[each["id"]], "signatures": signed[each["id"]],
            }
            for each in evidence
        ]  # fmt: skip
        last = ("submitted_desc", evidence[-1]["submitted_at"].isoformat(), keys[-1]) if evidence else None
        return respond(
            {
                "learner": {
                    "id": f"Learner_{learner}",
                    "name": found[0]["learner_name"],
                    "evidence": _list(found[0]["total"], len(found) > 50, last, nodes),
                }
            }
        )

    async def inbox(self, request: Request) -> Response:
        today = dt.datetime.now(LONDON).date()
        async with self._pool.acquire() as connection:
            viewer = await self._viewer(connection, request)
            found = await connection.fetch(sql.INBOX, viewer["user_id"], viewer["provider_id"], 101)
        assessor = _named("User", viewer["user_id"], viewer["name"])
        nodes = [
            {
                "id": f"Evidence_{each['id']}", "title": each["title"], "status": each["status"],
                "submittedAt": each["submitted_at"],
                "daysWaiting": (today - each["latest_at"].astimezone(LONDON).date()).days,
                "aim": {
                    "id": f"Aim_{each['aim_id']}", "title": each["aim_title"], "startDate": each["start_date"],
                    "status": each["aim_status"], "assessor": assessor,
                },
                "learner": {
                    "id": f"Learner_{each['learner_id']}", "name": each["learner_name"], "uln": each["uln"],
                    "employer": None if each["employer_id"] is None
                    else _named("Employer", each["employer_id"], each["employer_name"]),
                },
            }
            for each in found[:100]
        ]  # fmt: skip
        last = ("submitted", found[:100][-1]["submitted_at"].isoformat(), found[:100][-1]["id"]) if found else None
        return respond({"evidenceLibrary": _list(_total(found), len(found) > 100, last, nodes)})

    async def diary(self, request: Request) -> Response:
        starts_from = dt.datetime.fromisoformat(request.query_params["from"])
        async with self._pool.acquire() as connection:
            viewer = await self._viewer(connection, request)
            found = await connection.fetch(sql.DIARY, viewer["user_id"], viewer["provider_id"], starts_from, 51)
        nodes = [
            {
                "id": f"Session_{each['id']}", "type": each["type"], "startsAt": each["starts_at"],
                "endsAt": each["ends_at"], "location": each["location"], "assessor": {"name": each["assessor_name"]},
                "learner": _named("Learner", each["learner_id"], each["learner_name"]),
            }
            for each in found[:50]
        ]  # fmt: skip
        last = ("starts_at", found[:50][-1]["starts_at"].isoformat(), found[:50][-1]["id"]) if found else None
        return respond({"sessions": _list(_total(found), len(found) > 50, last, nodes)})

    async def tasks(self, request: Request) -> Response:
        now = dt.datetime.now(dt.UTC)
        async with self._pool.acquire() as connection:
            viewer = await self._viewer(connection, request)
            signs_units = "EMPLOYER_OVERVIEW" in viewer["unit_signatures"]
            scope = viewer["user_id"], viewer["provider_id"], viewer["learner_id"], signs_units, now
            counts = dict(map(tuple, await connection.fetch(sql.TASK_COUNTS, *scope)))
            found = await connection.fetch(sql.TASKS, *scope, 51)
        nodes = []
        for task in found[:50]:
            kind, subject = task["kind"], task["subject"]
            key = "{}.{}".format(*divmod(subject, 2**24)) if kind == "SIGN_UNIT" else subject
            nodes.append(
                {
                    "id": f"Task_{task['key']}", "kind": kind, "title": _TASK_TITLES[kind] + task["name"],
                    "dueOn": None, "waitingSince": task["since"],
                    "learner": _named("Learner", task["learner"], task["learner_name"]),
                    "subject": {"__typename": _SUBJECTS[kind], "id": f"{_SUBJECTS[kind]}_{key}"},
                }
            )  # fmt: skip
        last = ("urgency", found[:50][-1]["urgency"], found[:50][-1]["key"]) if found else None
        kinds = (*_SUBJECTS, "CONFIRM_TIME")
        total = sum(counts.get(kind, 0) for kind in _SUBJECTS)
        return respond(
            {
                "viewer": {
                    "taskCounts": [{"kind": kind, "count": counts.get(kind, 0)} for kind in kinds],
                    "tasks": _list(total, len(found) > 50, last, nodes),
                }
            }
        )


def _named(entity: str, key: int, name: str) -> dict:
    return {"id": f"{entity}_{key}", "name": name}


def _by_owner(files: Iterable[asyncpg.Record]) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = {}
    for owner, key, name in files:
        found.setdefault(owner, []).append((key, name))
    return found


def _total(rows: list[asyncpg.Record]) -> int:
    return rows[0]["total"] if rows else 0


def _list(total: int, has_more: bool, last: tuple[Any, ...] | None, nodes: list[dict]) -> dict:
    return {"totalCount": total, "pageInfo": _page_info(has_more, last), "nodes": nodes}


def _page_info(has_more: bool, last: tuple[Any, ...] | None) -> dict:
    if last is None:
        return {"hasNextPage": False, "endCursor": None}
    text = json.dumps(last, ensure_ascii=False, separators=(",", ":"))
    return {"hasNextPage": has_more, "endCursor": base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")}


if __name__ == "__main__":
    name, port = sys.argv[1], int(sys.argv[2])
    uvicorn.run(LimitLists(name, port).app, host="127.0.0.1", port=port, access_log=False, log_level="warning")
