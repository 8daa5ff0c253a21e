"""LIMIT for writes: what two mutations of a learner do, by hand, each in one transaction with the same effects.

The rows, the history of logged time and the audit event are those of the mutation, without a place in the audit chain,
as the mutation leaves it; the record is read again after the commit. `bench.limit_seal` seals the event and notifies
the servers, as Waymark does, within 0.1 s. `bench.limit_evidence` serves these and the other two.
"""

import datetime as dt
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.limit import LONDON, Limit, respond
from bench.limit_seal import Sealer

_LEARNER = "select id, user_id from learner where id = $1 and user_id = $2 and provider_id = $3 for no key update"
_FIRST_START = "select min(start_date) from aim where learner_id = $1"
_MINUTES_ON = "select coalesce(sum(minutes), 0) from time_log_entry where learner_id = $1 and date = $2"
_ADD_ENTRY = """
insert into time_log_entry (provider_id, learner_id, date, activity_type, job_setting, minutes, comments, automatic,
                            added_by_id, added_at, version, exclusion)
select $1, $2, $3, $4, 'OFF_THE_JOB', $5, $6, false, $7, $8, 1,
       case when count(*) > 0 and count(*) filter (where counted) = 0 then 'WITHDRAWN_AIM'
            when bool_or(counted) and not bool_or(counted and start_date <= $3) then 'BEFORE_START'
            when bool_or(counted) and not bool_or(counted and coalesce(actual_end_date, '9999-01-01') >= $3)
                then 'AFTER_END'
            when bool_or(runs and away) and not bool_or(runs and not away) then 'ON_BREAK' end
from (
    select *, status <> 'WITHDRAWN' as counted,
           status <> 'WITHDRAWN' and start_date <= $3 and (actual_end_date is null or actual_end_date >= $3) as runs,
           exists (select 1 from aim_break b where b.aim_id = a.id and b.start_date <= $3
                       and (b.returned_on is null or b.returned_on > $3)) as away
    from aim a where learner_id = $2
) a
returning id
"""
_TIME_HISTORY = """
insert into time_history (learner_id, aim_id, day, provider_id, minutes)
select $1, coalesce(aim_id, 0), $2, $3, sum(minutes) from (
    select aim_id, case when job_setting = 'OFF_THE_JOB' and exclusion is null then minutes else 0 end as minutes
    from time_log_entry where learner_id = $1 and provider_id = $3
    union all
    select aim_id, -minutes from time_history where learner_id = $1 and provider_id = $3 and day < $2
) parts group by coalesce(aim_id, 0) having sum(minutes) <> 0
order by 2
on conflict on constraint pk_time_history do update set provider_id = excluded.provider_id, minutes = excluded.minutes
"""
_AUDIT = """
insert into audit_event (provider_id, sequence, at, actor_id, role, action, subject_type, subject_key, learner_id,
                         aim_id, detail, address, request_id, previous_hash, hash)
values ($1, -1 - currval(pg_get_serial_sequence('audit_event', 'id')), $2, $3, $12, $4, $5, $6, $7, $8, $9, $10,
        $11, '', '')
returning id
"""
_ENTRY = """
select id, date, job_setting, minutes from time_log_entry
where id = $1 and provider_id = $2 and learner_id in (select id from learner where user_id = $3)
"""
_ACTION = """
select a.id, a.learner_id, a.aim_id, a.version, a.status from action a
where a.id = $1 and a.provider_id = $2 and a.learner_id in (select id from learner where user_id = $3)
for no key update of a
"""
_RESPOND = """
update action set learner_feedback = $2, learner_submitted_at = $3, status = 'IN_PROGRESS', minutes_spent = $4,
                  version = version + 1
where id = $1
"""
_RESPONDED = """
select id, status, minutes_spent from action
where id = $1 and provider_id = $2 and learner_id in (select id from learner where user_id = $3)
"""


class LimitWrites(Limit):
    """The handlers of the two writes."""

    def __init__(self, database: str) -> None:
        super().__init__(database)
        self._sealer = Sealer()
        self.app.router.routes += [
            Route("/time-log", self.add_entry, methods=["POST"]),
            Route("/respond", self.respond_to_action, methods=["POST"]),
        ]

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        async with super()._lifespan(app), self._sealer.running(self._pool):
            yield

    async def add_entry(self, request: Request) -> Response:
        sent, now = orjson.loads(await request.body()), dt.datetime.now(dt.UTC)
        day, today = dt.date.fromisoformat(sent["date"]), now.astimezone(LONDON).date()
        async with self._pool.acquire() as connection:
            viewer = await self._viewer(connection, request)
            user, provider = viewer["user_id"], viewer["provider_id"]
            async with connection.transaction():
                learner = await connection.fetchval(_LEARNER, sent["learner"], user, provider)
                first_start = await connection.fetchval(_FIRST_START, learner)
                minutes = await connection.fetchval(_MINUTES_ON, learner, day)
                if day < first_start or day > today or minutes + sent["minutes"] > 1440:
                    return Response(status_code=400)
                entry = await connection.fetchval(
                    _ADD_ENTRY, provider, learner, day, sent["activity"], sent["minutes"], sent["comments"], user, now
                )
                await connection.execute(_TIME_HISTORY, learner, day_number(now), provider)
                event = await self._audit(
                    connection, request, viewer, now, "timeLogEntryAdd", "TimeLogEntry", entry, learner, None, {}
                )
            self._sealer.add(provider, event, learner, ["TIME_LOG"])
            stored = await connection.fetchrow(_ENTRY, entry, provider, user)
        return respond(
            {
                "timeLogEntryAdd": {
                    "timeLogEntry": {
                        "id": f"TimeLogEntry_{entry}", "date": stored["date"], "jobSetting": stored["job_setting"],
                        "minutes": stored["minutes"],
                    },
                    "refusals": [],
                }
            }
        )  # fmt: skip

    async def respond_to_action(self, request: Request) -> Response:
        sent, now = orjson.loads(await request.body()), dt.datetime.now(dt.UTC)
        async with self._pool.acquire() as connection:
            viewer = await self._viewer(connection, request)
            user, provider = viewer["user_id"], viewer["provider_id"]
            async with connection.transaction():
                action = await connection.fetchrow(_ACTION, sent["action"], provider, user)
                if action["status"] == "COMPLETE":
                    return Response(status_code=400)
                await connection.execute(_RESPOND, action["id"], sent["feedback"], now, sent["minutes"])
                detail = {"fields": ["status", "learner_feedback", "minutes_spent"]}
                event = await self._audit(
                    connection, request, viewer, now, "actionRespond", "Action", action["id"], action["learner_id"],
                    action["aim_id"], detail,
                )  # fmt: skip
            self._sealer.add(provider, event, action["learner_id"], ["ACTION"])
            stored = await connection.fetchrow(_RESPONDED, action["id"], provider, user)
        return respond(
            {
                "actionRespond": {
                    "action": {
                        "id": f"Action_{stored['id']}", "status": stored["status"],
                        "minutesSpent": stored["minutes_spent"],
                    },
                    "refusals": [],
                }
            }
        )  # fmt: skip

    async def _audit(
        self, connection: asyncpg.Connection, request: Request, viewer: asyncpg.Record, now: dt.datetime, action: str,
        subject: str, key: int, learner: int, aim: int | None, detail: dict,
    ) -> int:  # fmt: skip
        return await connection.fetchval(
            _AUDIT, viewer["provider_id"], now, viewer["user_id"], action, subject, key, learner, aim,
            json.dumps(detail), request.client.host if request.client else None, secrets.token_hex(16), viewer["role"],
        )  # fmt: skip


def day_number(now: dt.datetime) -> int:
    """Returns the number of the day in London, as the history counts days."""
    return (now.astimezone(LONDON).date() - dt.date(2000, 1, 1)).days
