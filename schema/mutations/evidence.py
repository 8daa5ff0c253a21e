"""Mutations of evidence: submit, assess, return, resubmit, sign."""

import strawberry

from loaders.evidence import EvidenceLoader
from resolvers.evidence import assessment, correction, submission
from schema.enums import AssessmentMethod
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.evidence import Evidence


@strawberry.input(description="A piece of evidence: a file that shows that a learner meets criteria of an aim.")
class EvidenceSubmitInput:
    aim_id: strawberry.ID = attribute("The aim (component of the programme) that the evidence is for.")
    file_id: strawberry.ID = attribute("A file that the viewer has uploaded and not used yet.")
    title: str = attribute("A short title: one line, up to 200 characters.")
    description: str = attribute("What the file shows.")
    declare_own_work: bool = attribute("The declaration that it is the learner's own work. Required from a learner.")
    password: str = attribute(
        "The viewer's own password, as their electronic signature; without one, a code of `signingCodeRequest`."
    )
    action_id: strawberry.ID | None = strawberry.field(
        default=None, description="The action that the evidence is submitted for, if any; it must accept evidence."
    )


@strawberry.input(description="One criterion to which evidence is mapped.")
class EvidenceMappingInput:
    criterion_id: strawberry.ID = attribute("A criterion of the evidence's aim.")
    sign_off: bool = attribute(
        "True if the evidence meets the criterion, which signs it off; false if it only works towards it."
    )


@strawberry.input(description="The assessor's decision about a piece of evidence.")
class EvidenceAssessInput:
    mappings: list[EvidenceMappingInput] = attribute(
        "The criteria to map or to change, each once, up to 500. Other mappings are not changed."
    )
    assessment_methods: list[AssessmentMethod] = attribute("How the evidence was assessed: at least one method.")
    feedback: str | None = strawberry.field(
        default=None, description="Feedback for the learner; not changed if omitted."
    )


@strawberry.input(description="An amended file for evidence that was returned.")
class EvidenceResubmitInput:
    file_id: strawberry.ID = attribute("The amended file, which the viewer has uploaded and not used yet.")
    comment: str = attribute("What was improved.")


@strawberry.input(description="Changes of evidence. Omitted fields are not changed.")
class EvidenceUpdateInput:
    title: str | None = strawberry.field(
        default=strawberry.UNSET, description="A short title: one line, up to 200 characters."
    )
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What the file shows.")
    aim_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The aim of the same learner to move it to. Its mappings to criteria of the old aim are removed.",
    )


@payload("The result of a change of evidence.")
class EvidencePayload:
    evidence: Evidence | None = changed(EvidenceLoader, "The evidence after the change.")


@strawberry.type
class EvidenceMutations:
    evidence_submit = mutation(
        EvidencePayload,
        submission.submit,
        "Submits a file as evidence for an aim, with the viewer's declaration and signature.",
        input=required(EvidenceSubmitInput, "The evidence."),
    )
    evidence_assess = mutation(
        EvidencePayload,
        assessment.assess,
        "Maps evidence to criteria and signs them off, or withdraws a sign-off. A new mapping in a signed unit "
        "withdraws the signatures of the unit, which remain in its history.",
        id=Id,
        input=required(EvidenceAssessInput, "The decision."),
    )
    evidence_return = mutation(
        EvidencePayload,
        assessment.return_,
        "Returns evidence with points for improvement. The person who submitted it gets an e-mail. What the evidence "
        "signed off is taken back, unless other evidence meets the criterion.",
        id=Id,
        points_for_improvement=required(str, "What should be improved."),
    )
    evidence_resubmit = mutation(
        EvidencePayload,
        submission.resubmit,
        "Adds an amended file to evidence that was returned, as its next version. The assessor gets an e-mail. If the "
        "account of the person who submitted it is archived, the learner and the assessor can do it in their place.",
        id=Id,
        input=required(EvidenceResubmitInput, "The file and a comment."),
    )
    evidence_unmap = mutation(
        EvidencePayload,
        correction.unmap,
        "Removes mappings of evidence to criteria, and with them what they signed off. The signatures of the units are "
        "withdrawn and remain in their history.",
        id=Id,
        criterion_ids=required(list[strawberry.ID], "The criteria to remove, up to 500."),
    )
    evidence_update = mutation(
        EvidencePayload,
        correction.update,
        "Changes title and description of evidence, or moves it to another aim of the learner, while nothing of it is "
        "signed off. For the person who submitted it and the assessor.",
        id=Id,
        input=required(EvidenceUpdateInput, "The changes."),
    )
    evidence_withdraw = mutation(
        EvidencePayload,
        correction.withdraw,
        "Withdraws evidence that should not be in the portfolio: it counts nowhere and stays readable. For the person "
        "who submitted it, while nothing of it is signed off, and for the assessor, who also takes back sign-offs.",
        id=Id,
        reason=required(str, "Why it is withdrawn. The person who submitted it gets the reason by e-mail."),
    )
    evidence_sign = mutation(
        EvidencePayload,
        submission.sign,
        "Signs the current version of evidence in the viewer's role. Signing it again changes nothing.",
        id=Id,
        password=required(str, "The viewer's own password; without one, a code of `signingCodeRequest`."),
    )
