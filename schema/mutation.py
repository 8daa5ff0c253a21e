"""The root of every write: the mutations of each entity together."""

import strawberry

from schema.mutations.action import ActionMutations
from schema.mutations.aim import AimMutations
from schema.mutations.authentication import SignInMutations
from schema.mutations.cv import CvMutations
from schema.mutations.employer import EmployerMutations
from schema.mutations.evidence import EvidenceMutations
from schema.mutations.file import FileMutations
from schema.mutations.learner import LearnerMutations
from schema.mutations.message import MessageMutations
from schema.mutations.privacy import PrivacyMutations
from schema.mutations.provider_settings import ProviderSettingsMutations
from schema.mutations.resource import ResourceMutations
from schema.mutations.session import SessionMutations
from schema.mutations.signature_request import SignatureRequestMutations
from schema.mutations.time_log_entry import TimeLogEntryMutations
from schema.mutations.unit import UnitMutations
from schema.mutations.user import UserMutations


@strawberry.type(
    description="Everything that can be done. Each runs in one transaction and answers with the changed entity, or with "
    "errors that say what to mend."
)
class Mutation(
    ActionMutations,
    AimMutations,
    CvMutations,
    EmployerMutations,
    EvidenceMutations,
    FileMutations,
    LearnerMutations,
    MessageMutations,
    PrivacyMutations,
    ProviderSettingsMutations,
    ResourceMutations,
    SessionMutations,
    SignInMutations,
    SignatureRequestMutations,
    TimeLogEntryMutations,
    UnitMutations,
    UserMutations,
):
    pass
