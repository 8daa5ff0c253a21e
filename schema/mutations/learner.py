"""Mutations of learners: enrol and update."""

import strawberry

from loaders.learner import LearnerLoader
from resolvers import learner as learners
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.learner import Learner


@strawberry.input(description="An apprentice to enrol.")
class LearnerEnrolInput:
    name: str = attribute("The learner's name: one line, up to 200 characters.")
    email: str = attribute("The address to which the invitation is sent. In lower case it is the username.")
    uln: str | None = strawberry.field(
        default=None, description="The Unique Learner Number: 10 digits, the last a check digit."
    )
    employer_id: strawberry.ID = attribute("The employer site where the learner works.")


@strawberry.input(description="The changes of a learner's record; omitted fields are not changed.")
class LearnerUpdateInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="The learner's name.")
    uln: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The Unique Learner Number: 10 digits, the last a check digit; null removes it.",
    )
    employer_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The employer site where the learner now works."
    )
    photo_file_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="A picture that the viewer has uploaded and not used yet; null removes the photo.",
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The new e-mail address. It counts once the learner has opened the link that is sent to it; the "
        "old address is notified.",
    )


@payload("The result of a change of a learner.")
class LearnerPayload:
    learner: Learner | None = changed(LearnerLoader, "The learner after the change.")


@strawberry.type
class LearnerMutations:
    learner_enrol = mutation(
        LearnerPayload,
        learners.enrol,
        "Creates a learner with an account, and sends the invitation. An assessor sees learners whom they enrolled "
        "until the first aim is added.",
        input=required(LearnerEnrolInput, "The learner."),
    )
    learner_update = mutation(
        LearnerPayload,
        learners.update,
        "Changes a learner's record. With the employer site, the Employer Overviews who see the learner change; the "
        "Employer Managers do not.",
        id=Id,
        input=required(LearnerUpdateInput, "The changes."),
    )
