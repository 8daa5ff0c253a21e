"""Mutations of privacy, for a Master Admin: erase a learner, export everything about one."""

import strawberry

from loaders.learner import LearnerLoader
from resolvers import privacy, signed_urls
from schema.field_builders import Id
from schema.payload import changed, mutation, payload, required, result
from schema.types.file import Download
from schema.types.learner import Learner


@payload("The result of an erasure.")
class LearnerErasePayload:
    learner: Learner | None = changed(LearnerLoader, "What remains of the learner's record, without a name.")


@payload("The result of a subject access request.")
class SubjectAccessExportPayload:
    download: Download | None = result(
        "The link to a ZIP with every record as JSON and every file, generated when the link is opened.",
        make=signed_urls.to_subject_access,
    )


@strawberry.type
class PrivacyMutations:
    learner_erase = mutation(
        LearnerErasePayload,
        privacy.erase,
        "Erases a learner permanently: name, contact details, ULN, files and texts. Dates, sums and which roles signed "
        "are kept without a name.",
        id=Id,
        confirm_name=required(str, "The learner's name exactly as shown, to confirm the erasure."),
    )
    subject_access_export = mutation(
        SubjectAccessExportPayload,
        privacy.subject_access,
        "Exports everything about one learner, to answer a subject access request. The audit trail records it.",
        learner_id=required(strawberry.ID, "The learner."),
    )
