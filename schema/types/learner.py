"""Learners: apprentices, whose portfolio everything hangs on."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.aim import AimsOfLearnerLoader, ProgrammeLoader
from loaders.learner import LEARNERS, LearnerRow
from loaders.off_the_job import OffTheJobLoader
from loaders.user import ManagersOfLearnerLoader
from schema.enums import LearnerOrder, TrafficLight
from schema.field_builders import attribute, connection, loaded
from schema.relay import Connection, Node, node, record
from schema.types.aim import Aim
from schema.types.off_the_job import OffTheJob
from schema.types.portfolio import Portfolio
from schema.types.progress import Progress
from schema.types.user import User

if TYPE_CHECKING:
    from schema.types.employer import Employer


@strawberry.input(description="Which learners; every condition that is set must hold.")
class LearnerFilter:
    search: str | None = strawberry.field(default=None, description="Part of the name, in any case, accents or not.")
    employer_id: strawberry.ID | None = strawberry.field(default=None, description="At this employer site.")
    assessor_id: strawberry.ID | None = strawberry.field(default=None, description="With an aim of this assessor's.")
    traffic_light: TrafficLight | None = strawberry.field(default=None, description="Whose programme is rated so.")
    aim_traffic_light: TrafficLight | None = strawberry.field(
        default=None, description="With an aim, not withdrawn, that is rated so: those whom the KPIs' counts come from."
    )
    past_planned_end: bool | None = strawberry.field(
        default=None, description="Whether the programme is past its last planned end."
    )


@node(LearnerRow, "An apprentice at the provider: the owner of a portfolio.")
class Learner(Portfolio, Node):
    name: str = attribute("The learner's name.")
    uln: str | None = attribute("Unique Learner Number, 10 digits; null unless the viewer may see it.")
    last_login_at: dt.datetime | None = attribute("When the learner last signed in [002]; null if never.")
    employer: Annotated["Employer", strawberry.lazy("schema.types.employer")] | None = attribute(
        "The employer site where they work; null until there is one."
    )
    managers: list[User] = loaded(
        "Their Employer Managers, by name: the managers or mentors to whom they are allocated [000].",
        ManagersOfLearnerLoader,
    )
    off_the_job: OffTheJob = loaded(
        "Minutes off the job over the aims and entries that the viewer may see.",
        OffTheJobLoader,
    )
    aims: list[Aim] = loaded("The components of the programme that the viewer may see.", AimsOfLearnerLoader)
    progress: Progress = loaded(
        "Over the aims that are not withdrawn, each criterion counting once; time from the earliest start to the latest "
        "planned end.",
        ProgrammeLoader,
        part="progress",
    )
    traffic_light: TrafficLight = loaded(
        "The same rule as an aim's [000], over the programme's progress.", ProgrammeLoader, part="traffic_light"
    )
    days_remaining: int = loaded(
        "Days until the last planned end [001]; 0 once it has passed.", ProgrammeLoader, part="days_remaining"
    )
    days_overdue: int = loaded(
        "Days since the last planned end while something is still to finish; else 0.",
        ProgrammeLoader,
        part="days_overdue",
    )


@strawberry.type
class LearnerQueries:
    learner: Learner | None = record("Learner", "One learner")
    learners: Connection[Learner] = connection(
        "The learners that the viewer may see.",
        LEARNERS,
        filter=LearnerFilter,
        order_by=(LearnerOrder, LearnerOrder.NAME_ASC),
    )
