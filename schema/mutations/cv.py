"""Mutations of the CV: save a section, add a document."""

import strawberry

from resolvers import cv
from schema.enums import CvDocumentKind, CvSectionName
from schema.mutations.learner import LearnerPayload
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
