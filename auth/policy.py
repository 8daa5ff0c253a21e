"""What each role may do: the table of `docs/behaviours.md`, "Who may do what".

A role may use a mutation on the records that it sees (`auth/scope.py`). Conditions on the record itself (who submitted
it, whether it is approved) are in the resolvers.
"""

from domain.enums import Role

_LEARNER, _ASSESSOR, _IQA = Role.LEARNER, Role.ASSESSOR, Role.IQA
_MANAGER, _OVERVIEW = Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW
_BASIC, _MASTER = Role.BASIC_ADMIN, Role.MASTER_ADMIN

_ENROLLING_STAFF = frozenset({_ASSESSOR, _BASIC, _MASTER})
_SUBMITTERS = frozenset({_LEARNER, _ASSESSOR, _MANAGER, _OVERVIEW})
_SIGNATORIES = frozenset({_LEARNER, _ASSESSOR, _IQA, _MANAGER, _OVERVIEW})
_BOOKING_STAFF = frozenset({_ASSESSOR, _BASIC, _MASTER})
_ACTION_SETTERS = frozenset({_ASSESSOR, _MASTER})
_TIME_LOGGERS = frozenset({_LEARNER, _ASSESSOR, _BASIC, _MASTER})
_ASSESSOR_ONLY = frozenset({_ASSESSOR})
_MASTER_ONLY = frozenset({_MASTER})
_SAMPLERS = frozenset({_IQA, _MASTER})
_ALL_ROLES = frozenset(Role)

# The roles that may use each mutation.
MUTATIONS: dict[str, frozenset[Role]] = {
    "logout": _ALL_ROLES,
    "roleSwitch": _ALL_ROLES,
    "passwordChange": _ALL_ROLES,
    "disclaimerAccept": _ALL_ROLES,
    "secondFactorEnrol": _ALL_ROLES,
    "secondFactorConfirm": _ALL_ROLES,
    "secondFactorRemove": _ALL_ROLES,
    "signingCodeRequest": _ALL_ROLES,  # a viewer who has no password
    "notificationSettingsUpdate": _ALL_ROLES,
    "pushSubscriptionAdd": _ALL_ROLES,
    "pushSubscriptionRemove": _ALL_ROLES,  # their own
    "secondFactorReset": _MASTER_ONLY,  # another user's
    "userInvite": _ENROLLING_STAFF,  # Assessor and Basic Admin: the role EMPLOYER_MANAGER only
    "userArchive": _MASTER_ONLY,
    "userUpdate": _ALL_ROLES,  # the own name; other people's as `resolvers.user.profile` says
    "invitationResend": _ENROLLING_STAFF,  # Assessor and Basic Admin: employer managers and learners only
    "assessorHandOver": frozenset({_BASIC, _MASTER}),
    "roleGrant": _ENROLLING_STAFF,  # Assessor and Basic Admin: the role EMPLOYER_MANAGER only
    "roleRevoke": _ENROLLING_STAFF,  # Assessor and Basic Admin: the role EMPLOYER_MANAGER only
    "employerCreate": _ENROLLING_STAFF,
    "employerUpdate": _ENROLLING_STAFF,
    "employerManagerAllocate": _ENROLLING_STAFF,
    "employerManagerDeallocate": _ENROLLING_STAFF,
    "employerOverviewAllocate": _MASTER_ONLY,
    "employerOverviewDeallocate": _MASTER_ONLY,
    "learnerEnrol": _ENROLLING_STAFF,
    "learnerUpdate": _ENROLLING_STAFF,
    "aimAdd": _ENROLLING_STAFF,
    "aimUpdate": _ENROLLING_STAFF,
    "aimUnitsChoose": _BOOKING_STAFF,
    "aimVersionChange": _BOOKING_STAFF,
    "hoursAgree": _BOOKING_STAFF,
    "breakBegin": _BOOKING_STAFF,
    "breakUpdate": _BOOKING_STAFF,
    "breakEnd": _BOOKING_STAFF,
    "providerSettingsUpdate": _MASTER_ONLY,
    "accessKeyCreate": _ALL_ROLES,
    "accessKeyRevoke": _ALL_ROLES,  # their own
    "bulkExportStart": _ALL_ROLES,
    "reportSchedule": _ALL_ROLES,
    "reportScheduleEnd": _ALL_ROLES,  # their own
    "reportScheduleResume": _ALL_ROLES,  # their own
    "fileUploadCreate": _ALL_ROLES,
    "evidenceSubmit": _SUBMITTERS,
    "evidenceAssess": _ASSESSOR_ONLY,
    "evidenceReturn": _ASSESSOR_ONLY,
    "evidenceResubmit": _SUBMITTERS,  # their own submissions; learner and assessor also those of archived accounts
    "evidenceUnmap": _ASSESSOR_ONLY,
    "evidenceUpdate": _SUBMITTERS,  # their own submissions; an assessor all of the case
    "evidenceWithdraw": _SUBMITTERS,  # their own submissions; an assessor all of the case
    "evidenceSign": _SIGNATORIES,
    "unitSign": _SIGNATORIES,
    "sessionBook": _BOOKING_STAFF,
    "sessionBookMany": _BOOKING_STAFF,
    "sessionCompleteMany": _BOOKING_STAFF,
    "sessionUpdate": _BOOKING_STAFF,
    "sessionComplete": _BOOKING_STAFF,
    "sessionCancel": _BOOKING_STAFF,
    "sessionReopen": _BOOKING_STAFF,
    "actionSet": _ACTION_SETTERS,
    "actionUpdate": _ACTION_SETTERS,
    "actionRespond": frozenset({_LEARNER, _ASSESSOR}),
    "actionComplete": _ACTION_SETTERS,
    "actionReopen": _ACTION_SETTERS,
    "actionDelete": _ACTION_SETTERS,
    "timeLogEntryAdd": _TIME_LOGGERS,
    "timeLogEntryUpdate": _TIME_LOGGERS,  # a learner: their own entries only; approved entries: nobody
    "timeLogEntryDelete": _TIME_LOGGERS,  # a learner: their own entries only; approved entries: nobody
    "timeLogEntryApprove": _ASSESSOR_ONLY,
    "timeLogEntryUnapprove": _ASSESSOR_ONLY,
    "timeLogEntryConfirm": frozenset({_MANAGER, _OVERVIEW}),
    "signatureRequestCreate": _BOOKING_STAFF,
    "signatureRequestSign": _SIGNATORIES,
    "signatureRequestSignMany": _SIGNATORIES,
    "signatureRequestCancel": _BOOKING_STAFF,
    "guestSignatureInvite": _BOOKING_STAFF,
    "reviewStart": _ASSESSOR_ONLY,
    "reviewAnswer": _SUBMITTERS,
    "reviewIssue": _ASSESSOR_ONLY,
    "reviewSign": _SUBMITTERS,
    "reviewReopen": _ASSESSOR_ONLY,
    "samplingPolicySave": _MASTER_ONLY,
    "samplingPlanMake": _SAMPLERS,
    "sampleBegin": _SAMPLERS,
    "sampleConclude": _SAMPLERS,
    "sampleActionAnswer": frozenset({_ASSESSOR, _MASTER}),
    "sampleActionClose": _SAMPLERS,
    "messageSend": frozenset({_LEARNER, _ASSESSOR, _MANAGER, _OVERVIEW, _BASIC, _MASTER}),
    "resourceAdd": frozenset({_ASSESSOR, _MASTER}),
    "resourceRemove": frozenset({_ASSESSOR, _MASTER}),
    "cvSectionSave": frozenset({_LEARNER}),
    "cvDocumentAdd": frozenset({_LEARNER}),
    "cvDocumentRemove": frozenset({_LEARNER}),
    "photoSet": frozenset({_LEARNER}),
    "learnerErase": _MASTER_ONLY,
    "subjectAccessExport": _MASTER_ONLY,
}

# The roles that each role may invite, grant and revoke (employer guide).
GRANTABLE: dict[Role, frozenset[Role]] = {
    _ASSESSOR: frozenset({_MANAGER}),
    _BASIC: frozenset({_MANAGER}),
    _MASTER: _ALL_ROLES,
}


def may(role: Role, mutation: str) -> bool:
    """Returns whether a role may use a mutation; False for a mutation that is not in the table."""
    return role in MUTATIONS.get(mutation, frozenset())
