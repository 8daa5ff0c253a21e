"""Mutations of the CV: a learner saves sections and adds documents."""

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
        "Saves one section of the viewer's own CV; an empty text clears it.",
        name=required(CvSectionName, "Which section."),
        text=required(str, "The whole text of the section."),
    )
    cv_document_add = mutation(
        LearnerPayload,
        cv.document_add,
        "Adds a document beside the viewer's own CV.",
        kind=required(CvDocumentKind, "What it is."),
        file_id=required(strawberry.ID, "A file that the viewer has uploaded and not used yet."),
    )
