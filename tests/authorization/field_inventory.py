"""Every type that a query leads to, with its fields: who may see each was thought about, or it does not stand here.

Whoever sees a record sees these of it, but `Learner.uln`, `User.email` and `User.lastLoginAt`, which
`tests/authorization/test_matrix.py` holds to their own rule. Numbers and lists are of what the viewer sees. To add a field to
the graph is to add it here, and to say in the oracle who sees it where that is not everybody who sees the record.
"""

FIELDS = {
    "Action": "acceptsEvidence aim assessor completedAt completedBy daysOverdue description evidence files id kind "
    "learner learnerFeedback learnerSubmittedAt minutesSpent overdue session status targetDate title",
    "ActionConnection": "edges nodes pageInfo totalCount",
    "ActionEdge": "cursor node",
    "Aim": "actualEndDate assessor files id iqa learner plannedEndDate progress progressMapExport qualification "
    "recordOfAchievementExport resourceCount resources startDate status title trafficLight units",
    "AuditEvent": "action actor at id role subject",
    "AuditEventConnection": "edges nodes pageInfo totalCount",
    "AuditEventEdge": "cursor node",
    "Criterion": "code description evidence evidenceCount id signedOffAt signedOffBy status unit",
    "Cv": "documents sections",
    "CvDocument": "file kind",
    "CvSection": "name text updatedAt",
    "Download": "expiresAt url",
    "Employer": "id kpis learners name parent sites",
    "EmployerConnection": "edges nodes pageInfo totalCount",
    "EmployerEdge": "cursor node",
    "Evidence": "aim assessmentMethods daysWaiting declaredOwnWork description feedback file id learner mappings "
    "pointsForImprovement signatures status submittedAt submittedBy title versions",
    "EvidenceConnection": "edges nodes pageInfo totalCount",
    "EvidenceEdge": "cursor node",
    "EvidenceMapping": "criterion mappedAt mappedBy signedOff",
    "EvidenceSignature": "role signedAt signedBy",
    "EvidenceVersion": "comment file number signatures submittedAt submittedBy",
    "File": "contentType download id name sha256 size uploadedAt uploadedBy",
    "Guide": "audience body slug title",
    "Kpis": "aheadCount aimCount awaitingAssessmentCount awaitingSignatureCount generatedAt learnerCount notRatedCount "
    "offTheJob offTrackCount onTrackCount outstandingActionCount overdueActionCount pastPlannedEndCount "
    "progress sessionsNext7Days",
    "Learner": "actions aims awaitingSignatureCount cv daysOverdue daysRemaining employer evidence id lastLoginAt "
    "lastReviewAt managers name nextSession offTheJob outstandingActionCount overdueActionCount photo progress "
    "reviewDueOn sessions signatureRequests timeLog timeLogCalendar timeLogExport trafficLight uln",
    "LearnerConnection": "edges nodes pageInfo totalCount",
    "LearnerEdge": "cursor node",
    "OffTheJob": "actualMinutes actualPercent expectedMinutes requiredMinutes",
    "PageInfo": "endCursor hasNextPage hasPreviousPage startCursor",
    "Progress": "criteriaMapped criteriaSignedOff criteriaTotal durationPercent mappedPercent pastPlannedEnd "
    "pointsAhead signedOffPercent",
    "ProviderSettings": "disclaimer ratedFromPercent reviewIntervalWeeks trafficLightTolerance unitSignatures",
    "Qualification": "criterionCount id level offTheJobHoursMinimum reference title unitCount unitFunnel version",
    "QualificationConnection": "edges nodes pageInfo totalCount",
    "QualificationEdge": "cursor node",
    "Resource": "file id title",
    "RoleGrant": "employers grantedAt grantedBy role",
    "Session": "actions aims assessor endsAt feedback files hasOutstandingActions id learner location number "
    "planningNotes startsAt status type",
    "SessionConnection": "edges nodes pageInfo totalCount",
    "SessionEdge": "cursor node",
    "SignatureRequest": "awaitingViewer document id learner requestedAt requestedBy slots status title",
    "SignatureRequestConnection": "edges nodes pageInfo totalCount",
    "SignatureRequestEdge": "cursor node",
    "SignatureSlot": "documentSha256 role signedAt signedBy",
    "TimeLogDay": "date entries minutes",
    "TimeLogEntry": "activityType aim approvedAt approvedBy assessor automatic comments date id jobSetting learner "
    "minutes session unit",
    "TimeLogEntryConnection": "edges nodes pageInfo totalCount totalMinutes",
    "TimeLogEntryEdge": "cursor node",
    "Unit": "aim confirmationStatement criteria criteriaComplete evidence id mandatory number progress signatures "
    "signedOff title",
    "UnitFunnel": "aimCount completeCount criterionCount mandatory mappedCount number signedOffCount startedCount "
    "title",
    "UnitProgress": "criteriaMapped criteriaSignedOff criteriaTotal mappedPercent signedOffPercent",
    "UnitSignature": "required role signedAt signedBy",
    "User": "email id lastLoginAt name",
    "UserConnection": "edges nodes pageInfo totalCount",
    "UserEdge": "cursor node",
    "Viewer": "awaitingSignatureCount disclaimer grants kpis learner mustAcceptDisclaimer mustChangePassword role "
    "signatureRequests user",
}
