"""Every table, imported once, so that the metadata is whole for migrations and for tests."""

from db.models.action import Action, ActionFile
from db.models.aim import Aim, AimProgress
from db.models.audit_event import AuditEvent
from db.models.auth_session import AuthSession, IdempotencyKey, LoginAttempt, OneTimeToken, RefreshToken
from db.models.base import Base
from db.models.criterion_progress import CriterionProgress
from db.models.cv import CvDocument, CvSection
from db.models.employer import Employer
from db.models.evidence import Evidence, EvidenceMapping, EvidenceSignature, EvidenceVersion
from db.models.file import File
from db.models.learner import Learner
from db.models.outbox import OutboxMail
from db.models.provider import Provider
from db.models.qualification import Qualification, QualificationCriterion, QualificationUnit
from db.models.resource import Resource
from db.models.session import Session, SessionAim, SessionFile
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.time_log_entry import TimeLogEntry
from db.models.unit_signature import UnitSignature
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant, User

metadata = Base.metadata


def mapped_classes() -> list[type[Base]]:
    """Every mapped class, each after those that its table refers to."""
    by_table = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
    return [by_table[table.name] for table in metadata.sorted_tables]


def entities() -> list[type[Base]]:
    """Every mapped class that declares itself an entity, in the order of their names."""
    declared = [mapper.class_ for mapper in Base.registry.mappers if mapper.class_.__entity__ is not None]
    return sorted(declared, key=lambda entity: entity.__name__)


__all__ = [
    "Action", "ActionFile", "Aim", "AimProgress", "AuditEvent", "Base", "CriterionProgress", "CvDocument", "CvSection",
    "Employer", "Evidence", "EvidenceMapping", "EvidenceSignature", "EvidenceVersion", "File", "IdempotencyKey", "Learner",
    "ManagerAllocation", "OneTimeToken", "OutboxMail", "OverviewAllocation", "Provider", "Qualification",
    "QualificationCriterion", "QualificationUnit", "RefreshToken", "Resource", "RoleGrant", "Session", "SessionAim",
    "SessionFile", "AuthSession", "SignatureRequest", "SignatureSlot", "TimeLogEntry", "UnitSignature", "User", "LoginAttempt",
    "metadata",
]  # fmt: skip
