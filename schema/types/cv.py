"""A learner's CV, and the documents that are kept with it."""

import datetime as dt

import strawberry

from loaders.cv import CvDocumentsLoader, CvSectionsLoader
from schema.enums import CvDocumentKind, CvSectionName
from schema.field_builders import attribute, loaded
from schema.types.file import File


@strawberry.type(description="One section of a CV.")
class CvSection:
    name: CvSectionName = attribute("Which section it is.")
    text: str = attribute("The text of the section.")
    updated_at: dt.datetime = attribute("When it was last saved.")


@strawberry.type(description="A document that is kept with a CV.")
class CvDocument:
    kind: CvDocumentKind = attribute("The kind of the document.")
    file: File = attribute("The file.")


@strawberry.type(description="A learner's CV. Each section is saved on its own.")
class Cv:
    sections: list[CvSection] = loaded(
        "The sections saved so far, in the usual order of a CV.", CvSectionsLoader, by="learner_key"
    )
    documents: list[CvDocument] = loaded(
        "The documents kept with the CV, oldest first.", CvDocumentsLoader, by="learner_key"
    )
