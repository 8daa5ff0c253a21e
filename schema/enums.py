"""The enums of the schema: those of `domain/enums.py`, with a description of each value."""

from domain import enums
from schema.described_enum import described as _described

Role = _described(
    enums.Role,
    "The role in which a user acts. A login can have several roles; an access token carries exactly one of them.",
    LEARNER="An apprentice. Sees only their own portfolio.",
    ASSESSOR="Teaches learners, maps evidence to criteria and signs criteria off, for the aims of their caseload. "
    "Guides also say training adviser.",
    IQA="Internal quality assurance: checks a sample of the assessors' decisions. Never the assessor of the same aim.",
    EMPLOYER_MANAGER="A learner's manager or mentor. Sees the learners allocated to them and no others of the same "
    "employer.",
    EMPLOYER_OVERVIEW="An employer's training manager. Sees all learners of the sites allocated to them.",
    BASIC_ADMIN="A member of the training provider's office. Sees all learners, enrols them, books sessions and "
    "allocates managers.",
    MASTER_ADMIN="Manages the training provider's installation: everything that a Basic Admin does, and roles, sites "
    "and settings.",
)

AimStatus = _described(
    enums.AimStatus,
    "The state of an aim.",
    AWAITING_INDUCTION="The learner is enrolled; the induction has not taken place yet.",
    IN_TRAINING="The learner is training. Only an aim in training has a red, amber or green traffic light.",
    SUSPENDED="Training is paused: the learner is on a break in learning, and nothing about the aim is late.",
    COMPLETED="The learner has finished the aim.",
    WITHDRAWN="The learner has left the aim. No count or sum over aims includes it.",
)

KpiGroupBy = _described(
    enums.KpiGroupBy,
    "What key performance indicators are grouped by.",
    EMPLOYER="The employer site where the learner works.",
    ASSESSOR="The assessor of the aim.",
    QUALIFICATION="The qualification of the aim, in one version.",
    START_MONTH="The month in which the aim starts.",
)

ExportFormat = _described(
    enums.ExportFormat,
    "The format of a file of rows.",
    CSV="Text with commas, in UTF-8 (RFC 4180).",
    JSON="A JSON list with one object for each row.",
    PARQUET="Apache Parquet, with the type of each column: for data frames and databases.",
    XLSX="An Excel workbook with one sheet, of up to 1,048,575 rows.",
)

BulkExportStatus = _described(
    enums.BulkExportStatus,
    "How far a bulk export has come.",
    RUNNING="It waits for a server process, or is being made.",
    DONE="Its file is there.",
    FAILED="It was not made, or its file was taken away; `failure` says why.",
)

Interval = _described(
    enums.Interval,
    "How often something is shown or sent.",
    DAY="Once a day.",
    WEEK="Once a week: the week ends on Sunday.",
    MONTH="Once a calendar month.",
)

ReviewBooking = _described(
    enums.ReviewBooking,
    "Whether a learner's next formal review is booked for a day up to the one by which it is due.",
    BOOKED="It is booked for the due day or an earlier one.",
    BOOKED_TOO_LATE="It is booked for a day after the due one.",
    NOT_BOOKED="None is booked.",
)

OffTheJobExclusionReason = _described(
    enums.OffTheJobExclusionReason,
    "Why off-the-job minutes of the time log do not count towards the required hours.",
    ENGLISH_OR_MATHS="They belong to English or mathematics, which never count.",
    PROGRESS_REVIEW="They are of a formal progress review.",
    INDUCTION="They are of an induction.",
    EXAMINATION="They are of an exam.",
    BEFORE_START="The day is before the start of the aim.",
    AFTER_END="The day is after the end of the aim.",
    ON_BREAK="The day belongs to a break in learning.",
    WITHDRAWN_AIM="The aim is withdrawn.",
    GATEWAY="They are of a gateway meeting, which decides whether the learner is ready for the final assessment.",
    EXIT="They are of an exit meeting.",
)

AimOutcome = _described(
    enums.AimOutcome,
    "The result with which a learner ended an aim.",
    ACHIEVED="The learner achieved the qualification.",
    PARTLY_ACHIEVED="The learner achieved a part of it, such as some units.",
    NOT_ACHIEVED="The learner did not achieve it.",
)

QualificationKind = _described(
    enums.QualificationKind,
    "What sort of qualification an aim is measured against.",
    STANDARD="An apprenticeship standard.",
    DIPLOMA="A diploma, such as an NVQ.",
    FUNCTIONAL_SKILL="English or mathematics. Its learning does not count as off the job.",
    OTHER="Any other qualification, or one whose file does not say what it is.",
)

BreakReason = _described(
    enums.BreakReason,
    "Why a learner is on a break in learning.",
    ILLNESS="The learner is ill.",
    PARENTAL_LEAVE="Maternity, paternity, adoption or shared parental leave.",
    CARING="The learner cares for somebody.",
    EMPLOYER="Reasons of the employer, such as a move or a change of work.",
    OTHER="Any other reason.",
)

TrafficLight = _described(
    enums.TrafficLight,
    "Compares a learner's progress with the time that has passed. Amber means on track, and green means ahead.",
    OFF_TRACK="Red: behind the expected progress by the provider's tolerance or more.",
    ON_TRACK="Amber: closer to the expected progress than the tolerance.",
    AHEAD="Green: ahead of the expected progress by the tolerance or more.",
    NOT_RATED="No light: not in training, no criteria, or too little time has passed.",
)

CriterionStatus = _described(
    enums.CriterionStatus,
    "The status of a criterion on the progress map.",
    NOT_STARTED="Red: no evidence is mapped to it.",
    IN_PROGRESS="Orange: evidence is mapped to it, but it is not signed off.",
    SIGNED_OFF="Green: the assessor has signed it off.",
)

CriterionFilter = _described(
    enums.CriterionFilter,
    "Selects criteria of the progress map.",
    ALL="All criteria.",
    NON_COMPLETED="Criteria that are not signed off: red and orange. This is what is left to do.",
)

EvidenceStatus = _described(
    enums.EvidenceStatus,
    "How far the assessment of a piece of evidence has come.",
    SUBMITTED="Submitted; waits for the assessor.",
    RETURNED="The assessor has returned it with points for improvement. The learner has to resubmit it.",
    RESUBMITTED="Resubmitted with changes; waits for the assessor again.",
    ASSESSED="The assessor has assessed it and mapped it to criteria.",
    WITHDRAWN="Taken back because it should not be in the portfolio. It counts nowhere and stays readable.",
)

AssessmentMethod = _described(
    enums.AssessmentMethod,
    "How the assessor assessed a piece of evidence.",
    OBSERVATION="The assessor observed the learner at work.",
    PROFESSIONAL_DISCUSSION="A planned conversation about the learner's work.",
    PRODUCT="A product of the learner's work, such as a document or an object.",
    QUESTION_AND_ANSWER="Questions, and the learner's answers.",
    WITNESS_TESTIMONY="A statement of a person who saw the learner do the work.",
    REFLECTIVE_ACCOUNT="The learner's account of what they did and learned.",
    PERSONAL_STATEMENT="The learner's statement about how they work.",
    SIMULATION="A task in simulated working conditions.",
    PROJECT="A longer piece of work on one subject.",
    EXAM_OR_TEST="An exam or a test.",
    PRIOR_LEARNING="What the learner had learned before the programme.",
    OTHER="Any other method.",
)

SessionType = _described(
    enums.SessionType,
    "The purpose of a session.",
    INDUCTION="The first session. Training begins once the learner has attended it.",
    GENERAL="Teaching, planning or support.",
    FORMAL_REVIEW="The progress review with learner and employer, at the interval in the provider's settings.",
    TELEPHONE="A telephone call.",
    OBSERVATION="The assessor observes the learner at work.",
    WORKSHOP="Teaching in a group.",
    EXAM="An exam or a test.",
    LEARNER_SUPPORT="Support beyond the course.",
    GATEWAY="Confirms that the learner is ready for the end-point assessment, the final assessment of an "
    "apprenticeship.",
    EXIT="The last session.",
)

SessionStatus = _described(
    enums.SessionStatus,
    "Whether a session took place.",
    PLANNED="Booked.",
    ATTENDED="It took place. Its duration is in the learner's time log.",
    NOT_ATTENDED="The learner did not attend.",
    CANCELLED="It was cancelled.",
)

ActionKind = _described(
    enums.ActionKind,
    "The kind of task that was set.",
    ACTION="A single task.",
    ACTIVITY="A learning task, such as a workbook.",
)

ActionStatus = _described(
    enums.ActionStatus,
    "How far an action has come.",
    OUTSTANDING="Red: the learner has not responded to it.",
    IN_PROGRESS="Yellow: the learner has responded to it; more work may be needed.",
    COMPLETE="Green: finished, and assessed if it needs assessment. A learner cannot set this status.",
)

ActivityType = _described(
    enums.ActivityType,
    "The kind of learning that a time log entry records. It decides whether the entry counts as on or off the job, "
    "unless the entry itself says otherwise.",
    FACE_TO_FACE_SESSION="One-to-one time with the assessor; an attended session is logged automatically. Off the job "
    "by default.",
    TRAINER_LED_TRAINING="Training led by a trainer, such as day release. Off the job by default.",
    DISTANCE_LEARNING_OR_SELF_STUDY="Work on actions and workbooks, and research. Off the job by default.",
    COACHING_OR_MENTORING="Mentoring, or shadowing a colleague at work. Off the job by default.",
    TECHNICAL_EXPERIENCE_BY_DOING_MY_JOB="Learning a new task while doing the job. On the job by default.",
    REVIEW_FEEDBACK_OR_SUPPORT="Meetings, appraisals and feedback with the manager. On the job by default.",
    ASSESSMENT_OR_EXAMINATION="Reflection on exams and assessments. Off the job by default.",
)

JobSetting = _described(
    enums.JobSetting,
    "Whether learning took place in the usual work or away from it.",
    ON_THE_JOB="In the usual work.",
    OFF_THE_JOB="In paid hours away from the usual work. Each apprenticeship standard has a minimum of these hours.",
)

SignatureRequestStatus = _described(
    enums.SignatureRequestStatus,
    "Whether a document has all its signatures.",
    PENDING="At least one role has not signed yet.",
    COMPLETE="All roles of the document have signed.",
    CANCELLED="Cancelled; no more signatures are needed.",
)

CvSectionName = _described(
    enums.CvSectionName,
    "A section of a learner's CV.",
    PERSONAL_PROFILE="A short introduction of the learner.",
    EDUCATION="Schools and qualifications.",
    EMPLOYMENT="Present and past jobs.",
    SKILLS="The learner's skills.",
    INTERESTS="The learner's other interests.",
)

CvDocumentKind = _described(
    enums.CvDocumentKind,
    "The kind of a document that is kept with a CV.",
    CV="A CV as a file.",
    JOB_DESCRIPTION="The description of the learner's job.",
    COMPANY_PROFILE="A description of the employer.",
    OTHER="Any other document.",
)

ResourceBucket = _described(
    enums.ResourceBucket,
    "The list in which a file of an aim appears.",
    RESOURCES="Resources, the learning material of the aim. Their number is shown on the Resources icon.",
    FILES_FROM_COURSE="Files from Course: additional files, which are not part of that number.",
)

LearnerOrder = _described(
    enums.LearnerOrder,
    "The order of a list of learners.",
    NAME_ASC="By name, A to Z.",
    NAME_DESC="By name, Z to A.",
    PLANNED_END_ASC="By the latest planned end of the learner's aims, earliest first; learners without aims last.",
    LAST_LOGIN_DESC="By last login, most recent first; learners who have never logged in last.",
    LAST_LOGIN_ASC="By last login, longest ago first; learners who have never logged in before all others.",
    POINTS_AHEAD_ASC="By the points that the programme is ahead of the expected progress, those furthest behind first; "
    "learners without an aim in training or without criteria last.",
    REVIEW_DUE_ASC="By the day by which the next review is due, earliest first; learners without one last.",
)

UserErrorCode = _described(
    enums.UserErrorCode,
    "The kind of an error, which decides what the user can do about it.",
    INVALID="The value is not valid.",
    REQUIRED="A value is missing.",
    NOT_FOUND="The record does not exist, or the viewer may not see it.",
    NOT_ALLOWED="The viewer may see the record but may not do this.",
    CONFLICT="Another user changed the record in the meantime, or the value is already in use.",
    WRONG_PASSWORD="The password is wrong.",
    TOO_MANY_ATTEMPTS="There were too many attempts with a wrong password. Wait before the next one.",
)
