"""Which job setting each activity type of the time log has of its own [001]; an entry may say otherwise."""

from domain.enums import ActivityType, JobSetting

JOB_SETTING: dict[ActivityType, JobSetting] = {
    ActivityType.FACE_TO_FACE_SESSION: JobSetting.OFF_THE_JOB,
    ActivityType.TRAINER_LED_TRAINING: JobSetting.OFF_THE_JOB,
    ActivityType.DISTANCE_LEARNING_OR_SELF_STUDY: JobSetting.OFF_THE_JOB,
    ActivityType.COACHING_OR_MENTORING: JobSetting.OFF_THE_JOB,
    ActivityType.TECHNICAL_EXPERIENCE_BY_DOING_MY_JOB: JobSetting.ON_THE_JOB,
    ActivityType.REVIEW_FEEDBACK_OR_SUPPORT: JobSetting.ON_THE_JOB,
    ActivityType.ASSESSMENT_OR_EXAMINATION: JobSetting.OFF_THE_JOB,
}
