"""What each role may do, as one table to be read beside `docs/behaviours.md`, Who may do what.

Which records a role may do it to is what it may see (`auth/scope.py`): a learner their own, an assessor their case, an IQA
their sample, an Employer Manager the learners allocated to them, an Employer Overview those of their sites, admins all.
What hangs on the record besides (who submitted it, whether it is approved) is said beside the resolver.
"""

from domain.enums import Role

_LEARNER, _ASSESSOR, _IQA = Role.LEARNER, Role.ASSESSOR, Role.IQA
_MANAGER, _OVERVIEW = Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW
_BASIC, _MASTER = Role.BASIC_ADMIN, Role.MASTER_ADMIN

_STAFF_WHO_ENROL = frozenset({_ASSESSOR, _BASIC, _MASTER})
_WHO_SUBMIT = frozenset({_LEARNER, _ASSESSOR, _MANAGER, _OVERVIEW})
_WHO_SIGN = frozenset({_LEARNER, _ASSESSOR, _IQA, _MANAGER, _OVERVIEW})
_WHO_BOOK = frozenset({_ASSESSOR, _BASIC, _MASTER})
_WHO_SET_ACTIONS = frozenset({_ASSESSOR, _MASTER})
_WHO_LOG_TIME = frozenset({_LEARNER, _ASSESSOR, _BASIC, _MASTER})
_ASSESSOR_ALONE = frozenset({_ASSESSOR})
_MASTER_ALONE = frozenset({_MASTER})
_EVERYBODY = frozenset(Role)

# Mutation -> the roles that may use it.
MUTATIONS: dict[str, frozenset[Role]] = {
    "logout": _EVERYBODY,
    "roleSwitch": _EVERYBODY,
    "passwordChange": _EVERYBODY,
    "disclaimerAccept": _EVERYBODY,
    "userInvite": _STAFF_WHO_ENROL,  # Assessor and Basic Admin: EMPLOYER_MANAGER only
    "userArchive": _MASTER_ALONE,
    "roleGrant": _STAFF_WHO_ENROL,  # Assessor and Basic Admin: EMPLOYER_MANAGER only
    "roleRevoke": _STAFF_WHO_ENROL,  # Assessor and Basic Admin: EMPLOYER_MANAGER only
    "employerCreate": _STAFF_WHO_ENROL,
    "employerUpdate": _STAFF_WHO_ENROL,
    "employerManagerAllocate": _STAFF_WHO_ENROL,
    "employerManagerDeallocate": _STAFF_WHO_ENROL,
    "employerOverviewAllocate": _MASTER_ALONE,
    "employerOverviewDeallocate": _MASTER_ALONE,
    "learnerEnrol": _STAFF_WHO_ENROL,
    "learnerUpdate": _STAFF_WHO_ENROL,
    "aimAdd": _STAFF_WHO_ENROL,
    "aimUpdate": _STAFF_WHO_ENROL,
    "providerSettingsUpdate": _MASTER_ALONE,
    "fileUploadCreate": _EVERYBODY,
    "evidenceSubmit": _WHO_SUBMIT,
    "evidenceAssess": _ASSESSOR_ALONE,
    "evidenceReturn": _ASSESSOR_ALONE,
    "evidenceResubmit": _WHO_SUBMIT,  # what they submitted themselves
    "evidenceSign": _WHO_SIGN,
    "unitSign": _WHO_SIGN,
    "sessionBook": _WHO_BOOK,
    "sessionUpdate": _WHO_BOOK,
    "sessionComplete": _WHO_BOOK,
    "sessionCancel": _WHO_BOOK,
    "actionSet": _WHO_SET_ACTIONS,
    "actionUpdate": _WHO_SET_ACTIONS,
    "actionRespond": frozenset({_LEARNER, _ASSESSOR}),
    "actionComplete": _WHO_SET_ACTIONS,
    "actionReopen": _WHO_SET_ACTIONS,
    "timeLogEntryAdd": _WHO_LOG_TIME,
    "timeLogEntryUpdate": _WHO_LOG_TIME,  # a learner: what is theirs; nobody: what is approved
    "timeLogEntryDelete": _WHO_LOG_TIME,  # a learner: what is theirs; nobody: what is approved
    "timeLogEntryApprove": _ASSESSOR_ALONE,
    "signatureRequestCreate": _WHO_BOOK,
    "signatureRequestSign": _WHO_SIGN,
    "signatureRequestCancel": _WHO_BOOK,
    "messageSend": frozenset({_LEARNER, _ASSESSOR, _MANAGER, _OVERVIEW, _BASIC, _MASTER}),
    "resourceAdd": frozenset({_ASSESSOR, _MASTER}),
    "resourceRemove": frozenset({_ASSESSOR, _MASTER}),
    "cvSectionSave": frozenset({_LEARNER}),
    "cvDocumentAdd": frozenset({_LEARNER}),
    "learnerErase": _MASTER_ALONE,
    "subjectAccessExport": _MASTER_ALONE,
}

# What an assessor and a Basic Admin may invite, grant and revoke; a Master Admin everything [000].
GRANTABLE: dict[Role, frozenset[Role]] = {
    _ASSESSOR: frozenset({_MANAGER}),
    _BASIC: frozenset({_MANAGER}),
    _MASTER: _EVERYBODY,
}


def may(role: Role, mutation: str) -> bool:
    """Whether a role may use a mutation at all; one that is not in the table, nobody."""
    return role in MUTATIONS.get(mutation, frozenset())
