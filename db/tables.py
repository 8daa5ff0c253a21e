"""Every table, imported once, so that the metadata is whole for migrations and for tests."""

from db.action import Action, ActionFile
from db.aim import Aim, AimProgress
from db.audit_event import AuditEvent
from db.base import Base
from db.criterion import CriterionProgress
from db.cv import CvDocument, CvSection
from db.employer import Employer
from db.evidence import Evidence, EvidenceMapping, EvidenceSignature, EvidenceVersion
from db.file import File
from db.learner import Learner
from db.outbox import OutboxMail
from db.provider import Provider
from db.qualification import Qualification, QualificationCriterion, QualificationUnit
from db.resource import Resource
from db.session import Session, SessionAim, SessionFile
from db.sign_in import IdempotencyKey, OneTimeToken, RefreshToken, SignIn, WrongGuess
from db.signature_request import SignatureRequest, SignatureSlot
from db.time_log_entry import TimeLogEntry
from db.unit import UnitSignature
from db.user import ManagerAllocation, OverviewAllocation, RoleGrant, User

metadata = Base.metadata

__all__ = [
    "Action", "ActionFile", "Aim", "AimProgress", "AuditEvent", "Base", "CriterionProgress", "CvDocument", "CvSection",
    "Employer", "Evidence", "EvidenceMapping", "EvidenceSignature", "EvidenceVersion", "File", "IdempotencyKey", "Learner",
    "ManagerAllocation", "OneTimeToken", "OutboxMail", "OverviewAllocation", "Provider", "Qualification",
    "QualificationCriterion", "QualificationUnit", "RefreshToken", "Resource", "RoleGrant", "Session", "SessionAim",
    "SessionFile", "SignIn", "SignatureRequest", "SignatureSlot", "TimeLogEntry", "UnitSignature", "User", "WrongGuess",
    "metadata",
]  # fmt: skip
