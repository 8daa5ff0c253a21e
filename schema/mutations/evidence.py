"""Mutations of evidence: submit, assess, return, resubmit, sign."""

import strawberry

from loaders.evidence import EvidenceLoader
from resolvers import evidence, evidence_assessment
from schema.enums import AssessmentMethod
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.evidence import Evidence


@strawberry.input(description="A piece of evidence for one aim's portfolio.")
class EvidenceSubmitInput:
    aim_id: strawberry.ID = attribute("The component that it is for.")
    file_id: strawberry.ID = attribute("A file that the submitter has uploaded and not used yet.")
    title: str = attribute("What it is, in a line of 200 characters at most.")
    description: str = attribute("What it shows.")
    declare_own_work: bool = attribute("That it is the learner's own work; a learner must declare it.")
    password: str = attribute("The submitter's electronic signature: the password that they sign in with.")
    action_id: strawberry.ID | None = strawberry.field(
        default=None, description="The action that it answers, where that accepts evidence."
    )


@strawberry.input(description="One criterion that evidence is mapped to.")
class EvidenceMappingInput:
    criterion_id: strawberry.ID = attribute("A criterion of the evidence's own aim.")
    sign_off: bool = attribute("False: working towards. True: the criterion is met.")


@strawberry.input(description="The assessor's judgement of a piece of evidence.")
class EvidenceAssessInput:
    mappings: list[EvidenceMappingInput] = attribute(
        "The criteria judged now, each once, at most 500; what is mapped already and not named stays as it is."
    )
    assessment_methods: list[AssessmentMethod] = attribute("How it was judged: at least one method.")
    feedback: str | None = strawberry.field(
        default=None, description="For the learner; what stands is kept where left out."
    )


@strawberry.input(description="The amended file of evidence that was returned.")
class EvidenceResubmitInput:
    file_id: strawberry.ID = attribute("The amended file, uploaded and not used yet.")
    comment: str = attribute("What was changed.")


@payload("The evidence, changed.")
class EvidencePayload:
    evidence: Evidence | None = changed(EvidenceLoader, "The evidence as it now is.")


@strawberry.type
class EvidenceMutations:
    evidence_submit = mutation(
        EvidencePayload,
        evidence.submit,
        "Submits a file to an aim's portfolio, declared and signed by the person who submits it.",
        input=required(EvidenceSubmitInput, "The evidence."),
    )
    evidence_assess = mutation(
        EvidencePayload,
        evidence_assessment.assess,
        "Maps evidence to criteria and signs them off, or withdraws a sign-off. New mapping on a signed unit withdraws "
        "the unit's signatures, which stay in its history.",
        id=Id,
        input=required(EvidenceAssessInput, "The judgement."),
    )
    evidence_return = mutation(
        EvidencePayload,
        evidence_assessment.return_,
        "Returns evidence for improvement; its submitter is notified by e-mail.",
        id=Id,
        points_for_improvement=required(str, "What to improve."),
    )
    evidence_resubmit = mutation(
        EvidencePayload,
        evidence.resubmit,
        "Adds an amended file to evidence that was returned, on the same item; the assessor is notified by e-mail.",
        id=Id,
        input=required(EvidenceResubmitInput, "File and comment."),
    )
    evidence_sign = mutation(
        EvidencePayload,
        evidence.sign,
        "Signs the current version in the viewer's own role; signing again changes nothing.",
        id=Id,
        password=required(str, "The viewer's own password."),
    )
