"""The calls of mutations after which a client's cache is compared: who calls with what, and what there is before."""

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pyotp
from sqlalchemy import text, update

from db.models.provider import Provider
from db.models.user import User
from domain import clock
from domain.enums import Role
from tests.authorization.mutation_caller import PASSWORD, arguments
from tests.authorization.permission_setup import Setup
from tests.authorization.permissions import COLUMNS, may
from tests.support.http_server import RunningServer

# What somebody sees who has to accept the disclaimer first.
FIRST_STEPS = "query Screens { viewer { role mustAcceptDisclaimer mustChangePassword user { id name } } }"


@dataclass
class Case:
    """One call. `screens`: what the client shows, if that is not everything that the role sees."""

    role: Role
    variables: dict[str, Any]
    screens: str | None = None


@dataclass
class Installation:
    """The server with its records, and how to sign in."""

    setup: Setup
    running: RunningServer

    def token(self, role: Role) -> str:
        me = self.setup.user(role)
        return self.running.server.services.tokens.sign(me, role, me)

    async def mutate(self, role: Role, query: str, **variables: Any) -> dict[str, Any]:
        """Runs a mutation and returns its payload."""
        async with self.running.anonymous() as client:
            headers = {"authorization": f"Bearer {self.token(role)}"}
            body = {"query": query, "variables": variables}
            answer = (await client.http.post("/graphql", json=body, headers=headers)).json()
        [payload] = answer["data"].values()
        assert payload["errors"] == [], payload
        return payload

    async def set(self, statement: Any) -> None:
        async with self.setup.caller.crawler.database.writing() as session:
            await session.execute(statement)


async def _password(it: Installation) -> Case:
    return Case(Role.LEARNER, {"input": {"currentPassword": PASSWORD, "newPassword": "seven otters at the ford"}})


async def _disclaimer(it: Installation) -> Case:
    await it.set(update(Provider).values(disclaimer="Everything here is personal."))
    await it.set(update(User).values(disclaimer_accepted=0))
    return Case(Role.LEARNER, {}, FIRST_STEPS)


async def _enrol(it: Installation) -> Case:
    return Case(Role.ASSESSOR, {"password": PASSWORD})


async def _confirm(it: Installation) -> Case:
    enrolled = await it.mutate(
        Role.ASSESSOR, "mutation ($it: String!) { secondFactorEnrol(password: $it) { uri errors { code } } }",
        it=PASSWORD,
    )  # fmt: skip
    return Case(Role.ASSESSOR, {"code": pyotp.parse_uri(enrolled["uri"]).now()})


async def _remove(it: Installation) -> Case:
    confirmed = await it.mutate(
        Role.ASSESSOR, "mutation ($it: String!) { secondFactorConfirm(code: $it) { recoveryCodes errors { code } } }",
        it=(await _confirm(it)).variables["code"],
    )  # fmt: skip
    return Case(Role.ASSESSOR, {"code": confirmed["recoveryCodes"][0]})


async def _code(it: Installation) -> Case:
    await it.set(update(User).values(has_password=False))
    return Case(Role.ASSESSOR, {})


async def _access_key(it: Installation) -> Case:
    expires = (clock.now() + dt.timedelta(days=30)).isoformat()
    return Case(Role.MASTER_ADMIN, {"input": {"name": "Report", "expiresAt": expires, "password": PASSWORD}})


async def _unit(it: Installation) -> Case:
    """A unit whose last criterion is signed off, and that nobody has signed."""
    ids = it.setup.of("main", Role.ASSESSOR)
    aim, _, _ = ids["unitId"].removeprefix("Unit_").partition(".")
    mappings = [{"criterionId": f"Criterion_{aim}.{key}", "signOff": True} for key in (1, 2)]
    await it.mutate(
        Role.ASSESSOR,
        "mutation ($id: ID!, $it: EvidenceAssessInput!) { evidenceAssess(id: $id, input: $it) { errors { code } } }",
        id=ids["evidenceAssess.id"], it={"mappings": mappings, "assessmentMethods": ["OBSERVATION"]},
    )  # fmt: skip
    await it.set(text("DELETE FROM unit_signature"))
    return Case(Role.ASSESSOR, {"id": ids["unitId"], "password": PASSWORD})


async def _unmap(it: Installation) -> Case:
    ids = it.setup.of("main", Role.ASSESSOR)
    return Case(Role.ASSESSOR, {"id": ids["evidenceId"], "criterionIds": [ids["criterionId"]]})


async def _export(it: Installation) -> Case:
    return Case(Role.MASTER_ADMIN, {"operation": "reviews_due", "format": "CSV"})


async def _schedule(it: Installation) -> Case:
    return Case(Role.MASTER_ADMIN, {"input": {"operation": "reviews_due", "every": "WEEK", "format": "CSV"}})


async def _end_schedule(it: Installation) -> Case:
    await it.set(text("UPDATE report_schedule SET ended_at = NULL"))
    return _of_schedule(it)


async def _resume_schedule(it: Installation) -> Case:
    await it.set(text("UPDATE report_schedule SET ended_at = created_at"))
    return _of_schedule(it)


def _of_schedule(it: Installation) -> Case:
    rows, mine = it.setup.caller.crawler.rows, it.setup.scenario.users["may"].id
    [key] = [row["id"] for row in rows["report_schedule"] if row["user_id"] == mine]
    return Case(Role.MASTER_ADMIN, {"id": f"ReportSchedule_{key}"})


_BROWSER = {
    "endpoint": "https://fcm.googleapis.com/fcm/send/none", "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
}  # fmt: skip


async def _add_browser(it: Installation) -> Case:
    return Case(Role.EMPLOYER_MANAGER, {"input": _BROWSER})


async def _remove_browser(it: Installation) -> Case:
    await it.mutate(
        Role.EMPLOYER_MANAGER,
        "mutation ($it: PushSubscriptionInput!) { pushSubscriptionAdd(input: $it) { errors { code } } }", it=_BROWSER,
    )  # fmt: skip
    return Case(Role.EMPLOYER_MANAGER, {"endpoint": _BROWSER["endpoint"]})


# Mutations of one's own account, which the permission tests do not call, and those that need other records.
OWN_CASES: dict[str, Callable[[Installation], Awaitable[Case]]] = {
    "passwordChange": _password, "disclaimerAccept": _disclaimer, "secondFactorEnrol": _enrol,
    "secondFactorConfirm": _confirm, "secondFactorRemove": _remove, "signingCodeRequest": _code,
    "accessKeyCreate": _access_key, "unitSign": _unit, "evidenceUnmap": _unmap,
    "bulkExportStart": _export, "reportSchedule": _schedule, "reportScheduleEnd": _end_schedule,
    "reportScheduleResume": _resume_schedule,
    "pushSubscriptionAdd": _add_browser, "pushSubscriptionRemove": _remove_browser,
}  # fmt: skip


# SQL that brings the records into a state in which the mutation changes something.
PREPARED = {
    "accessKeyRevoke": ["UPDATE access_key SET revoked_at = NULL"],
    "breakEnd": ["UPDATE aim_break SET returned_on = NULL", "UPDATE aim SET status = 'SUSPENDED'"],
    "employerManagerAllocate": ["DELETE FROM manager_allocation"],
    "employerOverviewAllocate": ["DELETE FROM overview_allocation"],
    "reviewStart": ["DELETE FROM review_document", "DELETE FROM review_answer", "DELETE FROM review"],
    "sampleBegin": ["UPDATE sample SET status = 'PLANNED', snapshot_sha256 = NULL WHERE status = 'IN_PROGRESS'"],
    "sessionReopen": ["UPDATE session SET status = 'CANCELLED'"],
    "timeLogEntryUnapprove": [
        "UPDATE time_log_entry SET approved_at = (SELECT max(created_at) FROM aim), approved_by_id = added_by_id"
    ],
}  # fmt: skip
# Values in place of those of the permission tests.
VARIABLES: dict[str, dict[str, Any]] = {
    "notificationSettingsUpdate": {"input": {"digestHour": 7, "emailFor": [], "pushFor": []}},
    "roleGrant": {"role": "EMPLOYER_OVERVIEW"},
}


async def case_of(mutation: str, it: Installation) -> Case:
    """Returns the call of a mutation, in the first role in which it succeeds."""
    if mutation in OWN_CASES:
        return await OWN_CASES[mutation](it)
    for statement in PREPARED.get(mutation, ()):
        await it.set(text(statement))
    refused = []
    for role in (role for role in COLUMNS if may(role, mutation)):
        variables = arguments(mutation, it.setup.of("main", role), clock.today()) | VARIABLES.get(mutation, {})
        errors = await it.setup.rollback_caller.errors(it.setup.user(role), role, mutation, variables)
        if not errors:
            return Case(role, variables)
        refused.append((role, errors))
    raise AssertionError(f"{mutation} succeeds in no role: {refused}")
