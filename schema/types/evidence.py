"""Evidence: its versions and signatures, and the criteria that it is mapped to."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.action import ActionLoader
from loaders.aim import AimLoader
from loaders.core.registry import Loaders
from loaders.criterion import CriterionLoader
from loaders.evidence import EVIDENCE_OLDEST_FIRST, EvidenceRow
from loaders.evidence_detail import (
    EvidenceMappingRow,
    EvidenceMappingsLoader,
    EvidenceSignatureRow,
    EvidenceSignaturesLoader,
    EvidenceVersionRow,
    EvidenceVersionsLoader,
)
from loaders.learner import LearnerLoader
from schema.enums import AssessmentMethod, EvidenceStatus, Role
from schema.field_builders import argument, attribute, connection, loaded, person, related, updated_at
from schema.relay import Connection, Node, node, record, value
from schema.types.file import File
from schema.types.user import User
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.action import Action
    from schema.types.aim import Aim
    from schema.types.criterion import Criterion
    from schema.types.learner import Learner


def _current(signatures: list[EvidenceSignatureRow]) -> list[EvidenceSignatureRow]:
    return [signature for signature in signatures if signature.current]


async def _signatures_of_version(row: EvidenceVersionRow, loaders: Loaders) -> list[EvidenceSignatureRow]:
    signatures = await loaders[EvidenceSignaturesLoader].load(row.evidence_key)
    return [signature for signature in signatures if signature.version_number == row.number]


@value(EvidenceSignatureRow, "A signature on one version of a piece of evidence.")
class EvidenceSignature:
    role: Role = attribute("The role in which the user signed.")
    signed_by: User = attribute("The user who signed.")
    signed_at: dt.datetime = attribute("When the user signed.")


@value(
    EvidenceVersionRow,
    "One upload of a piece of evidence. A resubmission adds a version; earlier versions are kept.",
)
class EvidenceVersion:
    number: int = attribute("The number of the version, counted from 1.")
    file: File = attribute("The file of this version.")
    comment: str | None = attribute("The comment given with the resubmission; null on the first version.")
    submitted_by: User = attribute("The user who submitted this version.")
    submitted_at: dt.datetime = attribute("When this version was submitted.")
    signatures: list[EvidenceSignature] = related(
        "The signatures on this version.",
        _signatures_of_version,
        {EvidenceSignatureRow: ("version_number",)},
        reads=("evidence_key", "number"),
    )


@value(EvidenceMappingRow, "The assessor's link from a piece of evidence to a criterion.")
class EvidenceMapping:
    criterion: Annotated["Criterion", strawberry.lazy("schema.types.criterion")] = loaded(
        "The criterion.", CriterionLoader, by=("aim_key", "criterion_key")
    )
    signed_off: bool = attribute(
        "Whether the evidence meets the criterion, so that it is signed off; false if it only contributes to it."
    )
    mapped_by: User = attribute("The user who mapped it.")
    mapped_at: dt.datetime = attribute("When it was mapped.")


@node(
    EvidenceRow,
    "A piece of evidence: a file, with title and description, that a learner or an employer submits to one aim to show "
    "that criteria are met.",
)
class Evidence(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "The learner whose portfolio contains it.", LearnerLoader, by="learner_key"
    )
    aim: Annotated["Aim", strawberry.lazy("schema.types.aim")] = loaded(
        "The aim that it was submitted to.", AimLoader, by="aim_key"
    )
    title: str = attribute("A short name for the evidence.")
    description: str = attribute("What it shows, in the words of the user who submitted it.")
    status: EvidenceStatus = attribute("How far its assessment has come.")
    file: File = attribute("The file of the latest version.")
    versions: list[EvidenceVersion] = loaded("All versions, oldest first.", EvidenceVersionsLoader)
    declared_own_work: bool = attribute("Whether the submitter declared that it is the learner's own work.")
    submitted_by: User = attribute("The user who submitted the first version.")
    submitted_at: dt.datetime = attribute("When the first version was submitted.")
    days_waiting: int | None = attribute(
        "Days, in London, since the latest version was submitted; null unless it waits for its assessment (`SUBMITTED` "
        "or `RESUBMITTED`)."
    )
    signatures: list[EvidenceSignature] = loaded(
        "The valid signatures: those on the latest version. A resubmission needs new ones.",
        EvidenceSignaturesLoader,
        take=_current,
        take_reads=("current",),
    )
    mappings: list[EvidenceMapping] = loaded(
        "The criteria that it is mapped to, in the order of the qualification.",
        EvidenceMappingsLoader,
    )
    assessment_methods: list[AssessmentMethod] = attribute("How the assessor assessed it; empty until then.")
    action: Annotated["Action", strawberry.lazy("schema.types.action")] | None = loaded(
        "The action that it was submitted for; null if there is none or the viewer may not see the action.",
        ActionLoader,
        by="action_key",
    )
    assessed_by: User | None = person("The user who assessed it last; null until then.", "assessed_by_key")
    assessed_at: dt.datetime | None = attribute("When it was last assessed; null until then.")
    feedback: str | None = attribute("The assessor's feedback; null until there is some.")
    points_for_improvement: str | None = attribute(
        "What to improve before it is resubmitted; null if the assessor gave no points for improvement."
    )
    returned_at: dt.datetime | None = attribute(
        "When it was last returned for improvement; null if it never was, or before this was recorded."
    )
    withdrawn_reason: str | None = attribute("Why it was withdrawn; null unless its status is `WITHDRAWN`.")
    updated_at: dt.datetime = updated_at("its versions, signatures and mappings")
    viewer_actions: list[ViewerAction] = viewer_actions("Evidence")


@strawberry.input(description="Conditions for evidence; all of those given must hold.")
class EvidenceFilter:
    search: str | None = strawberry.field(
        default=None,
        description="Part of the title or of the description to search for. Case, accents and spaces are ignored.",
    )
    aim_id: strawberry.ID | None = strawberry.field(default=None, description="Only evidence submitted to this aim.")
    status: EvidenceStatus | None = strawberry.field(default=None, description="Only evidence with this status.")
    unmapped_only: bool | None = strawberry.field(
        default=None, description="True: only evidence that is mapped to no criterion."
    )
    statuses: list[EvidenceStatus] | None = strawberry.field(
        default=None, description="Only evidence with one of these statuses."
    )
    submitted_from: dt.date | None = strawberry.field(
        default=None, description="Only evidence first submitted on this day, in London, or later."
    )
    submitted_to: dt.date | None = strawberry.field(
        default=None, description="Only evidence first submitted on this day, in London, or earlier."
    )


@strawberry.type
class EvidenceQueries:
    evidence: Evidence | None = record("Evidence", "The piece of evidence with this id")
    evidence_library: Connection[Evidence] = connection(
        "The evidence of all learners whom the viewer may see, oldest first: what waits for an assessor longest comes "
        "first.",
        EVIDENCE_OLDEST_FIRST,
        filter=EvidenceFilter,
        awaiting_assessment_only=argument(bool, "Only evidence that is `SUBMITTED` or `RESUBMITTED`."),
        assessor_id=argument(strawberry.ID, "Only evidence of aims of this assessor: the id of a user."),
        employer_id=argument(strawberry.ID, "Only evidence of learners who work at this employer site."),
    )
