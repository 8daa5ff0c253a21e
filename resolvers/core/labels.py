"""The words that error messages, e-mails and exports use for the values of enums."""

from collections.abc import Sequence

from domain.enums import ActivityType, AimStatus, JobSetting, Role

# The names of the learner guide.
ACTIVITY = {
    ActivityType.FACE_TO_FACE_SESSION: "Traditional face-to-face session",
    ActivityType.TRAINER_LED_TRAINING: "Trainer or assessor led training",
    ActivityType.DISTANCE_LEARNING_OR_SELF_STUDY: "Electronic or distance learning or self-study",
    ActivityType.COACHING_OR_MENTORING: "Coaching or mentoring",
    ActivityType.TECHNICAL_EXPERIENCE_BY_DOING_MY_JOB: "Gaining technical experience by doing my job",
    ActivityType.REVIEW_FEEDBACK_OR_SUPPORT: "Review, feedback or support",
    ActivityType.ASSESSMENT_OR_EXAMINATION: "Assessment or examination",
}
JOB_SETTING = {JobSetting.ON_THE_JOB: "On the job", JobSetting.OFF_THE_JOB: "Off the job"}
ROLE = {
    Role.LEARNER: "Learner",
    Role.ASSESSOR: "Assessor",
    Role.IQA: "IQA",
    Role.EMPLOYER_MANAGER: "Employer Manager",
    Role.EMPLOYER_OVERVIEW: "Employer Overview",
    Role.BASIC_ADMIN: "Basic Admin",
    Role.MASTER_ADMIN: "Master Admin",
}
AIM_STATUS = {
    AimStatus.AWAITING_INDUCTION: "Awaiting induction",
    AimStatus.IN_TRAINING: "In training",
    AimStatus.SUSPENDED: "Suspended",
    AimStatus.COMPLETED: "Completed",
    AimStatus.WITHDRAWN: "Withdrawn",
}


def role_with_article(role: Role) -> str:
    """Returns "a Learner", "an IQA"."""
    return f"{'an' if ROLE[role][0] in 'AEIOU' else 'a'} {ROLE[role]}"


def listed(words: Sequence[str]) -> str:
    """Returns "A", "A and B", or "A, B and C"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
