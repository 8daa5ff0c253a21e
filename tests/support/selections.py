"""What tests select of each type in a payload: everything that a change may have moved."""

PROGRESS = (
    "progress { criteriaTotal criteriaMapped criteriaSignedOff durationPercent mappedPercent signedOffPercent "
    "pastPlannedEnd }"
)
UNIT_PROGRESS = "progress { criteriaTotal criteriaMapped criteriaSignedOff mappedPercent signedOffPercent }"
OF_AIM = f"id title status trafficLight {PROGRESS} resourceCount"
OF_LEARNER = (
    f"id name trafficLight {PROGRESS} daysRemaining outstandingActionCount awaitingSignatureCount "
    "nextSession { id number status startsAt } "
    "offTheJob { requiredMinutes expectedMinutes actualMinutes actualPercent }"
)
OF_UNIT = (
    f"id number title criteriaComplete signedOff {UNIT_PROGRESS} "
    "signatures { role required signedBy { id name } statement withdrawnAt withdrawnReason }"
)
FILE = "{ id name contentType size sha256 uploadedBy { id name } }"

# By the name of the type.
SELECTIONS = {
    "UserError": "code field message",
    "BulkExport": "id operation format failure",
    "ReportSchedule": "id operation variables every format nextAt endedAt",
    "AccessKey": "id name role operations createdAt expiresAt revokedAt lastUsedAt",
    "User": "id name email lastLoginAt photo { id }",
    "Viewer": "role mustChangePassword mustAcceptDisclaimer mustSetUpSecondFactor hasSecondFactor disclaimer "
    "user { id name }",
    "Employer": "id name parent { id name } sites { id name }",
    "Learner": f"{OF_LEARNER} uln employer {{ id name }} managers {{ id name }} photo {FILE} aims {{ {OF_AIM} }} "
    f"cv {{ sections {{ name text }} documents {{ kind file {FILE} }} }}",
    "Aim": f"{OF_AIM} startDate originalStartDate startDateReason plannedEndDate actualEndDate outcome unitsToChoose "
    f"assessor {{ id name }} iqa {{ id name }} learner {{ {OF_LEARNER} }} qualification {{ id title }}",
    "ProviderSettings": "trafficLightTolerance ratedFromPercent reviewIntervalWeeks unitSignatures reviewSignatures "
    "disclaimer requireSecondFactor reminderEveryDays",
    "Download": "url expiresAt",
    "FileUpload": "fileId url expiresAt headers { name value }",
    "Evidence": "id title description status declaredOwnWork feedback pointsForImprovement assessmentMethods "
    f"file {FILE} versions {{ number comment file {FILE} }} signatures {{ role signedBy {{ id name }} signedAt }} "
    f"mappings {{ signedOff criterion {{ id code status evidenceCount unit {{ {OF_UNIT} }} }} }} "
    f"aim {{ {OF_AIM} }} learner {{ {OF_LEARNER} }} submittedBy {{ id name }} action {{ id status }} "
    "assessedBy { id name } assessedAt returnedAt withdrawnReason",
    "Unit": f"{OF_UNIT} confirmationStatement criteria {{ id code status evidenceCount }} "
    f"aim {{ {OF_AIM} learner {{ {OF_LEARNER} }} }}",
    "Session": f"id number type status startsAt endsAt location planningNotes feedback files {FILE} "
    f"hasOutstandingActions assessor {{ id name }} aims {{ {OF_AIM} }} learner {{ {OF_LEARNER} }} "
    "actions { id status overdue }",
    "Action": f"id kind title description targetDate status overdue acceptsEvidence files {FILE} learnerFeedback "
    "minutesSpent learnerSubmittedAt completedBy { id name } completedAt session { id hasOutstandingActions } "
    f"aim {{ id }} evidence {{ id status }} learner {{ {OF_LEARNER} }}",
    "TimeLogEntry": "id date activityType jobSetting minutes comments automatic approvedBy { id name } approvedAt "
    f"aim {{ id }} unit {{ id number }} assessor {{ id name }} session {{ id }} learner {{ {OF_LEARNER} }}",
    "SignatureRequest": f"id title status awaitingViewer document {FILE} requestedBy {{ id name }} "
    f"slots {{ role signedBy {{ id name }} signedAt documentSha256 statement guestEmail withdrawnAt }} "
    f"learner {{ {OF_LEARNER} }}",
    "Review": "id number status heldOn coversFrom employerAttendance previousActions { id title } actions { id title } "
    f"figures {{ trafficLight outstandingActionCount {PROGRESS} offTheJob {{ requiredMinutes expectedMinutes "
    "actualMinutes loggedMinutes excluded { reason minutes } lastLearningOn monthsWithoutLearning "
    "policy { minimumHours } } } "
    "answers { role answeredBy { id name } progressSinceLast concerns changesToPlan nextSteps } "
    "slots { role signedBy { id name } signedAt documentSha256 statement withdrawnAt withdrawnReason } "
    f"document {FILE} updatedAt session {{ id review {{ id }} }} learner {{ id name }}",
    "SamplingPolicy": "aimsPercent unitsPercent firstUnitsOfNewAssessor",
    "Sample": "id plannedFor status outcome snapshotSha256 assessor { id name } iqa { id name } "
    "unit { id number signedOff samples { id status } signatures { role signedAt withdrawnAt withdrawnReason } "
    "criteria { id status } } "
    "findings { criterion { id code } evidence { id title } valid authentic current sufficient comment } "
    "actions { id description answer answeredBy { id } answeredAt closedAt }",
    "Resource": f"id title file {FILE}",
}
