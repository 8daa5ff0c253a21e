"""What a mutation of an aim returns."""

from typing import TypedDict

from db.models.aim import Aim


class AimChange(TypedDict):
    """The keys of an aim and of its learner, whom the viewer may still see where they no longer see the aim."""

    key: int
    learner: int


def of_aim(aim: Aim) -> AimChange:
    """Returns the keys of an aim that was changed."""
    return {"key": aim.id, "learner": aim.learner_id}
