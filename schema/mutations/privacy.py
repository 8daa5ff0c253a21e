"""Mutations of privacy: everything about one learner, and a learner erased; for a Master Admin."""

import strawberry

from loaders.learner import LearnerLoader
from resolvers import privacy
from schema.field_builders import Id
from schema.payload import changed, mutation, payload, required, result
from schema.types.file import Download
from schema.types.learner import Learner


@payload("What is left of a learner's record after erasure.")
class LearnerErasePayload:
    learner: Learner | None = changed(LearnerLoader, "The record, without a name; null where nothing was erased.")


@payload("Where everything about one learner can be downloaded.")
class SubjectAccessExportPayload:
    download: Download | None = result(
        "A ZIP with every record as JSON and every file, made when it is opened; null where it was refused."
    )


@strawberry.type
class PrivacyMutations:
    learner_erase = mutation(
        LearnerErasePayload,
        privacy.erase,
        "Erases a learner for good: name, contact, ULN, files and every word are gone; dates, sums and who signed in which "
        "role are kept without a name.",
        id=Id,
        confirm_name=required(str, "The learner's name exactly as shown, to confirm who is erased."),
    )
    subject_access_export = mutation(
        SubjectAccessExportPayload,
        privacy.subject_access,
        "Everything about one learner, to hand to them; the audit trail notes who asked.",
        learner_id=required(strawberry.ID, "Whom it is about."),
    )
