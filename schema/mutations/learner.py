"""Mutations of learners: who is enrolled, and their record."""

import strawberry

from schema.fields import attribute
from schema.learner import Learner
from schema.payload import UserError, errors_field


@strawberry.type(description="The learner, changed.")
class LearnerPayload:
    learner: Learner | None = attribute("The learner as they now are; null where nothing was changed.")
    errors: list[UserError] = errors_field()
