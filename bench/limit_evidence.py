"""LIMIT for writes, continued: evidence is submitted with a signature, and assessed.

As in `bench.limit_writes`, the rows, sums, history and audit event are those of the mutation. The day's row of an aim
is written by the statement of `db.history`: it is SQL alone, and long. The bench runs
`python -m bench.limit_evidence DATABASE PORT` with BENCH_SOCKETS and BENCH_KEY in the environment.
"""

import asyncio
import datetime as dt
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import orjson
import uvicorn
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy.dialects.postgresql import asyncpg as driver
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.limit import respond
from bench.limit_writes import LimitWrites, day_number
from db.compiled_select import CompiledSelect
from db.history.daily_rows import _adding_noted_aims
from domain.text import fold_words

_ATTEMPT = """
with locked as (select pg_advisory_xact_lock(hashtext($1))),
recent as (
    select count(*) as number from wrong_guess, locked
    where subject = $1 and at > $2::timestamptz - interval '5 minutes'
)
insert into wrong_guess (subject, at) select $1, $2 from recent where number < 10 returning id
"""
_PASSWORD = "select password_hash from user_account where id = $1 and archived_at is null"
_AIM = """
select a.id, a.learner_id from aim a join learner l on l.id = a.learner_id
where a.id = $1 and l.user_id = $2 and a.provider_id = $3
"""
_UPLOAD = """
select id, sha256 from file
where id = $1 and provider_id = $2 and uploaded_by_id = $3 and learner_id is null and uploaded_at is not null
  and erased_at is null
for no key update
"""
_ATTACH = "update file set learner_id = $2, aim_id = $3 where id = $1"
_SUBMIT = """
insert into evidence (provider_id, learner_id, aim_id, title, description, search_text, status, file_id,
                      declared_own_work, submitted_by_id, submitted_at, assessment_methods, updated_at, version)
values ($1, $2, $3, $4, $5, $6, 'SUBMITTED', $7, $8, $9, $10, '[]', $10, 1) returning id
"""
_VERSION = """
insert into evidence_version (provider_id, learner_id, evidence_id, number, file_id, submitted_by_id, submitted_at)
values ($1, $2, $3, 1, $4, $5, $6)
"""
_SIGN = """
insert into evidence_signature (provider_id, learner_id, evidence_id, version_number, role, signed_by_id, signed_at,
                                statement, file_sha256)
values ($1, $2, $3, 1, $4, $5, $6, $7, $8)
"""
_SUBMITTED = """
select id, status from evidence
where id = $1 and provider_id = $2 and learner_id in (select id from learner where user_id = $3)
"""

_LOCKED_AIM = """
select a.id, a.learner_id, a.qualification_id from aim a
where a.id = (select aim_id from evidence where id = $1) and a.assessor_id = $2 and a.provider_id = $3
for no key update
"""
_LOCKED_EVIDENCE = "select id, status from evidence where id = $1 for no key update"
_CRITERIA = """
select c.id, c.unit_id, m.id is not null as is_mapped
from qualification_criterion c
join qualification_unit u on u.id = c.unit_id
left join evidence_mapping m on m.evidence_id = $3 and m.criterion_id = c.id
where c.qualification_id = $1 and c.id = any($2::bigint[])
  and (u.mandatory or exists (select from aim_unit x where x.aim_id = $4 and x.unit_id = u.id))
"""
_PROGRESS = """
insert into criterion_progress as p (aim_id, criterion_id, provider_id, learner_id, unit_id, evidence_count, signed_off,
                                     signed_off_by_id, signed_off_at)
select $1, c, $2, $3, u, added, true, $4, $5
from unnest($6::bigint[], $7::bigint[], $8::int[]) as given (c, u, added) order by c
on conflict on constraint pk_criterion_progress do update set
    evidence_count = p.evidence_count + excluded.evidence_count, signed_off = true,
    signed_off_by_id = case when p.signed_off then p.signed_off_by_id else excluded.signed_off_by_id end,
    signed_off_at = case when p.signed_off then p.signed_off_at else excluded.signed_off_at end
"""
_MAP = """
insert into evidence_mapping (provider_id, learner_id, evidence_id, aim_id, unit_id, criterion_id, signed_off,
                              mapped_by_id, mapped_at)
select $1, $2, $3, $4, u, c, true, $5, $6 from unnest($7::bigint[], $8::bigint[]) as given (c, u)
"""
_MAP_AGAIN = """
update evidence_mapping set signed_off = true
where evidence_id = $1 and criterion_id = any($2::bigint[]) and not signed_off
"""
_WITHDRAW = """
update unit_signature set withdrawn_at = $3, withdrawn_reason = 'New evidence was mapped to the unit.'
where aim_id = $1 and unit_id = any($2::bigint[]) and withdrawn_at is null returning id
"""
_ASSESS = """
update evidence set status = 'ASSESSED', assessment_methods = $2, feedback = $3, assessed_by_id = $4, assessed_at = $5,
                    version = version + 1
where id = $1
"""
_SUMS = """
with units as (
    select u.id, u.criterion_count from aim a join qualification_unit u on u.qualification_id = a.qualification_id
    where a.id = $1
      and (u.mandatory or exists (select from aim_unit x where x.aim_id = a.id and x.unit_id = u.id))
),
reached as (
    select count(*) filter (where evidence_count > 0 or signed_off) as mapped,
           count(*) filter (where signed_off) as signed_off
    from criterion_progress where aim_id = $1 and unit_id in (select id from units)
)
update aim_progress set criteria_total = (select coalesce(sum(criterion_count), 0) from units),
                        criteria_mapped = reached.mapped, criteria_signed_off = reached.signed_off
from reached where aim_id = $1
"""
_ASSESSED = """
select e.id, e.status from evidence e join aim a on a.id = e.aim_id
where e.id = $1 and a.assessor_id = $2 and e.provider_id = $3
"""
_ADDING: Any = _adding_noted_aims("postgresql", ("aims",))
_HISTORY = CompiledSelect(_ADDING, driver.dialect())


class LimitEvidence(LimitWrites):
    """The handlers of the two writes."""

    def __init__(self, database: str) -> None:
        super().__init__(database)
        # The memory and passes of a hash are stored with it.
        self._hasher, self._hashing = PasswordHasher(), ThreadPoolExecutor(2, "hashing")
        self.app.router.routes += [
            Route("/submit", self.submit, methods=["POST"]),
            Route("/assess", self.assess, methods=["POST"]),
        ]

    async def _is_confirmed(self, connection: asyncpg.Connection, viewer: asyncpg.Record, password: str) -> bool:
        """Counts the attempt, compares the password off the event loop, and takes the attempt back."""
        now = dt.datetime.now(dt.UTC)
        async with connection.transaction():
            attempt = await connection.fetchval(_ATTEMPT, f"session:{viewer['sign_in_id']}", now)
        stored = await connection.fetchval(_PASSWORD, viewer["user_id"])
        if attempt is None:
            return False
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._hashing, self._hasher.verify, stored, password)
        except VerifyMismatchError:
            return False
        await connection.execute("delete from wrong_guess where id = $1", attempt)
        return True

    async def submit(self, request: Request) -> Response:
        sent = orjson.loads(await request.body())
        async with self._pool.acquire() as connection:
            viewer = await self._viewer(connection, request)
            user, provider = viewer["user_id"], viewer["provider_id"]
            if not await self._is_confirmed(connection, viewer, sent["password"]):
                return Response(status_code=403)
            now = dt.datetime.now(dt.UTC)
            async with connection.transaction():
                aim = await connection.fetchrow(_AIM, sent["aim"], user, provider)
                file = await connection.fetchrow(_UPLOAD, sent["file"], provider, user)
                if aim is None or file is None or not sent["ownWork"]:
                    return Response(status_code=400)
                title, description, learner = sent["title"].strip(), sent["description"].strip(), aim["learner_id"]
                await connection.execute(_ATTACH, file["id"], learner, aim["id"])
                evidence = await connection.fetchval(
                    _SUBMIT, provider, learner, aim["id"], title, description, fold_words(title, description),
                    file["id"], True, user, now,
                )  # fmt: skip
                await connection.execute(_VERSION, provider, learner, evidence, file["id"], user, now)
                statement = f"I declare that “{title}” is the learner's own work."
                await connection.execute(
                    _SIGN, provider, learner, evidence, viewer["role"], user, now, statement, file["sha256"]
                )
                event = await self._audit(
                    connection, request, viewer, now, "evidenceSubmit", "Evidence", evidence, learner, aim["id"],
                    {"confirmed_by": "password", "file": file["id"]},
                )  # fmt: skip
            self._sealer.add(provider, event, learner, ["EVIDENCE"])
            stored = await connection.fetchrow(_SUBMITTED, evidence, provider, user)
        answered = {"id": f"Evidence_{stored['id']}", "status": stored["status"]}
        return respond({"evidenceSubmit": {"evidence": answered, "refusals": []}})

    async def assess(self, request: Request) -> Response:
        sent, now = orjson.loads(await request.body()), dt.datetime.now(dt.UTC)
        async with self._pool.acquire() as connection:
            viewer = await self._viewer(connection, request)
            user, provider = viewer["user_id"], viewer["provider_id"]
            async with connection.transaction():
                aim = await connection.fetchrow(_LOCKED_AIM, sent["evidence"], user, provider)
                evidence = await connection.fetchrow(_LOCKED_EVIDENCE, sent["evidence"])
                if aim is None or evidence["status"] == "WITHDRAWN":
                    return Response(status_code=400)
                criteria = await connection.fetch(
                    _CRITERIA, aim["qualification_id"], sent["criteria"], evidence["id"], aim["id"]
                )
                if len(criteria) != len(set(sent["criteria"])):
                    return Response(status_code=400)
                learner, withdrawn = aim["learner_id"], 0
                new = [(each["id"], each["unit_id"]) for each in criteria if not each["is_mapped"]]
                await connection.execute(
                    _PROGRESS, aim["id"], provider, learner, user, now, [each["id"] for each in criteria],
                    [each["unit_id"] for each in criteria], [int(not each["is_mapped"]) for each in criteria],
                )  # fmt: skip
                if len(new) < len(criteria):
                    await connection.execute(_MAP_AGAIN, evidence["id"], sent["criteria"])
                if new:
                    keys, units = ([*each] for each in zip(*new, strict=True))
                    await connection.execute(_MAP, provider, learner, evidence["id"], aim["id"], user, now, keys, units)
                    withdrawn = len(await connection.fetch(_WITHDRAW, aim["id"], units, now))
                await connection.execute(_ASSESS, evidence["id"], '["OBSERVATION"]', sent["feedback"], user, now)
                await connection.execute(_SUMS, aim["id"])
                history = _HISTORY.arguments({"aims": [aim["id"]], "today": day_number(now)})
                await connection.execute(_HISTORY.sql, *history)
                detail = {
                    "fields": ["mappings", "assessmentMethods", "status", "feedback"],
                    "criteria": sorted(sent["criteria"]), "signed_off": sorted(sent["criteria"]),
                    "unit_signatures_taken_back": withdrawn,
                }  # fmt: skip
                event = await self._audit(
                    connection, request, viewer, now, "evidenceAssess", "Evidence", evidence["id"], learner, aim["id"],
                    detail,
                )  # fmt: skip
            self._sealer.add(provider, event, learner, ["AIM", "EVIDENCE", *(["UNIT"] if new else [])])
            stored = await connection.fetchrow(_ASSESSED, evidence["id"], user, provider)
        answered = {"id": f"Evidence_{stored['id']}", "status": stored["status"]}
        return respond({"evidenceAssess": {"evidence": answered, "refusals": []}})


if __name__ == "__main__":
    app = LimitEvidence(sys.argv[1]).app
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning")
