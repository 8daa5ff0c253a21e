"""The table "Who may do what" of docs/behaviours.md, written a second time, and the row of each mutation.

It is independent of auth/policy.py; a test compares each cell. A mutation without a row fails a test.
"""

from domain.enums import Role

# In the order of the table's columns.
COLUMNS = (
    Role.LEARNER, Role.ASSESSOR, Role.IQA, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW, Role.BASIC_ADMIN,
    Role.MASTER_ADMIN,
)  # fmt: skip

# A role may do it to the records that it sees; a dash: to no record.
TABLE = """
enrol learners, create employers                    | -   | yes  | -      | -         | -    | yes | yes
invite users, grant and revoke roles                | -   | EMPLOYER_MANAGER | - | -   | -    | EMPLOYER_MANAGER | all
archive accounts, as taking every role away         | -   | -    | -      | -         | -    | -   | all
allocate EMPLOYER_MANAGER                           | -   | case | -      | -         | -    | all | all
allocate EMPLOYER_OVERVIEW                          | -   | -    | -      | -         | -    | -   | all
provider settings                                   | -   | -    | -      | -         | -    | -   | all
upload a file, to be used                           | yes | yes  | yes    | yes       | yes  | yes | yes
submit evidence                                     | own | case | -      | allocated | site | -   | -
resubmit what they submitted                        | own | own  | -      | own       | own  | -   | -
map, assess, sign off criteria, return              | -   | case | -      | -         | -    | -   | -
unmap, unapprove                                    | -   | case | -      | -         | -    | -   | -
withdraw or retitle own evidence; a case's, all     | own | case | -      | own       | own  | -   | -
sign a document or unit, in their own role's slot   | own | case | sample | allocated | site | -   | -
book, change, complete a session                    | -   | case | -      | -         | -    | all | all
choose units, agree hours, breaks, version change   | -   | case | -      | -         | -    | all | all
book and register a group                           | -   | case | -      | -         | -    | all | all
set and change actions, mark COMPLETE, reopen       | -   | case | -      | -         | -    | -   | all
delete an action                                    | -   | case | -      | -         | -    | -   | all
respond to an action                                | own | case | -      | -         | -    | -   | -
add time; change or delete what is theirs           | own | case | -      | -         | -    | all | all
approve time                                        | -   | case | -      | -         | -    | -   | -
confirm time (employer)                             | -   | -    | -      | allocated | site | -   | -
sign several documents, own slots                   | own | case | sample | allocated | site | -   | -
start and issue a review; reopen it                 | -   | case | -      | -         | -    | -   | -
answer and sign a review, own slot                  | own | case | -      | allocated | site | -   | -
sampling: policy                                    | -   | -    | -      | -         | -    | -   | all
sampling: plan, conclude, close actions             | -   | -    | own    | -         | -    | -   | all
sampling: answer an action                          | -   | case | -      | -         | -    | -   | all
ask for signatures                                  | -   | case | -      | -         | -    | all | all
ask a guest to sign                                 | -   | case | -      | -         | -    | all | all
add resources                                       | -   | add  | -      | -         | -    | -   | add
own notification settings                           | yes | yes  | yes    | yes       | yes  | yes | yes
remove the lost second factor of another person      | -   | -    | -      | -         | -    | -   | all
edit the CV, set a photo                            | own | -    | -      | -         | -    | -   | -
change the own name; of others, name and e-mail     | own | case | own    | own       | own  | yes | all
send an invitation again                            | -   | case | -      | -         | -    | yes | all
hand over aims                                      | -   | -    | -      | -         | -    | all | all
message                                             | yes | yes  | -      | yes       | yes  | yes | yes
erase a learner, export everything about one        | -   | -    | -      | -         | -    | -   | all
own access keys, bulk exports, schedules            | yes | yes  | yes    | yes       | yes  | yes | yes
"""

_ROWS = {
    line.split("|")[0].strip(): [cell.strip() for cell in line.split("|")[1:]] for line in TABLE.strip().splitlines()
}

MUTATIONS_OF_ROW = {
    "enrol learners, create employers": "learnerEnrol learnerUpdate aimAdd aimUpdate employerCreate employerUpdate",
    "invite users, grant and revoke roles": "userInvite roleGrant roleRevoke",
    "archive accounts, as taking every role away": "userArchive",
    "allocate EMPLOYER_MANAGER": "employerManagerAllocate employerManagerDeallocate",
    "allocate EMPLOYER_OVERVIEW": "employerOverviewAllocate employerOverviewDeallocate",
    "provider settings": "providerSettingsUpdate",
    "upload a file, to be used": "fileUploadCreate",
    "own notification settings": "notificationSettingsUpdate pushSubscriptionAdd pushSubscriptionRemove",
    "submit evidence": "evidenceSubmit",
    "resubmit what they submitted": "evidenceResubmit",
    "map, assess, sign off criteria, return": "evidenceAssess evidenceReturn",
    "unmap, unapprove": "evidenceUnmap timeLogEntryUnapprove",
    "withdraw or retitle own evidence; a case's, all": "evidenceUpdate evidenceWithdraw",
    "sign a document or unit, in their own role's slot": "evidenceSign unitSign signatureRequestSign",
    "book, change, complete a session": "sessionBook sessionUpdate sessionComplete sessionCancel sessionReopen",
    "book and register a group": "sessionBookMany sessionCompleteMany",
    "choose units, agree hours, breaks, version change": "aimUnitsChoose aimVersionChange hoursAgree "
    "breakBegin breakUpdate breakEnd",
    "set and change actions, mark COMPLETE, reopen": "actionSet actionUpdate actionComplete actionReopen",
    "delete an action": "actionDelete",
    "respond to an action": "actionRespond",
    "add time; change or delete what is theirs": "timeLogEntryAdd timeLogEntryUpdate timeLogEntryDelete",
    "approve time": "timeLogEntryApprove",
    "confirm time (employer)": "timeLogEntryConfirm",
    "sign several documents, own slots": "signatureRequestSignMany",
    "ask a guest to sign": "guestSignatureInvite",
    "start and issue a review; reopen it": "reviewStart reviewIssue reviewReopen",
    "answer and sign a review, own slot": "reviewAnswer reviewSign",
    "sampling: policy": "samplingPolicySave",
    "sampling: plan, conclude, close actions": "samplingPlanMake sampleBegin sampleConclude sampleActionClose",
    "sampling: answer an action": "sampleActionAnswer",
    "ask for signatures": "signatureRequestCreate signatureRequestCancel",
    "add resources": "resourceAdd resourceRemove",
    "remove the lost second factor of another person": "secondFactorReset",
    "edit the CV, set a photo": "cvSectionSave cvDocumentAdd cvDocumentRemove photoSet",
    "change the own name; of others, name and e-mail": "userUpdate",
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
    return set() if cell == "-" else set(Role) if cell == "all" else {Role(cell)}
