"""Mutations of the CV: save a section, add and remove a document."""

from typing import Annotated

import strawberry

from resolvers import cv
from schema.enums import CvDocumentKind, CvSectionName
from schema.mutations.learner import LearnerPayload
from schema.mutations.user import UserPayload
from schema.payload import mutation, required


@strawberry.type
class CvMutations:
    cv_section_save = mutation(
        LearnerPayload,
        cv.section_save,
        "Saves one section of the viewer's own CV. An empty text clears it.",
        name=required(CvSectionName, "The section."),
        text=required(str, "The whole text of the section."),
    )
    cv_document_add = mutation(
        LearnerPayload,
        cv.document_add,
        "Adds a document to the viewer's own CV, such as a CV file or a job description.",
        kind=required(CvDocumentKind, "The kind of document."),
        file_id=required(strawberry.ID, "A file that the viewer has uploaded and not used yet."),
    )
    cv_document_remove = mutation(
        LearnerPayload,
        cv.document_remove,
        "Removes a document from the viewer's own CV.",
        file_id=required(strawberry.ID, "The file of the document."),
    )
    photo_set = mutation(
        UserPayload,
        cv.photo_set,
        "Sets the photo of the viewer, who is a learner. Without a file the photo is removed.",
        file_id=Annotated[
            strawberry.ID | None,
            strawberry.argument(description="A picture that the viewer has uploaded and not used yet; null for none."),
        ],
    )
