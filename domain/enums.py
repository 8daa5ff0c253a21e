"""The enums that the tables and the GraphQL schema share; the value of a member is its name."""

from enum import Enum, auto


class _NamedEnum(Enum):
    """An enum whose values are the names of its members, so that a table stores what a client reads."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        return name


class Role(_NamedEnum):
    LEARNER = auto()
    ASSESSOR = auto()
    IQA = auto()
    EMPLOYER_MANAGER = auto()
    EMPLOYER_OVERVIEW = auto()
    BASIC_ADMIN = auto()
    MASTER_ADMIN = auto()


class AimStatus(_NamedEnum):
    AWAITING_INDUCTION = auto()
    IN_TRAINING = auto()
    SUSPENDED = auto()
    COMPLETED = auto()
    WITHDRAWN = auto()


class ReviewBooking(_NamedEnum):
    BOOKED = auto()
    BOOKED_TOO_LATE = auto()
    NOT_BOOKED = auto()


class OffTheJobExclusionReason(_NamedEnum):
    ENGLISH_OR_MATHS = auto()
    PROGRESS_REVIEW = auto()
    INDUCTION = auto()
    EXAMINATION = auto()
    BEFORE_START = auto()
    AFTER_END = auto()
    ON_BREAK = auto()
    WITHDRAWN_AIM = auto()
    GATEWAY = auto()
    EXIT = auto()


class AimOutcome(_NamedEnum):
    ACHIEVED = auto()
    PARTLY_ACHIEVED = auto()
    NOT_ACHIEVED = auto()


class QualificationKind(_NamedEnum):
    STANDARD = auto()
    DIPLOMA = auto()
    FUNCTIONAL_SKILL = auto()
    OTHER = auto()


class BreakReason(_NamedEnum):
    ILLNESS = auto()
    PARENTAL_LEAVE = auto()
    CARING = auto()
    EMPLOYER = auto()
    OTHER = auto()


class TrafficLight(_NamedEnum):
    OFF_TRACK = auto()
    ON_TRACK = auto()
    AHEAD = auto()
    NOT_RATED = auto()


class CriterionStatus(_NamedEnum):
    NOT_STARTED = auto()
    IN_PROGRESS = auto()
    SIGNED_OFF = auto()


class CriterionFilter(_NamedEnum):
    ALL = auto()
    NON_COMPLETED = auto()


class EvidenceStatus(_NamedEnum):
    SUBMITTED = auto()
    RETURNED = auto()
    RESUBMITTED = auto()
    ASSESSED = auto()
    WITHDRAWN = auto()


class AssessmentMethod(_NamedEnum):
    OBSERVATION = auto()
    PROFESSIONAL_DISCUSSION = auto()
    PRODUCT = auto()
    QUESTION_AND_ANSWER = auto()
    WITNESS_TESTIMONY = auto()
    REFLECTIVE_ACCOUNT = auto()
    PERSONAL_STATEMENT = auto()
    SIMULATION = auto()
    PROJECT = auto()
    EXAM_OR_TEST = auto()
    PRIOR_LEARNING = auto()
    OTHER = auto()


class KpiGroupBy(_NamedEnum):
    EMPLOYER = auto()
    ASSESSOR = auto()
    QUALIFICATION = auto()
    START_MONTH = auto()


class Interval(_NamedEnum):
    DAY = auto()
    WEEK = auto()
    MONTH = auto()


class ExportFormat(_NamedEnum):
    CSV = auto()
    JSON = auto()
    PARQUET = auto()
    XLSX = auto()


class BulkExportStatus(_NamedEnum):
    RUNNING = auto()
    DONE = auto()
    FAILED = auto()


class SessionType(_NamedEnum):
    INDUCTION = auto()
    GENERAL = auto()
    FORMAL_REVIEW = auto()
    TELEPHONE = auto()
    OBSERVATION = auto()
    WORKSHOP = auto()
    EXAM = auto()
    LEARNER_SUPPORT = auto()
    GATEWAY = auto()
    EXIT = auto()


class SessionStatus(_NamedEnum):
    PLANNED = auto()
    ATTENDED = auto()
    NOT_ATTENDED = auto()
    CANCELLED = auto()


class ActionKind(_NamedEnum):
    ACTION = auto()
    ACTIVITY = auto()


class ActionStatus(_NamedEnum):
    OUTSTANDING = auto()
    IN_PROGRESS = auto()
    COMPLETE = auto()


class ActivityType(_NamedEnum):
    FACE_TO_FACE_SESSION = auto()
    TRAINER_LED_TRAINING = auto()
    DISTANCE_LEARNING_OR_SELF_STUDY = auto()
    COACHING_OR_MENTORING = auto()
    TECHNICAL_EXPERIENCE_BY_DOING_MY_JOB = auto()
    REVIEW_FEEDBACK_OR_SUPPORT = auto()
    ASSESSMENT_OR_EXAMINATION = auto()


class JobSetting(_NamedEnum):
    ON_THE_JOB = auto()
    OFF_THE_JOB = auto()


class SignatureRequestStatus(_NamedEnum):
    PENDING = auto()
    COMPLETE = auto()
    CANCELLED = auto()


class ReviewStatus(_NamedEnum):
    DRAFT = auto()
    AWAITING_SIGNATURES = auto()
    SIGNED = auto()


class EmployerAttendance(_NamedEnum):
    ATTENDED = auto()
    CONTRIBUTED = auto()
    INVITED = auto()


class SampleStatus(_NamedEnum):
    PLANNED = auto()
    IN_PROGRESS = auto()
    ACTION_REQUIRED = auto()
    CONCLUDED = auto()


class SampleOutcome(_NamedEnum):
    ACCEPTED = auto()
    ACTION_REQUIRED = auto()
    REJECTED = auto()


class TaskKind(_NamedEnum):
    SIGN_DOCUMENT = auto()
    SIGN_UNIT = auto()
    SIGN_REVIEW = auto()
    ANSWER_REVIEW = auto()
    BOOK_REVIEW = auto()
    ASSESS_EVIDENCE = auto()
    RESUBMIT_EVIDENCE = auto()
    RESPOND_TO_ACTION = auto()
    FOLLOW_UP_ACTION = auto()
    APPROVE_TIME = auto()
    CONFIRM_TIME = auto()
    LOG_LEARNING = auto()
    CHOOSE_UNITS = auto()
    SAMPLE_UNIT = auto()
    ANSWER_SAMPLE = auto()
    SESSION_SOON = auto()


class PortfolioPart(_NamedEnum):
    ACTION = auto()
    AIM = auto()
    CV = auto()
    EVIDENCE = auto()
    LEARNER = auto()
    MESSAGE = auto()
    RESOURCE = auto()
    REVIEW = auto()
    SESSION = auto()
    SIGNATURE = auto()
    TIME_LOG = auto()
    UNIT = auto()


class CvSectionName(_NamedEnum):
    PERSONAL_PROFILE = auto()
    EDUCATION = auto()
    EMPLOYMENT = auto()
    SKILLS = auto()
    INTERESTS = auto()


class CvDocumentKind(_NamedEnum):
    CV = auto()
    JOB_DESCRIPTION = auto()
    COMPANY_PROFILE = auto()
    OTHER = auto()


class ResourceBucket(_NamedEnum):
    RESOURCES = auto()
    FILES_FROM_COURSE = auto()


class LearnerOrder(_NamedEnum):
    NAME_ASC = auto()
    NAME_DESC = auto()
    PLANNED_END_ASC = auto()
    LAST_LOGIN_DESC = auto()
    LAST_LOGIN_ASC = auto()
    POINTS_AHEAD_ASC = auto()
    REVIEW_DUE_ASC = auto()


class UserErrorCode(_NamedEnum):
    INVALID = auto()
    REQUIRED = auto()
    NOT_FOUND = auto()
    NOT_ALLOWED = auto()
    CONFLICT = auto()
    WRONG_PASSWORD = auto()
    TOO_MANY_ATTEMPTS = auto()
