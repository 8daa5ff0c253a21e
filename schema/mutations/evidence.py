"""Mutations of evidence: submit, assess, return, resubmit, sign."""

from typing import Annotated

import strawberry

from loaders.evidence import EvidenceLoader
from resolvers import evidence as evidence_
from resolvers import evidence_assessment
from schema.enums import AssessmentMethod
from schema.field_builders import Id, Info, attribute
from schema.payload import UserError, answer, errors_field, plain
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


@strawberry.type(description="The evidence, changed.")
class EvidencePayload:
    evidence: Evidence | None = attribute("The evidence as it now is.")
    errors: list[UserError] = errors_field()


@strawberry.type
class EvidenceMutations:
    @strawberry.mutation(description="Puts a file into an aim's portfolio, declared and signed by whoever submits it.")
    async def evidence_submit(
        self, info: Info, input: Annotated[EvidenceSubmitInput, strawberry.argument(description="The evidence.")]
    ) -> EvidencePayload:
        write = evidence_.submit(info.context, **plain(input))
        return await answer(info, EvidencePayload, write, evidence=lambda key, load: load[EvidenceLoader].load(key))

    @strawberry.mutation(
        description="Maps evidence to criteria and signs them off, or takes a sign-off back. New mapping on a signed "
        "unit takes the unit's signatures back and keeps them in its history."
    )
    async def evidence_assess(
        self,
        info: Info,
        id: Id,
        input: Annotated[EvidenceAssessInput, strawberry.argument(description="The judgement.")],
    ) -> EvidencePayload:
        write = evidence_assessment.assess(info.context, id=id, **plain(input))
        return await answer(info, EvidencePayload, write, evidence=lambda key, load: load[EvidenceLoader].load(key))

    @strawberry.mutation(description="Returns evidence for improvement; whoever submitted it is told by e-mail.")
    async def evidence_return(
        self,
        info: Info,
        id: Id,
        points_for_improvement: Annotated[str, strawberry.argument(description="What to improve.")],
    ) -> EvidencePayload:
        write = evidence_assessment.return_(info.context, id=id, points_for_improvement=points_for_improvement)
        return await answer(info, EvidencePayload, write, evidence=lambda key, load: load[EvidenceLoader].load(key))

    @strawberry.mutation(
        description="Adds an amended file to evidence that was returned, on the same item; the assessor is told by "
        "e-mail."
    )
    async def evidence_resubmit(
        self,
        info: Info,
        id: Id,
        input: Annotated[EvidenceResubmitInput, strawberry.argument(description="File and comment.")],
    ) -> EvidencePayload:
        write = evidence_.resubmit(info.context, id=id, **plain(input))
        return await answer(info, EvidencePayload, write, evidence=lambda key, load: load[EvidenceLoader].load(key))

    @strawberry.mutation(
        description="Signs the current version in the viewer's own role; signing again changes nothing."
    )
    async def evidence_sign(
        self,
        info: Info,
        id: Id,
        password: Annotated[str, strawberry.argument(description="The viewer's own password.")],
    ) -> EvidencePayload:
        write = evidence_.sign(info.context, id=id, password=password)
        return await answer(info, EvidencePayload, write, evidence=lambda key, load: load[EvidenceLoader].load(key))
