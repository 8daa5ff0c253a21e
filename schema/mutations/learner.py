"""Mutations of learners: who is enrolled, and their record."""

from typing import Annotated

import strawberry

from loaders.learner import LearnerLoader
from resolvers import learner as learners
from schema.field_builders import Id, Info, attribute
from schema.payload import UserError, answer, errors_field, plain
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


@strawberry.type(description="The learner, changed.")
class LearnerPayload:
    learner: Learner | None = attribute("The learner as they now are; null where nothing was changed.")
    errors: list[UserError] = errors_field()


@strawberry.type
class LearnerMutations:
    @strawberry.mutation(
        description="Enrols a learner and sends their invitation. An assessor sees whom they enrolled until the first "
        "`aimAdd`; from then on those who are the assessor of an aim do."
    )
    async def learner_enrol(
        self, info: Info, input: Annotated[LearnerEnrolInput, strawberry.argument(description="Whom.")]
    ) -> LearnerPayload:
        write = learners.enrol(info.context, **plain(input))
        return await answer(info, LearnerPayload, write, learner=lambda key, load: load[LearnerLoader].load(key))

    @strawberry.mutation(
        description="Changes a learner's record. At another employer's site they are seen by that site's Employer Overviews; "
        "who manages them is changed by `employerManagerAllocate`."
    )
    async def learner_update(
        self,
        info: Info,
        id: Id,
        input: Annotated[LearnerUpdateInput, strawberry.argument(description="What to change.")],
    ) -> LearnerPayload:
        write = learners.update(info.context, id=id, changes=plain(input))
        return await answer(info, LearnerPayload, write, learner=lambda key, load: load[LearnerLoader].load(key))
