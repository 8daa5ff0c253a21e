"""The table "Who may do what" of docs/behaviours.md, read from that page, and the row of each mutation.

It is independent of auth/policy.py; a test compares each cell. A mutation without a row fails a test.
"""

from domain.enums import Role
from tests.support.architecture import ROOT

# In the order of the table's columns.
COLUMNS = (
    Role.LEARNER, Role.ASSESSOR, Role.IQA, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW, Role.BASIC_ADMIN,
    Role.MASTER_ADMIN,
)  # fmt: skip

_TABLE = (ROOT / "docs/behaviours.md").read_text().partition("\n## Who may do what\n")[2].partition("\n## ")[0]

# The cell of each role, by the words of the first column: what the role may do it to. A dash: to no record.
_ROWS = {
    name: cells
    for name, *cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in _TABLE.splitlines())
    if len(cells) == len(COLUMNS)
}

# By row of the table.
MUTATIONS_OF_ROW = {
    "enrol learners, create employers": "learnerEnrol learnerUpdate aimAdd aimUpdate employerCreate employerUpdate",
    "invite users, grant and revoke roles": "userInvite roleGrant roleRevoke",
    "archive accounts": "userArchive",
    "allocate EMPLOYER_MANAGER": "employerManagerAllocate employerManagerDeallocate",
    "allocate EMPLOYER_OVERVIEW": "employerOverviewAllocate employerOverviewDeallocate",
    "provider settings": "providerSettingsUpdate",
    "upload a file, to be used": "fileUploadCreate",
    "own notification settings, second factor, signing code": "notificationSettingsUpdate "
    "pushSubscriptionAdd pushSubscriptionRemove",
    "submit evidence": "evidenceSubmit",
    "resubmit what they submitted": "evidenceResubmit",
    "map, assess, sign off criteria, return": "evidenceAssess evidenceReturn",
    "unmap, unapprove": "evidenceUnmap timeLogEntryUnapprove",
    "withdraw or retitle own evidence while nothing is signed off; an assessor, all of the case": "evidenceUpdate "
    "evidenceWithdraw",
    "sign a document or unit, in their own role's slot": "evidenceSign unitSign signatureRequestSign",
    "book, change, complete, reopen a session": "sessionBook sessionUpdate sessionComplete sessionCancel sessionReopen",
    "book and register a group": "sessionBookMany sessionCompleteMany",
    "choose units, agree hours, breaks, version change": "aimUnitsChoose aimVersionChange hoursAgree "
    "breakBegin breakUpdate breakEnd",
    "set and change actions, mark COMPLETE, reopen": "actionSet actionUpdate actionComplete actionReopen",
    "delete an action": "actionDelete",
    "respond to an action": "actionRespond",
    "add time; change or delete what is theirs and not approved": "timeLogEntryAdd timeLogEntryUpdate "
    "timeLogEntryDelete",
    "approve time": "timeLogEntryApprove",
    "confirm time (employer)": "timeLogEntryConfirm",
    "sign several documents, own slots": "signatureRequestSignMany",
    "ask a guest to sign": "guestSignatureInvite",
    "start, issue and reopen a review": "reviewStart reviewIssue reviewReopen",
    "answer and sign a review, own slot": "reviewAnswer reviewSign",
    "sampling: policy": "samplingPolicySave",
    "sampling: plan, begin, conclude, close actions": "samplingPlanMake sampleBegin sampleConclude sampleActionClose",
    "sampling: answer an action": "sampleActionAnswer",
    "request signatures": "signatureRequestCreate signatureRequestCancel",
    "add and remove resources": "resourceAdd resourceRemove",
    "remove the lost second factor of another person": "secondFactorReset",
    "edit the CV, set a photo": "cvSectionSave cvDocumentAdd cvDocumentRemove photoSet",
    "change a name or an e-mail": "userUpdate",
    "send an invitation again": "invitationResend",
    "hand over aims": "assessorHandOver",
    "message": "messageSend",
    "erase a learner, export everything about one": "learnerErase subjectAccessExport",
    "own access keys, bulk exports, schedules": "accessKeyRevoke bulkExportStart reportSchedule reportScheduleEnd "
    "reportScheduleResume",
}

# Mutations of the caller's own authentication session, which tests/auth and tests/resolvers cover.
AUTHENTICATION = {
    "login", "tokenRefresh", "passwordReset", "passwordResetRequest", "logout", "roleSwitch", "passwordChange",
    "disclaimerAccept", "secondFactorEnrol", "secondFactorConfirm", "secondFactorRemove", "signingCodeRequest",
    "accessKeyCreate",
    "loginWithProvider",
}  # fmt: skip

# Of these, what a user orders in the role in use, and ends: tests/system/journeys/test_9_bulk_exports.py covers them.
# The browser that is notified belongs to the caller's session: tests/resolvers/test_push.py covers it.
OWN_ORDERS = {
    "bulkExportStart", "reportSchedule", "reportScheduleEnd", "reportScheduleResume", "pushSubscriptionAdd",
}  # fmt: skip

ROW_OF = {mutation: row for row, mutations in MUTATIONS_OF_ROW.items() for mutation in mutations.split()}


def may(role: Role, mutation: str) -> bool:
    """Returns whether the table allows the mutation to a role, for records that the role sees."""
    return _ROWS[ROW_OF[mutation]][COLUMNS.index(role)] != "-"


def grantable(role: Role) -> set[Role]:
    """Returns the roles that a role may grant and revoke by the table."""
    cell = _ROWS["invite users, grant and revoke roles"][COLUMNS.index(role)]
    return set() if cell == "-" else set(Role) if cell == "all" else {Role(cell.removesuffix(" only"))}
