"""Mutations of the CV: a learner saves sections and adds documents."""

from typing import Annotated

import strawberry

from loaders.learner import LearnerLoader
from resolvers import cv as cv_
from schema.enums import CvDocumentKind, CvSectionName
from schema.field_builders import Info
from schema.mutations.learner import LearnerPayload
from schema.payload import answer


@strawberry.type
class CvMutations:
    @strawberry.mutation(description="Saves one section of the viewer's own CV; an empty text clears it.")
    async def cv_section_save(
        self,
        info: Info,
        name: Annotated[CvSectionName, strawberry.argument(description="Which section.")],
        text: Annotated[str, strawberry.argument(description="The whole text of the section.")],
    ) -> LearnerPayload:
        write = cv_.section_save(info.context, name=name, text=text)
        return await answer(info, LearnerPayload, write, learner=lambda key, load: load[LearnerLoader].load(key))

    @strawberry.mutation(description="Puts a document beside the viewer's own CV.")
    async def cv_document_add(
        self,
        info: Info,
        kind: Annotated[CvDocumentKind, strawberry.argument(description="What it is.")],
        file_id: Annotated[
            strawberry.ID, strawberry.argument(description="A file that the viewer has uploaded and not used yet.")
        ],
    ) -> LearnerPayload:
        write = cv_.document_add(info.context, kind=kind, file_id=file_id)
        return await answer(info, LearnerPayload, write, learner=lambda key, load: load[LearnerLoader].load(key))
