"""The data of each export, read as one viewer sees it: None where the viewer does not see its subject."""

from collections.abc import Iterable
from typing import Any

from domain import clock, global_id
from domain.enums import CriterionFilter
from loaders.aim import AimLoader, AimRow
from loaders.core.paged_list import whole_list
from loaders.core.registry import Loaders
from loaders.criterion import CriteriaOfUnitLoader, CriterionRow
from loaders.learner import LearnerLoader
from loaders.provider import read_provider_name
from loaders.qualification import QualificationLoader
from loaders.time_log_entry import TIME_LOG, TimeLogEntryRow
from loaders.unit import UnitLoader, UnitRow, UnitSignaturesLoader, UnitsOfAimLoader, unit_signed_off
from loaders.unit_progress import UnitProgressLoader
from loaders.user import NamedUserLoader
from resolvers.exports.pdf import AimHeading, Measures
from resolvers.exports.progress_map import MapCriterion, MapUnit, ProgressMap
from resolvers.exports.record_of_achievement import RecordOfAchievement, RecordSignature, RecordUnit
from resolvers.exports.workbook import TimeLog, TimeLogLine

# Entries that one statement reads. A learner's whole programme has one or two thousand.
BATCH_SIZE = 1000


async def time_log(loaders: Loaders, learner_key: int, filters: dict[str, Any]) -> TimeLog | None:
    """Returns a learner's time log: every entry that passes the filters, the earliest first."""
    learner = await loaders[LearnerLoader].load(learner_key)
    if learner is None:
        return None
    reading = loaders.reading
    # The list has the latest day first; the export has the earliest first.
    entries = (await whole_list(reading, TIME_LOG, "learner", learner_key, filters, BATCH_SIZE))[::-1]
    aims = await _by_key(loaders[AimLoader], (entry.aim_key for entry in entries))
    units = await _by_key(loaders[UnitLoader], (_unit_key(entry) for entry in entries))
    people = await _names(loaders, (entry.approved_by_key for entry in entries))
    filter_aim_id = filters.get("aim_id")
    aim_key = None if filter_aim_id is None else global_id.decode("Aim", filter_aim_id)
    aim = None if aim_key is None else await loaders[AimLoader].load(aim_key)
    return TimeLog(
        provider=await read_provider_name(reading),
        learner=learner.name,
        made_at=reading.now,
        lines=[_line(entry, aims, units, people) for entry in entries],
        aim=aim.title if aim else None if filter_aim_id is None else "Unknown course",
        setting=filters.get("job_setting"),
        activity=filters.get("activity_type"),
        first=filters.get("from_"),
        last=filters.get("to"),
    )


async def progress_map(loaders: Loaders, aim_key: int, filter: CriterionFilter) -> ProgressMap | None:
    """Returns an aim's units with the criteria that pass the filter, without units where none passes."""
    aim = await loaders[AimLoader].load(aim_key)
    if aim is None:
        return None
    units = await loaders[UnitsOfAimLoader].load(aim_key)
    shown = await loaders.get(CriteriaOfUnitLoader, filter).load_many(units)
    people = await _names(loaders, (criterion.signed_off_by_key for criteria in shown for criterion in criteria))
    counts = await loaders[UnitProgressLoader].load_many(units)
    return ProgressMap(
        heading=await _heading(loaders, aim),
        measures=Measures.of(aim.progress),
        traffic_light=aim.traffic_light,
        filter=filter,
        units=[
            MapUnit(
                unit.number,
                unit.title,
                counted.criteria_total,
                counted.criteria_signed_off,
                [_criterion(criterion, people) for criterion in criteria],
            )
            for unit, counted, criteria in zip(units, counts, shown, strict=True)
            if criteria
        ],
    )


async def record_of_achievement(loaders: Loaders, aim_key: int) -> RecordOfAchievement | None:
    """Returns an aim's units, when each was completed, and who signed."""
    aim = await loaders[AimLoader].load(aim_key)
    if aim is None:
        return None
    units = await loaders[UnitsOfAimLoader].load(aim_key)
    lists = await loaders.get(CriteriaOfUnitLoader, CriterionFilter.ALL).load_many(units)
    signatures = await loaders[UnitSignaturesLoader].load_many([unit.key for unit in units])
    counts = await loaders[UnitProgressLoader].load_many(units)
    return RecordOfAchievement(
        heading=await _heading(loaders, aim),
        measures=Measures.of(aim.progress),
        units=[_unit(*parts) for parts in zip(units, lists, counts, signatures, strict=True)],
    )


def _unit(unit: UnitRow, criteria: list[CriterionRow], counted: Any, signatures: list[Any]) -> RecordUnit:
    moments = [criterion.signed_off_at for criterion in criteria if criterion.signed_off_at]
    return RecordUnit(
        number=unit.number,
        title=unit.title,
        mandatory=unit.mandatory,
        criteria_total=counted.criteria_total,
        criteria_mapped=counted.criteria_mapped,
        criteria_signed_off=counted.criteria_signed_off,
        completed_on=clock.day_of(max(moments)) if counted.complete and moments else None,
        signed_off=counted.complete and unit_signed_off(signatures),
        signatures=[
            RecordSignature(
                one.role,
                one.required,
                one.signed_by.name if one.signed_by else None,
                clock.day_of(one.signed_at) if one.signed_at else None,
            )
            for one in signatures
            if one.withdrawn_at is None
        ],
    )


def _criterion(criterion: CriterionRow, people: dict[int, str]) -> MapCriterion:
    return MapCriterion(
        criterion.code,
        criterion.description,
        criterion.status,
        criterion.evidence_count,
        people.get(criterion.signed_off_by_key or 0),
        clock.day_of(criterion.signed_off_at) if criterion.signed_off_at else None,
    )


def _line(
    entry: TimeLogEntryRow, aims: dict[int, AimRow], units: dict[tuple[int, int], UnitRow], people: dict[int, str]
) -> TimeLogLine:
    aim = aims.get(entry.aim_key or 0)
    unit_key = _unit_key(entry)
    unit = units.get(unit_key) if unit_key else None
    return TimeLogLine(
        date=entry.date,
        activity=entry.activity_type,
        setting=entry.job_setting,
        minutes=entry.minutes,
        aim=aim.title if aim else None,
        unit=f"{unit.number} {unit.title}" if unit else None,
        assessor=entry.assessor.name if entry.assessor else None,
        comments=entry.comments,
        automatic=entry.automatic,
        approved_by=people.get(entry.approved_by_key or 0),
        approved_at=entry.approved_at,
    )


def _unit_key(entry: TimeLogEntryRow) -> tuple[int, int] | None:
    return (entry.aim_key, entry.unit_key) if entry.aim_key and entry.unit_key else None


async def _heading(loaders: Loaders, aim: AimRow) -> AimHeading:
    learner = await loaders[LearnerLoader].load(aim.learner_key)
    qualification = await loaders[QualificationLoader].load(aim.qualification_key)
    iqa = None if aim.iqa_key is None else await loaders[NamedUserLoader].load(aim.iqa_key)
    version = f"v{qualification.version}" if qualification.version else None
    return AimHeading(
        provider=await read_provider_name(loaders.reading),
        learner=learner.name,
        qualification=aim.title,
        reference=" ".join(part for part in (qualification.reference, version) if part),
        employer=learner.employer.name if learner.employer else None,
        assessor=aim.assessor.name if aim.assessor else None,
        iqa=iqa.name if iqa else None,
        status=aim.status,
        start=aim.start_date,
        planned_end=aim.planned_end_date,
        actual_end=aim.actual_end_date,
        made_at=loaders.reading.now,
    )


async def _by_key(loader: Any, keys: Iterable[Any]) -> dict[Any, Any]:
    """Returns the loader's row for each key, without those that the viewer does not see."""
    wanted = [key for key in dict.fromkeys(keys) if key is not None]
    found = await loader.load_many(wanted)
    return {key: row for key, row in zip(wanted, found, strict=True) if row is not None}


async def _names(loaders: Loaders, keys: Iterable[int | None]) -> dict[int, str]:
    return {key: person.name for key, person in (await _by_key(loaders[NamedUserLoader], keys)).items()}
