"""Factories of rows for tests, one file an entity; `Factory` has a method for each.

    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider()
        ada = await factory.learner(provider, "Ada", employer=await factory.employer(provider, "Garage"))
        await factory.aim(ada, criteria=10, mapped=4)

Each method adds a row with sensible defaults and returns the entity with its key. Keyword arguments set any column.
"""

from tests.support.factories.action import ActionFactory
from tests.support.factories.aim import AimFactory
from tests.support.factories.audit_event import AuditEventFactory
from tests.support.factories.auth_session import AuthSessionFactory
from tests.support.factories.base import DAY, SHA256
from tests.support.factories.bulk_export import BulkExportFactory
from tests.support.factories.criterion_progress import CriterionProgressFactory
from tests.support.factories.cv import CvFactory
from tests.support.factories.employer import EmployerFactory
from tests.support.factories.evidence import EvidenceFactory
from tests.support.factories.learner import LearnerFactory
from tests.support.factories.provider import ProviderFactory
from tests.support.factories.resource import ResourceFactory
from tests.support.factories.review import ReviewFactory
from tests.support.factories.sample import SampleFactory
from tests.support.factories.session import SessionFactory
from tests.support.factories.signature_request import SignatureRequestFactory
from tests.support.factories.time_log_entry import TimeLogEntryFactory
from tests.support.factories.unit_signature import UnitSignatureFactory

__all__ = ["DAY", "SHA256", "Factory"]


class Factory(
    ActionFactory,
    AimFactory,
    AuditEventFactory,
    AuthSessionFactory,
    BulkExportFactory,
    CriterionProgressFactory,
    CvFactory,
    EmployerFactory,
    EvidenceFactory,
    LearnerFactory,
    ProviderFactory,
    ResourceFactory,
    ReviewFactory,
    SampleFactory,
    SessionFactory,
    SignatureRequestFactory,
    TimeLogEntryFactory,
    UnitSignatureFactory,
):
    """Adds rows of every entity in the caller's transaction."""
