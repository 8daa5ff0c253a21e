"""The numbers of aims by their traffic lights, and their progress."""

from typing import Any

from sqlalchemy import Integer, case, cast, func, select

from auth import scope
from db.models.aim import Aim, AimProgress
from db.sql import progress as progress_sql
from db.sql.progress import count_if, total
from domain.enums import AimStatus, Role, TrafficLight
from loaders.metric_select import MetricSelect

# Withdrawn aims are not included.
INCLUDED = Aim.status != AimStatus.WITHDRAWN


def aims(role: Role) -> MetricSelect:
    """The aims with what their traffic lights follow from, in three steps."""
    statement = (
        select(
            Aim.status,
            AimProgress.criteria_total,
            AimProgress.criteria_mapped,
            AimProgress.criteria_signed_off,
            AimProgress.units_to_choose,
            case((progress_sql.past_planned_end(), 1), else_=0).label("past_planned_end"),
            progress_sql.mapped_tenths().label("mapped_tenths"),
            progress_sql.days_on_break().label("days_on_break"),
            progress_sql.days_elapsed(Aim.start_date, Aim.planned_end_date).label("days_elapsed"),
            progress_sql.days_counted(Aim.start_date, Aim.planned_end_date).label("days_planned"),
        )
        .join_from(Aim, AimProgress, AimProgress.aim_id == Aim.id)
        .where(scope.sees_aim(role), INCLUDED)
    )
    return MetricSelect(statement, Aim.learner_id, Aim.id, (_durations, _numbers))


def _durations(aim: Any) -> list[Any]:
    whole = aim.days_planned - aim.days_on_break
    tenths = progress_sql.tenths(aim.days_elapsed - aim.days_on_break, whole)
    return [*(column for column in aim if column.name != "group_key"), cast(tenths, Integer).label("duration_tenths")]


def _numbers(aim: Any) -> list[Any]:
    def lights(light: TrafficLight) -> Any:
        return count_if(
            progress_sql.traffic_light_is(
                light,
                in_training=aim.status == AimStatus.IN_TRAINING,
                total=aim.criteria_total,
                mapped=aim.mapped_tenths,
                duration=aim.duration_tenths,
            )
        )

    return [
        func.count().label("aims"),
        lights(TrafficLight.OFF_TRACK).label("off_track"),
        lights(TrafficLight.AHEAD).label("ahead"),
        lights(TrafficLight.NOT_RATED).label("not_rated"),
        *(
            total(aim[name]).label(name)
            for name in (
                "past_planned_end", "criteria_total", "criteria_mapped", "criteria_signed_off", "duration_tenths",
                "days_on_break", "units_to_choose",
            )
        ),
    ]  # fmt: skip
