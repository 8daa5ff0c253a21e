"""A learner's CV, and the documents beside it."""

import datetime as dt

import strawberry

from loaders.cv import CvDocumentsLoader, CvSectionsLoader
from schema.enums import CvDocumentKind, CvSectionName
from schema.field_builders import attribute, loaded
from schema.types.file import File


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
    sections: list[CvSection] = loaded(
        "The sections that were saved, in the order of a CV.", CvSectionsLoader, by="learner_key"
    )
    documents: list[CvDocument] = loaded(
        "CV, job description, company profile, and any other.",
        CvDocumentsLoader,
        by="learner_key",
    )
