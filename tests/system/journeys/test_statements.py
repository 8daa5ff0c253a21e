"""How many SQL statements each mutation and each query of the contract sends, including the read of the viewer.

A statement more is a change of this table, which somebody reads. BEGIN counts on SQLite, where it is one.
"""

from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from db.models.audit_event import AuditEvent
from tests.support.client import SCHEMA, HttpClient
from tests.support.http_server import PASSWORD, Clients
from tests.support.lookup import DIPLOMA, STANDARD, aim_of, criteria, learner_id
from tests.support.smtp_server import Post
from tests.support.statement_counter import Meter, every_mutation, sent

# Mutation -> statements on SQLite, on PostgreSQL.
MUTATIONS: dict[str, tuple[int, int]] = {
    "accessKeyCreate": (16, 12),
    "accessKeyRevoke": (8, 5),
    "bulkExportStart": (11, 8),
    "reportSchedule": (9, 6),
    "reportScheduleEnd": (8, 5),
    "reportScheduleResume": (10, 7),
    "actionComplete": (8, 5),
    "actionDelete": (13, 10),
    "actionReopen": (8, 5),
    "actionRespond": (8, 5),
    "actionSet": (15, 12),
    "actionUpdate": (8, 5),
    "aimAdd": (26, 23),
    "aimUnitsChoose": (16, 13),
    "aimUpdate": (16, 13),
    "aimVersionChange": (34, 31),
    "assessorHandOver": (18, 13),
    "breakBegin": (15, 12),
    "breakEnd": (16, 13),
    "breakUpdate": (15, 12),
    "cvDocumentAdd": (11, 8),
    "cvDocumentRemove": (9, 6),
    "cvSectionSave": (9, 6),
    "disclaimerAccept": (10, 7),
    "employerCreate": (9, 6),
    "employerManagerAllocate": (13, 10),
    "employerManagerDeallocate": (11, 8),
    "employerOverviewAllocate": (12, 9),
    "employerOverviewDeallocate": (10, 7),
    "employerUpdate": (11, 8),
    "evidenceAssess": (19, 16),
    "evidenceResubmit": (18, 15),
    "evidenceReturn": (14, 11),
    "evidenceSign": (18, 14),
    "evidenceSubmit": (18, 14),
    "evidenceUnmap": (21, 18),
    "evidenceUpdate": (11, 8),
    "evidenceWithdraw": (15, 12),
    "fileUploadCreate": (7, 5),
    "guestSignatureInvite": (20, 17),
    "hoursAgree": (11, 8),
    "invitationResend": (15, 12),
    "learnerEnrol": (17, 14),
    # On SQLite four of them empty the write-ahead log, after the commit.
    "learnerErase": (77, 74),
    "learnerUpdate": (9, 6),
    "login": (16, 12),
    # The first one, which links the account: four requests to the identity provider besides.
    "loginWithProvider": (28, 22),
    "logout": (7, 4),
    "messageSend": (10, 8),
    "notificationSettingsUpdate": (7, 4),
    "pushSubscriptionAdd": (9, 6),
    "pushSubscriptionRemove": (8, 5),
    "passwordChange": (20, 16),
    "passwordReset": (17, 14),
    "passwordResetRequest": (3, 2),
    "photoSet": (11, 8),
    "providerSettingsUpdate": (8, 5),
    "resourceAdd": (12, 9),
    "resourceRemove": (8, 5),
    "reviewAnswer": (11, 8),
    "reviewIssue": (34, 29),
    "reviewReopen": (14, 11),
    "reviewSign": (18, 14),
    "reviewStart": (12, 9),
    "roleGrant": (9, 6),
    "roleRevoke": (11, 8),
    "roleSwitch": (13, 10),
    "sampleActionAnswer": (12, 9),
    "sampleActionClose": (13, 10),
    "sampleBegin": (10, 9),
    "sampleConclude": (20, 17),
    "samplingPlanMake": (27, 12),
    "samplingPolicySave": (8, 5),
    "secondFactorConfirm": (17, 14),
    "secondFactorEnrol": (17, 13),
    "secondFactorRemove": (18, 15),
    "secondFactorReset": (11, 8),
    "sessionBook": (15, 12),
    "sessionBookMany": (13, 10),
    "sessionCancel": (13, 10),
    "sessionComplete": (14, 11),
    "sessionCompleteMany": (14, 11),
    "sessionReopen": (14, 11),
    "sessionUpdate": (14, 11),
    "signatureRequestCancel": (10, 7),
    "signatureRequestCreate": (15, 11),
    "signatureRequestSign": (17, 13),
    "signatureRequestSignMany": (17, 13),
    "signingCodeRequest": (11, 8),
    "subjectAccessExport": (6, 3),
    "timeLogEntryAdd": (12, 9),
    "timeLogEntryApprove": (8, 5),
    "timeLogEntryConfirm": (8, 5),
    "timeLogEntryDelete": (9, 6),
    "timeLogEntryUnapprove": (8, 5),
    "timeLogEntryUpdate": (15, 12),
    "tokenRefresh": (9, 8),
    "unitSign": (16, 12),
    "userArchive": (14, 11),
    "userInvite": (14, 11),
    "userUpdate": (18, 14),
}

# Saved operation -> the statements that it sends once qualifications are in memory. The limits of
# `speed.md`: map 5, dashboard 5, KPIs 4.
READS = {
    "progress_map": 4, "employer_dashboard": 5, "employer_kpis": 2, "site_comparison": 3, "awaiting_signature": 5,
    "learning_plan": 6, "time_log": 5, "unit_record_sheet": 8, "learner_home": 9,
}  # fmt: skip


@pytest.fixture(scope="module")
async def counted(clients: Clients, post: Post) -> dict[str, int]:
    """Mutation -> statements."""
    return await every_mutation(clients, post)


def test_every_mutation_sends_the_expected_number_of_statements(counted: dict[str, int], backend: str):
    pinned = {name: count[backend == "postgresql"] for name, count in MUTATIONS.items()}
    assert counted == pinned
    assert set(counted) == set(SCHEMA.mutation_type.fields)  # type: ignore[union-attr]


async def test_every_mutation_leaves_an_audit_event(counted: dict[str, int], clients: Clients):
    # The demo's own events came with no request.
    actions = select(AuditEvent.action).where(AuditEvent.request_id.is_not(None)).distinct()
    async with clients.running.server.services.database.snapshot() as session:
        audited = set(await session.scalars(actions))
    # The demo's sample had begun, so that it changed nothing; a refresh changes no record, only the session's tokens.
    assert set(counted) - audited == {"sampleBegin", "tokenRefresh"}


async def test_assessing_many_criteria_sends_as_many_statements_as_one(clients: Clients):
    learner, assessor, meter = await clients("learner"), await clients("assessor"), Meter()
    aim = await aim_of(assessor, await learner_id(assessor, "Maya Thornton"), DIPLOMA)
    words = {"title": "Wheel", "description": "Built.", "declareOwnWork": True, "password": PASSWORD}
    open_, counts = criteria(aim, "NOT_STARTED"), []
    for judged in (open_[:1], open_[1:40]):
        evidence = await meter(
            learner, "evidenceSubmit", input={**words, "aimId": aim["id"], "fileId": await sent(learner)}
        )
        mappings = [{"criterionId": one, "signOff": True} for one in judged]
        await meter(
            assessor, "evidenceAssess", id=evidence, input={"mappings": mappings, "assessmentMethods": ["PRODUCT"]}
        )
        counts.append(meter.counts["evidenceAssess"])
    assert counts[0] == counts[1]


async def test_every_query_sends_the_expected_number_of_statements(clients: Clients):
    learner, assessor = await clients("learner"), await clients("assessor")
    manager, admin = await clients("employer.manager"), await clients("master.admin")
    maya = await learner_id(admin, "Maya Thornton")
    unit = (await aim_of(admin, maya, STANDARD))["units"][0]["id"]
    few: dict[str, tuple[HttpClient, dict[str, Any]]] = {
        "progress_map": (learner, {"learnerId": maya}), "employer_dashboard": (admin, {"first": 1}),
        "employer_kpis": (manager, {}), "site_comparison": (manager, {}), "awaiting_signature": (learner, {"first": 1}),
        "learning_plan": (learner, {"learnerId": maya}), "time_log": (learner, {"learnerId": maya}),
        "unit_record_sheet": (learner, {"unitId": unit}), "learner_home": (learner, {}),
    }  # fmt: skip
    many = {
        "employer_dashboard": (admin, {"first": 50}), "employer_kpis": (admin, {}), "site_comparison": (admin, {}),
        "awaiting_signature": (assessor, {"first": 50}),
    }  # fmt: skip

    async def sent_by(asked: dict[str, tuple[HttpClient, dict[str, Any]]]) -> dict[str, int]:
        found = {}
        for _ in range(2):  # The first run also fills the qualification cache.
            for name, (person, variables) in asked.items():
                with capture_logs() as logs:
                    answer = await person.http.post("/graphql", json={"documentId": name, "variables": variables})
                assert "errors" not in answer.json()
                (found[name],) = [line["statements"] for line in logs if line["event"] == "operation"]
        return found

    assert await sent_by(few) == READS
    assert await sent_by(many) == {name: READS[name] for name in many}
