"""How many SQL statements each mutation and each query of the contract sends, including the read of the viewer.

A statement more is a change of this table, which somebody reads. BEGIN counts on SQLite, where it is one.
"""

from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.client import SCHEMA, HttpClient
from tests.support.http_server import PASSWORD, Clients
from tests.support.lookup import DIPLOMA, STANDARD, aim_of, criteria, learner_id
from tests.support.smtp_server import Post
from tests.support.statement_counter import Meter, every_mutation, sent

# Mutation -> statements on SQLite, on PostgreSQL.
MUTATIONS: dict[str, tuple[int, int]] = {
    "accessKeyCreate": (16, 14),
    "accessKeyRevoke": (8, 8),
    "actionComplete": (8, 8),
    "actionDelete": (13, 13),
    "actionReopen": (8, 8),
    "actionRespond": (8, 8),
    "actionSet": (14, 14),
    "actionUpdate": (8, 8),
    "aimAdd": (24, 24),
    "aimUnitsChoose": (15, 15),
    "aimUpdate": (14, 14),
    "aimVersionChange": (32, 32),
    "assessorHandOver": (18, 16),
    "breakBegin": (15, 15),
    "breakEnd": (16, 16),
    "breakUpdate": (15, 15),
    "cvDocumentAdd": (10, 10),
    "cvDocumentRemove": (9, 9),
    "cvSectionSave": (9, 9),
    "disclaimerAccept": (10, 9),
    "employerCreate": (9, 9),
    "employerManagerAllocate": (13, 13),
    "employerManagerDeallocate": (11, 11),
    "employerOverviewAllocate": (12, 12),
    "employerOverviewDeallocate": (10, 10),
    "employerUpdate": (11, 11),
    "evidenceAssess": (19, 19),
    "evidenceResubmit": (18, 18),
    "evidenceReturn": (14, 14),
    "evidenceSign": (18, 17),
    "evidenceSubmit": (18, 17),
    "evidenceUnmap": (21, 21),
    "evidenceUpdate": (11, 11),
    "evidenceWithdraw": (15, 15),
    "fileUploadCreate": (7, 8),
    "guestSignatureInvite": (20, 20),
    "hoursAgree": (10, 10),
    "invitationResend": (15, 15),
    "learnerEnrol": (17, 17),
    # On SQLite four of them empty the write-ahead log, after the commit.
    "learnerErase": (70, 70),
    "learnerUpdate": (9, 9),
    "login": (16, 14),
    # The first one, which links the account: four requests to the identity provider besides.
    "loginWithProvider": (28, 26),
    "logout": (7, 7),
    "messageSend": (10, 11),
    "notificationSettingsUpdate": (7, 7),
    "passwordChange": (20, 19),
    "passwordReset": (17, 17),
    "passwordResetRequest": (3, 2),
    "photoSet": (10, 10),
    "providerSettingsUpdate": (8, 8),
    "resourceAdd": (11, 11),
    "resourceRemove": (8, 8),
    "reviewAnswer": (11, 11),
    "reviewIssue": (34, 32),
    "reviewReopen": (14, 14),
    "reviewSign": (18, 17),
    "reviewStart": (12, 12),
    "roleGrant": (9, 9),
    "roleRevoke": (11, 11),
    "roleSwitch": (13, 13),
    "sampleActionAnswer": (12, 12),
    "sampleActionClose": (13, 13),
    "sampleBegin": (10, 9),
    "sampleConclude": (20, 20),
    "samplingPlanMake": (27, 15),
    "samplingPolicySave": (8, 8),
    "secondFactorConfirm": (17, 16),
    "secondFactorEnrol": (17, 15),
    "secondFactorRemove": (18, 17),
    "secondFactorReset": (11, 11),
    "sessionBook": (15, 15),
    "sessionBookMany": (13, 13),
    "sessionCancel": (13, 13),
    "sessionComplete": (14, 14),
    "sessionCompleteMany": (14, 14),
    "sessionReopen": (14, 14),
    "sessionUpdate": (14, 14),
    "signatureRequestCancel": (10, 10),
    "signatureRequestCreate": (15, 14),
    "signatureRequestSign": (17, 16),
    "signatureRequestSignMany": (17, 16),
    "signingCodeRequest": (11, 10),
    "subjectAccessExport": (6, 6),
    "timeLogEntryAdd": (13, 13),
    "timeLogEntryApprove": (8, 8),
    "timeLogEntryConfirm": (8, 8),
    "timeLogEntryDelete": (9, 9),
    "timeLogEntryUnapprove": (8, 8),
    "timeLogEntryUpdate": (15, 15),
    "tokenRefresh": (9, 8),
    "unitSign": (16, 15),
    "userArchive": (14, 14),
    "userInvite": (14, 14),
    "userUpdate": (17, 16),
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
