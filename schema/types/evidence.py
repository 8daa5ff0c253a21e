"""Evidence: what was submitted, its versions and signatures, and the criteria it is mapped to."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.clock import day_of
from loaders.aim import AimLoader
from loaders.evidence import AWAITING_ASSESSMENT, EVIDENCE_OLDEST_FIRST, EvidenceRow
from loaders.evidence_detail import (
    EvidenceSignatureRow,
    EvidenceSignaturesLoader,
    EvidenceVersionRow,
    MappingsLoader,
    VersionsLoader,
)
from loaders.learner import LearnerLoader
from loaders.unit import CriterionLoader
from schema.enums import AssessmentMethod, EvidenceStatus, Role
from schema.field_builders import argument, attribute, connection, loaded, related
from schema.relay import Connection, Node, node, record
from schema.types.file import File
from schema.types.user import User

if TYPE_CHECKING:
    from schema.types.aim import Aim
    from schema.types.criterion import Criterion
    from schema.types.learner import Learner


async def _standing(row: EvidenceRow, load) -> list[EvidenceSignatureRow]:
    return [signature for signature in await load[EvidenceSignaturesLoader].load(row.key) if signature.current]


async def _on_version(row: EvidenceVersionRow, load) -> list[EvidenceSignatureRow]:
    signatures = await load[EvidenceSignaturesLoader].load(row.evidence_key)
    return [signature for signature in signatures if signature.version_number == row.number]


async def _days_waiting(row: EvidenceRow, load) -> int | None:
    if row.status not in AWAITING_ASSESSMENT:
        return None
    latest = (await load[VersionsLoader].load(row.key))[-1]
    return (load.reading.today - day_of(latest.submitted_at)).days


@strawberry.type(description="A signature on one version of a piece of evidence.")
class EvidenceSignature:
    role: Role = attribute("The role in which it was given.")
    signed_by: User = attribute("Who signed.")
    signed_at: dt.datetime = attribute("When.")


@strawberry.type(description="One upload of a piece of evidence; a resubmission adds one and loses none.")
class EvidenceVersion:
    number: int = attribute("Counts up from 1.")
    file: File = attribute("The file as it was then.")
    comment: str | None = attribute("What was said with a resubmission; null on the first version.")
    submitted_by: User = attribute("Who submitted it.")
    submitted_at: dt.datetime = attribute("When.")
    signatures: list[EvidenceSignature] = related("The signatures given on this version.", _on_version)


@strawberry.type(description="A criterion that the assessor has mapped a piece of evidence to.")
class EvidenceMapping:
    criterion: Annotated["Criterion", strawberry.lazy("schema.types.criterion")] = related(
        "The criterion.", lambda row, load: load[CriterionLoader].load((row.aim_key, row.criterion_key))
    )
    signed_off: bool = attribute("Whether the criterion is met by it; else it works towards it.")
    mapped_by: User = attribute("Who mapped it.")
    mapped_at: dt.datetime = attribute("When.")


@node(EvidenceRow, "A piece of evidence in one aim: work, with a title and a description, to be mapped and assessed.")
class Evidence(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "Whose portfolio it is in.", LearnerLoader, by="learner_key"
    )
    aim: Annotated["Aim", strawberry.lazy("schema.types.aim")] = loaded(
        "The component that it was submitted to.", AimLoader, by="aim_key"
    )
    title: str = attribute("What it is called.")
    description: str = attribute("What it shows, in the submitter's words.")
    status: EvidenceStatus = attribute("How far its assessment has come.")
    file: File = attribute("The latest version's file.")
    versions: list[EvidenceVersion] = loaded("Its uploads, the oldest first.", VersionsLoader)
    declared_own_work: bool = attribute("Whether it was declared to be the learner's own work.")
    submitted_by: User = attribute("Who submitted it first.")
    submitted_at: dt.datetime = attribute("When it was submitted first [001].")
    days_waiting: int | None = related(
        "Days in London since its latest version was submitted, while it waits for its assessment (SUBMITTED or "
        "RESUBMITTED [001]); else null.",
        _days_waiting,
    )
    signatures: list[EvidenceSignature] = related(
        "The signatures that stand: those on the latest version. A resubmission needs new ones.", _standing
    )
    mappings: list[EvidenceMapping] = loaded(
        "The criteria that it is mapped to, in the qualification's order.",
        MappingsLoader,
    )
    assessment_methods: list[AssessmentMethod] = attribute("How the assessor judged it; empty until then.")
    feedback: str | None = attribute("What the assessor said about it; null until then.")
    points_for_improvement: str | None = attribute(
        "What to mend before it is resubmitted; null where nothing was asked."
    )


@strawberry.input(description="Which evidence; every condition that is set must hold.")
class EvidenceFilter:
    aim_id: strawberry.ID | None = strawberry.field(default=None, description="In this aim.")
    status: EvidenceStatus | None = strawberry.field(default=None, description="In this status.")
    unmapped_only: bool | None = strawberry.field(default=None, description="True: mapped to no criterion yet.")


@strawberry.type
class EvidenceQueries:
    evidence: Evidence | None = record("Evidence", "One piece of evidence")
    evidence_library: Connection[Evidence] = connection(
        "Evidence of all learners that the viewer may see, the earliest submitted first: what awaits assessment, and for "
        "how long (daysWaiting).",
        EVIDENCE_OLDEST_FIRST,
        awaiting_assessment_only=argument(bool, "Only what is SUBMITTED or RESUBMITTED."),
        assessor_id=argument(strawberry.ID, "Of this assessor's: a user's id, as Aim.assessor gives it."),
        employer_id=argument(strawberry.ID, "Of the learners at this employer site."),
    )
