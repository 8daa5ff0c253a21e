"""A learner's CV, and the documents beside it."""

import datetime as dt

import strawberry

from schema.enums import CvDocumentKind, CvSectionName
from schema.fields import attribute, related
from schema.file import File


@strawberry.type(description="One section of a CV.")
class CvSection:
    name: CvSectionName = attribute("Which section.")
    text: str = attribute("What it says.")
    updated_at: dt.datetime = attribute("When it was last saved.")


@strawberry.type(description="A document beside the CV.")
class CvDocument:
    kind: CvDocumentKind = attribute("What it is.")
    file: File = attribute("The file.")


@strawberry.type(description="A learner's CV, saved section by section.")
class Cv:
    sections: list[CvSection] = related(
        "The sections that were saved, in the order of a CV.", lambda row, load: load.cv_sections.load(row.learner_key)
    )
    documents: list[CvDocument] = related(
        "CV, job description, company profile, and any other.",
        lambda row, load: load.cv_documents.load(row.learner_key),
    )
