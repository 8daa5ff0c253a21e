"""Mutations of sampling: the policy, plans, samples and their actions."""

import strawberry

from loaders.sample import SampleLoader
from loaders.sampling import read_policy
from resolvers.sampling import actions, conclude, plan
from schema.field_builders import Id, attribute
from schema.payload import changed, changed_all, mutation, payload, read, required
from schema.review_enums import SampleOutcome
from schema.types.sample import Sample, SamplingPolicy


@strawberry.input(description="How much of the assessors' work internal quality assurance checks.")
class SamplingPolicyInput:
    aims_percent: int = attribute("The share of each assessor's aims in training, 0 to 100.")
    units_percent: int = attribute("The share of the units of each of these aims, 0 to 100.")
    first_units_of_new_assessor: int = attribute(
        "How many of the first units that a new assessor signs are all sampled, 0 to 100."
    )


@strawberry.input(
    description="What the IQA found, of the unit as a whole or of one criterion or one piece of evidence of it."
)
class SampleFindingInput:
    criterion_id: strawberry.ID | None = strawberry.field(
        default=None, description="The criterion that it is about, with evidence mapped to it."
    )
    evidence_id: strawberry.ID | None = strawberry.field(
        default=None, description="The evidence that it is about, mapped in the unit."
    )
    valid: bool = attribute("Whether the evidence shows what the criterion requires.")
    authentic: bool = attribute("Whether it is the learner's own work.")
    current: bool = attribute("Whether it is recent enough.")
    sufficient: bool = attribute("Whether there is enough of it.")
    comment: str | None = strawberry.field(default=None, description="Why; required where one of the four is false.")


@strawberry.input(description="What the IQA decided about a sampled unit.")
class SampleConcludeInput:
    outcome: SampleOutcome = attribute("The decision.")
    findings: list[SampleFindingInput] = attribute("What the IQA found: 1 to 200 findings.")
    actions: list[str] = strawberry.field(
        default_factory=list, description="What the assessor has to do, up to 20; required for `ACTION_REQUIRED`."
    )


@payload("The result of a change of the sampling policy.")
class SamplingPolicyPayload:
    sampling_policy: SamplingPolicy | None = read(
        "The policy after the change.", lambda context: read_policy(context.loaders.reading)
    )


@payload("The result of a change of a sample.")
class SamplePayload:
    sample: Sample | None = changed(SampleLoader, "The sample after the change.")


@payload("The samples of a plan.")
class SamplesPayload:
    samples: list[Sample] = changed_all(SampleLoader, "The samples of the plan, those that there were included.")


@strawberry.type
class SampleMutations:
    sampling_policy_save = mutation(
        SamplingPolicyPayload,
        plan.save_policy,
        "Saves the provider's sampling policy, which plans follow from now on.",
        input=required(SamplingPolicyInput, "The policy."),
    )
    sampling_plan_make = mutation(
        SamplesPayload,
        plan.make_plan,
        "Plans samples of an assessor's units by the policy, of the aims that the viewer samples. The same seed gives "
        "the same plan while policy and units are the same, and a unit that has a sample keeps it.",
        assessor_id=required(strawberry.ID, "The assessor: the id of a user."),
        seed=required(int, "Any number: it decides which aims and units are chosen."),
    )
    sample_begin = mutation(
        SamplePayload,
        conclude.begin,
        "Begins a sample: takes a snapshot of the unit by its digest. Beginning again takes a new one.",
        id=Id,
    )
    sample_conclude = mutation(
        SamplePayload,
        conclude.conclude,
        "Records what the IQA found. `REJECTED` withdraws the signatures of the unit, which stay readable, and the "
        "sign-offs of the criteria that a finding faults. Refused where the unit has changed since the sample was "
        "begun.",
        id=Id,
        input=required(SampleConcludeInput, "The decision with its findings."),
    )
    sample_action_answer = mutation(
        SamplePayload,
        actions.answer,
        "Says what the assessor did about an action of a sample. The IQA gets an e-mail.",
        id=required(strawberry.ID, "The action: the id of a `SampleAction`."),
        answer=required(str, "What was done."),
    )
    sample_action_close = mutation(
        SamplePayload,
        actions.close,
        "Closes an action of a sample. With the last one the sample is concluded.",
        id=required(strawberry.ID, "The action: the id of a `SampleAction`."),
    )
