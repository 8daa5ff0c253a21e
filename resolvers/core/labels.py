"""The words that e-mails and exports use for the values of enums."""

from domain.enums import ActivityType, AimStatus, JobSetting, Role
from domain.sentences import ENGLISH

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
ROLE = {role: ENGLISH.value(role) for role in Role}
AIM_STATUS = {status: ENGLISH.value(status) for status in AimStatus}
