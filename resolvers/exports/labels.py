"""The words in which an export says what the graph says with a closed list, and the colour beside each of them."""

import datetime as dt

from domain.clock import LONDON
from domain.enums import ActivityType, AimStatus, CriterionFilter, CriterionStatus, JobSetting, Role, TrafficLight

Mark = dict[str, str]

# The names of [001], behaviours 86 to 92.
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
FILTER = {
    CriterionFilter.ALL: "All criteria",
    CriterionFilter.NON_COMPLETED: "What is left to do: criteria not started or in progress",
}


def mark(word: str, tone: str, fill: str) -> Mark:
    """A coloured word: `tone` red, orange, green, blue or grey; `fill` of its dot empty, half or full."""
    return {"word": word, "tone": tone, "fill": fill}


# Red nothing, orange partial, green signed off ([001], 67).
CRITERION = {
    CriterionStatus.NOT_STARTED: mark("Not started", "red", "empty"),
    CriterionStatus.IN_PROGRESS: mark("In progress", "orange", "half"),
    CriterionStatus.SIGNED_OFF: mark("Signed off", "green", "full"),
}
# Amber is on track and green is ahead ([000], 25): not the usual traffic light.
LIGHT = {
    TrafficLight.OFF_TRACK: mark("Off track", "red", "empty"),
    TrafficLight.ON_TRACK: mark("On track", "orange", "half"),
    TrafficLight.AHEAD: mark("Ahead", "green", "full"),
    TrafficLight.NOT_RATED: mark("Not rated", "grey", "empty"),
}


def day(date: dt.date | None) -> str:
    """21 November 2026; empty for none."""
    return f"{date.day} {date:%B %Y}" if date else ""


def short_day(date: dt.date | None) -> str:
    """21 Nov 2026; empty for none."""
    return f"{date.day} {date:%b %Y}" if date else ""


def moment(at: dt.datetime) -> str:
    """21 November 2026 at 20:36, in London."""
    local = at.astimezone(LONDON)
    return f"{day(local.date())} at {local:%H:%M}"


def percent(value: float) -> str:
    """41.7%, and 50% where the tenth is nought."""
    return f"{value:.1f}".removesuffix(".0") + "%"


def hours(minutes: int) -> str:
    """7 h 30 min."""
    return f"{minutes // 60:,} h {minutes % 60:02} min"
