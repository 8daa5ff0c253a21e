"""Mutations of learners: who is enrolled, and their record."""

import strawberry

from loaders.learner import LearnerLoader
from resolvers import learner as learners
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.learner import Learner


@strawberry.input(description="An apprentice to enrol.")
class LearnerEnrolInput:
    name: str = attribute("The learner's name, in a line of 200 characters at most.")
    email: str = attribute("Where the invitation goes; in lower case, it is their username.")
    uln: str | None = strawberry.field(
        default=None, description="Unique Learner Number: 10 digits, checked by the last."
    )
    employer_id: strawberry.ID = attribute("The employer site that they work at.")


@strawberry.input(description="What to change of a learner's record; what is left out stays.")
class LearnerUpdateInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="The learner's name.")
    uln: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Unique Learner Number: 10 digits, checked by the last; null takes it away.",
    )
    employer_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The employer site that they now work at."
    )
    photo_file_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="A picture that the viewer has uploaded and not used yet; null takes the photo away.",
    )


@payload("The learner, changed.")
class LearnerPayload:
    learner: Learner | None = changed(LearnerLoader, "The learner as they now are; null where nothing was changed.")


@strawberry.type
class LearnerMutations:
    learner_enrol = mutation(
        LearnerPayload,
        learners.enrol,
        "Enrols a learner and sends their invitation. An assessor sees those they enrolled until the first aim is added.",
        input=required(LearnerEnrolInput, "Whom."),
    )
    learner_update = mutation(
        LearnerPayload,
        learners.update,
        "Changes a learner's record. After a change of the employer site, that site's Employer Overviews see the learner; "
        "their managers stay.",
        id=Id,
        input=required(LearnerUpdateInput, "What to change."),
    )
