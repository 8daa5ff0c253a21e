"""Sampling by internal quality assurance: samples with findings and actions, the policy and its coverage."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.criterion import CriterionLoader
from loaders.evidence import EvidenceLoader
from loaders.sample import (
    SAMPLES,
    ActionsOfSampleLoader,
    FindingsOfSampleLoader,
    SampleActionRow,
    SampleFindingRow,
    SampleLoader,
    SampleRow,
)
from loaders.sampling import SamplingCoverageRow, SamplingPolicyRow, read_coverage, read_policy
from loaders.unit import UnitLoader
from schema.field_builders import attribute, connection, loaded, person, resolved
from schema.relay import Connection, Node, node, record, value
from schema.review_enums import SampleOutcome, SampleStatus
from schema.types.criterion import Criterion
from schema.types.evidence import Evidence
from schema.types.user import User
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.unit import Unit


@value(SampleFindingRow, "What an IQA found, of a unit as a whole or of one criterion or one piece of evidence.")
class SampleFinding:
    criterion: Criterion | None = loaded(
        "The criterion that it is about; null if it is about none.", CriterionLoader, by="criterion_of_aim"
    )
    evidence: Evidence | None = loaded(
        "The evidence that it is about; null if it is about none.", EvidenceLoader, by="evidence_key"
    )
    valid: bool = attribute("Whether the evidence shows what the criterion requires.")
    authentic: bool = attribute("Whether it is the learner's own work.")
    current: bool = attribute("Whether it is recent enough.")
    sufficient: bool = attribute("Whether there is enough of it.")
    comment: str | None = attribute("Why; null if nothing was written.")


@node(SampleActionRow, "What the assessor has to do after a sample. The assessor answers it; an IQA closes it.")
class SampleAction(Node):
    sample: Annotated["Sample", strawberry.lazy("schema.types.sample")] = loaded(
        "The sample that it belongs to.", SampleLoader, by="sample_key"
    )
    description: str = attribute("What has to be done.")
    answer: str | None = attribute("What the assessor did; null until then.")
    answered_by: User | None = person("The user who answered; null until then.", "answered_by_key")
    answered_at: dt.datetime | None = attribute("When it was last answered; null until then.")
    closed_at: dt.datetime | None = attribute("When the IQA closed it; null until then.")
    viewer_actions: list[ViewerAction] = viewer_actions("SampleAction")


@node(
    SampleRow,
    "An IQA's look at one unit of one learner, to check the assessor's decisions. Only assessors, IQAs and Master "
    "Admins see samples; learners and employers see none.",
)
class Sample(Node):
    unit: Annotated["Unit", strawberry.lazy("schema.types.unit")] = loaded(
        "The unit that is looked at.", UnitLoader, by="unit_of_aim"
    )
    assessor: User = person(
        "The assessor whose decisions are checked: that of the aim, and once it is concluded, of that time.",
        "assessor_key",
    )
    iqa: User = person("The IQA: that of the aim, and once it is concluded, of that time.", "iqa_key")
    planned_for: dt.date = attribute("The day by which the IQA should check it.")
    status: SampleStatus = attribute("How far it has come.")
    outcome: SampleOutcome | None = attribute("What the IQA decided; null until then.")
    concluded_at: dt.datetime | None = attribute("When the IQA decided; null until then.")
    findings: list[SampleFinding] = loaded("What the IQA found.", FindingsOfSampleLoader)
    actions: list[SampleAction] = loaded("What the assessor has to do.", ActionsOfSampleLoader)
    snapshot_sha256: str | None = attribute(
        "The SHA-256 digest of what was looked at (evidence, mappings, sign-offs and signatures of the unit), in "
        "lower-case hexadecimal; null until it is begun."
    )
    viewer_actions: list[ViewerAction] = viewer_actions("Sample")


@value(SamplingPolicyRow, "How much of the assessors' work internal quality assurance checks.")
class SamplingPolicy:
    aims_percent: int = attribute("The share of each assessor's aims in training that is sampled, 0 to 100.")
    units_percent: int = attribute("The share of the units of each of these aims that is sampled, 0 to 100.")
    first_units_of_new_assessor: int = attribute(
        "How many of the first units that an assessor signs are all sampled. An assessor is new until so many of their "
        "samples are concluded."
    )


@value(SamplingCoverageRow, "How much of the sampling policy is planned and done for one assessor.")
class SamplingCoverage:
    assessor: User = person("The assessor.", "assessor_key")
    aim_count: int = attribute("Their aims in training or on a break that have an IQA, of those that the viewer sees.")
    aims_to_sample: int = attribute("How many of these the policy requires.")
    aims_planned: int = attribute("Of these aims, those with a sample.")
    aims_concluded: int = attribute("Of these aims, those with samples that are all concluded.")
    units_planned: int = attribute("The samples of these aims.")
    units_concluded: int = attribute("The samples of these aims that are concluded.")


@strawberry.input(description="Conditions for samples; all of those given must hold.")
class SampleFilter:
    statuses: list[SampleStatus] | None = strawberry.field(
        default=None, description="Only samples with one of these statuses."
    )
    assessor_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only samples of this assessor's decisions: the id of a user."
    )
    iqa_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only samples of this IQA: the id of a user."
    )


@strawberry.type
class SampleQueries:
    sample: Sample | None = record("Sample", "The sample with this id")
    samples: Connection[Sample] = connection(
        "The samples that the viewer may see, the one that is planned first first.", SAMPLES, filter=SampleFilter
    )
    sampling_policy: SamplingPolicy | None = resolved(
        "The provider's sampling policy; null before it is saved, and for viewers who see no samples.",
        lambda root, info: read_policy(info.context.loaders.reading),
    )
    sampling_coverage: list[SamplingCoverage] = resolved(
        "How much of the policy is planned and done, by the name of the assessor; empty before a policy is saved.",
        lambda root, info: read_coverage(info.context.loaders.reading),
    )
