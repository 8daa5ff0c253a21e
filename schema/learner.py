"""Learners: apprentices, whose portfolio everything hangs on."""

import datetime as dt

from loaders.learner import LearnerRow
from schema.aim import Aim
from schema.enums import TrafficLight
from schema.fields import attribute, related
from schema.node import Node, node
from schema.progress import Progress


async def _programme(row: LearnerRow, load, name: str):
    return getattr(await load.programme.load(row.key), name)


@node(LearnerRow, "An apprentice at the provider: the owner of a portfolio.")
class Learner(Node):
    name: str = attribute("The learner's name.")
    uln: str | None = attribute("Unique Learner Number, 10 digits; null unless the viewer may see it.")
    last_login_at: dt.datetime | None = attribute("When the learner last signed in; null if never.")
    aims: list[Aim] = related(
        "The components of the programme that the viewer may see.", lambda row, load: load.aims_of_learner.load(row.key)
    )
    progress: Progress = related(
        "Over the aims that are not withdrawn, each criterion counting once; time from the earliest start to the latest "
        "planned end.",
        lambda row, load: _programme(row, load, "progress"),
    )
    traffic_light: TrafficLight = related(
        "The same rule as an aim's, over the programme's progress.", lambda row, load: _programme(row, load, "traffic_light")
    )
    days_remaining: int = related(
        "Days until the last planned end; 0 once it has passed.", lambda row, load: _programme(row, load, "days_remaining")
    )
    days_overdue: int = related(
        "Days since the last planned end while something is still to finish; else 0.",
        lambda row, load: _programme(row, load, "days_overdue"),
    )
