"""The graph's enums: the shared words of `domain/enums.py`, each member described for someone who has never seen an e-portfolio."""

from enum import Enum
from typing import Any

import strawberry

from domain import enums


def _described(words: type[Enum], description: str, **members: str) -> Any:
    """Makes the enum a type of the graph; every member must be described."""
    assert set(members) == set(words.__members__), f"{words.__name__}: members without a description"
    made = strawberry.enum(words, description=description)
    for value in made.__strawberry_definition__.values:
        value.description = members[value.name]
    return made


Role = _described(
    enums.Role,
    "What a signed-in person acts as. One login can hold several; a token carries exactly one.",
    LEARNER="An apprentice, who sees their own portfolio.",
    ASSESSOR="Also called the Training Adviser: teaches, maps evidence to criteria and signs criteria off, for the aims on their caseload.",
    IQA="Internal Quality Assurer: reviews the aims in their sample. Never the assessor of the same aim.",
    EMPLOYER_MANAGER="Manager or mentor at an employer: sees the learners allocated to them, and no colleague's.",
    EMPLOYER_OVERVIEW="Sees every learner of each employer site allocated to them.",
    BASIC_ADMIN="Runs the provider's day: sees every learner, enrols, books and allocates.",
    MASTER_ADMIN="Runs the provider's installation: everything a Basic Admin does, and roles, sites and settings.",
)

AimStatus = _described(
    enums.AimStatus,
    "Where a learner stands in an aim.",
    AWAITING_INDUCTION="Enrolled; the induction has not taken place.",
    IN_TRAINING="Learning. Only an aim in training is rated by a traffic light.",
    SUSPENDED="Paused, for example during a break in learning.",
    COMPLETED="Finished.",
    WITHDRAWN="Given up; counts in no number.",
)

TrafficLight = _described(
    enums.TrafficLight,
    "How far a learner is, compared with the time gone. Amber means on track, and green means ahead.",
    OFF_TRACK="Red: behind by the provider's tolerance or more.",
    ON_TRACK="Amber: within the tolerance.",
    AHEAD="Green: ahead of track by the tolerance or more.",
    NOT_RATED="Not in training, or nothing to measure.",
)

CriterionStatus = _described(
    enums.CriterionStatus,
    "How far a criterion has come on the progress map.",
    NOT_STARTED="Red: no evidence mapped.",
    IN_PROGRESS="Orange: evidence mapped, not signed off.",
    SIGNED_OFF="Green: the assessor has signed it off.",
)

CriterionFilter = _described(
    enums.CriterionFilter,
    "Which criteria of the progress map to show.",
    ALL="Every criterion.",
    NON_COMPLETED="Red and orange: everything that is left to do.",
)

EvidenceStatus = _described(
    enums.EvidenceStatus,
    "How far the assessment of a piece of evidence has come.",
    SUBMITTED="Waits for the assessor.",
    RETURNED="Points for improvement were given: the learner is asked to resubmit.",
    RESUBMITTED="Amended by the learner; waits for the assessor again.",
    ASSESSED="The assessor has mapped it to criteria.",
)

AssessmentMethod = _described(
    enums.AssessmentMethod,
    "How the assessor judged a piece of evidence.",
    OBSERVATION="The assessor watched the work being done.",
    PROFESSIONAL_DISCUSSION="A planned conversation about the work.",
    PRODUCT="Something that the work made.",
    QUESTION_AND_ANSWER="Questions and the learner's answers.",
    WITNESS_TESTIMONY="A statement by somebody who saw the work.",
    REFLECTIVE_ACCOUNT="The learner's own account of what was done and learned.",
    PERSONAL_STATEMENT="The learner's statement about their practice.",
    SIMULATION="Work done in conditions made for the purpose.",
    PROJECT="A longer piece of work.",
    EXAM_OR_TEST="An exam or a test.",
    PRIOR_LEARNING="What was learned before the programme.",
    OTHER="Any other way.",
)

SessionType = _described(
    enums.SessionType,
    "What a session (visit) is for.",
    INDUCTION="The first: attended, it begins the training.",
    GENERAL="Teaching, planning or support.",
    FORMAL_REVIEW="The progress review with learner and employer, at the provider's interval.",
    TELEPHONE="A call.",
    OBSERVATION="Watching the learner at work.",
    WORKSHOP="Teaching in a group.",
    EXAM="An exam or test.",
    LEARNER_SUPPORT="Help beyond the course.",
    GATEWAY="Whether the learner is ready for the end-point assessment.",
    EXIT="The last.",
)

SessionStatus = _described(
    enums.SessionStatus,
    "Whether a session took place.",
    PLANNED="Booked.",
    ATTENDED="It took place; its time is in the time log.",
    NOT_ATTENDED="The learner was not there.",
    CANCELLED="It was called off.",
)

ActionKind = _described(
    enums.ActionKind,
    "What was set.",
    ACTION="A single thing to do.",
    ACTIVITY="A piece of learning, such as a workbook.",
)

ActionStatus = _described(
    enums.ActionStatus,
    "How far an action has come.",
    OUTSTANDING="Red: to be done.",
    IN_PROGRESS="Yellow: the learner has responded; more may be needed.",
    COMPLETE="Green: complete, assessed where applicable, and closed. Only the assessor sets it.",
)

ActivityType = _described(
    enums.ActivityType,
    "What kind of learning a time log entry records. Each has a job setting of its own, which an entry may override.",
    FACE_TO_FACE_SESSION="Time one to one with the assessor. Off the job by default; logged automatically from an attended session.",
    TRAINER_LED_TRAINING="Day release. Off the job by default.",
    DISTANCE_LEARNING_OR_SELF_STUDY="Work on actions, workbooks, research. Off the job by default.",
    COACHING_OR_MENTORING="Mentoring or work-shadowing. Off the job by default.",
    TECHNICAL_EXPERIENCE_BY_DOING_MY_JOB="Learning a new task while doing the job. On the job by default.",
    REVIEW_FEEDBACK_OR_SUPPORT="Meetings, appraisals and feedback with the manager. On the job by default.",
    ASSESSMENT_OR_EXAMINATION="Reflecting on exams and assessments. Off the job by default.",
)

JobSetting = _described(
    enums.JobSetting,
    "Whether learning took place on or off the job.",
    ON_THE_JOB="While doing the job.",
    OFF_THE_JOB="Away from the job: what a standard asks a least number of hours of.",
)

SignatureRequestStatus = _described(
    enums.SignatureRequestStatus,
    "How far a document to sign has come.",
    PENDING="At least one role has not signed.",
    COMPLETE="Every role asked has signed.",
    CANCELLED="Withdrawn; nobody is asked any more.",
)

CvSectionName = _described(
    enums.CvSectionName,
    "A section of a CV.",
    PERSONAL_PROFILE="Who the learner is.",
    EDUCATION="Schools and qualifications.",
    EMPLOYMENT="Jobs, past and present.",
    SKILLS="What the learner can do.",
    INTERESTS="What else matters to the learner.",
)

CvDocumentKind = _described(
    enums.CvDocumentKind,
    "What a document beside the CV is.",
    CV="An uploaded CV.",
    JOB_DESCRIPTION="The learner's job description.",
    COMPANY_PROFILE="What the employer does.",
    OTHER="Any other document.",
)

ResourceBucket = _described(
    enums.ResourceBucket,
    "Where an aim's material is shown.",
    RESOURCES="Resources, which carry a count.",
    FILES_FROM_COURSE="Files from Course: additional files.",
)

LearnerOrder = _described(
    enums.LearnerOrder,
    "How a list of learners is sorted.",
    NAME_ASC="By name, A first.",
    NAME_DESC="By name, Z first.",
    PLANNED_END_ASC="By the latest planned end of their aims, the earliest first.",
    LAST_LOGIN_DESC="By last login, the latest first; who never signed in last.",
)

UserErrorCode = _described(
    enums.UserErrorCode,
    "What kind of mending an error needs.",
    INVALID="The value cannot be used.",
    REQUIRED="A value is missing.",
    NOT_FOUND="There is no such record, or the viewer may not see it.",
    NOT_ALLOWED="The viewer may see it, but not do this.",
    CONFLICT="Somebody else changed it meanwhile, or it is taken.",
    WRONG_PASSWORD="Not the password.",
    TOO_MANY_ATTEMPTS="Too many wrong passwords: wait, then try again.",
)
