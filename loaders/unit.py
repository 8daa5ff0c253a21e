"""Units of one learner's aim: the qualification's units, which are in memory, beside what the learner has reached."""

import datetime as dt
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Select, select

from auth import scope
from db.models.aim import Aim
from db.models.criterion_progress import CriterionProgress
from db.models.unit_signature import UnitSignature
from db.models.user import User
from db.sql.any_of import any_of
from domain import progress
from domain.enums import CriterionFilter, CriterionStatus, Role
from domain.global_id import Identifier
from domain.progress import criterion_status
from loaders.aim import AimLoader, AimRow
from loaders.core.base import ManyLoader, OneLoader
from loaders.core.dataloader import BaseLoader
from loaders.core.delegated import Delegated
from loaders.core.qualification_cache import UnitReference
from loaders.core.read_session import cached_statement
from loaders.core.registry import Loaders
from loaders.criterion import NOT_STARTED, CriterionProgressRow, CriterionRow
from loaders.user import UserRow

V = TypeVar("V")


@dataclass(slots=True)
class UnitProgressRow:
    """Criteria of one unit, counted."""

    criteria_total: int
    criteria_mapped: int
    criteria_signed_off: int

    @property
    def mapped_percent(self) -> float:
        """Orange, 0 to 100; signed off included."""
        return progress.percent(self.criteria_mapped, self.criteria_total)

    @property
    def signed_off_percent(self) -> float:
        """Green, 0 to 100."""
        return progress.percent(self.criteria_signed_off, self.criteria_total)

    @property
    def complete(self) -> bool:
        """Whether every criterion is signed off, and there is one."""
        return 0 < self.criteria_total == self.criteria_signed_off


@dataclass(slots=True, eq=False)
class UnitRow:
    """One learner's unit."""

    aim: AimRow
    unit: UnitReference

    id = Identifier("Unit", "aim.key", "unit.key")
    number = Delegated[str]("unit.number")
    title = Delegated[str]("unit.title")
    mandatory = Delegated[bool]("unit.mandatory")

    @property
    def key(self) -> tuple[int, int]:
        """(aim key, key of the qualification's unit)."""
        return self.aim.key, self.unit.key


@dataclass(slots=True)
class UnitSignatureRow:
    """One role's place under a unit's confirmation statement; who and when are None until it is signed."""

    role: Role
    required: bool
    signed_by: UserRow | None = None
    signed_at: dt.datetime | None = None


@cached_statement
def _signatures(role: Role) -> Select:
    return (
        select(
            UnitSignature.aim_id,
            UnitSignature.unit_id,
            UnitSignature.role,
            UnitSignature.signed_by_id,
            User.name,
            UnitSignature.signed_at,
        )
        .join(Aim, Aim.id == UnitSignature.aim_id)
        .join(User, User.id == UnitSignature.signed_by_id)
        .where(
            any_of(UnitSignature.aim_id),
            any_of(Aim.id),
            any_of(UnitSignature.unit_id, "units"),
            UnitSignature.withdrawn_at.is_(None),
            scope.sees_aim(role),
        )
    )


@cached_statement
def _criterion_progress(role: Role) -> Select:
    return (
        select(
            CriterionProgress.aim_id,
            CriterionProgress.criterion_id,
            CriterionProgress.evidence_count,
            CriterionProgress.signed_off,
            CriterionProgress.signed_off_by_id,
            CriterionProgress.signed_off_at,
        )
        .join(Aim, Aim.id == CriterionProgress.aim_id)
        # The keys on both sides: otherwise the whole scope, hundreds of aims, is read to be joined with three.
        .where(any_of(CriterionProgress.aim_id), any_of(Aim.id), scope.sees_aim(role))
    )


class CriterionProgressLoader(OneLoader[int, dict[int, CriterionProgressRow]]):
    """What was reached in an aim, by criterion key: entries only for criteria that were touched."""

    keys_of = "aim"

    async def fetch(self, keys: list[int]) -> dict[int, dict[int, CriterionProgressRow]]:
        found: dict[int, dict[int, CriterionProgressRow]] = {key: {} for key in keys}
        rows = await self.reading.rows(_criterion_progress(self.reading.viewer.role), keys=keys)
        for aim, criterion, count, signed_off, by, at in rows:
            found[aim][criterion] = CriterionProgressRow(count, signed_off, by, at, criterion_status(count, signed_off))
        return found


class UnitsOfAimLoader(ManyLoader[int, UnitRow]):
    """An aim's units in the qualification's order; reads nothing for versions that are in memory."""

    keys_of = "aim"

    def __init__(self, loaders: Loaders) -> None:
        super().__init__(loaders)
        self._aims = loaders[AimLoader]

    async def fetch(self, keys: list[int]) -> dict[int, list[UnitRow]]:
        aims = [aim for aim in await self._aims.load_many(keys) if aim is not None]
        versions = await self.reading.qualifications.qualifications(aim.qualification_key for aim in aims)
        return {aim.key: [UnitRow(aim, unit) for unit in versions[aim.qualification_key].units] for aim in aims}


class UnitLoader(OneLoader[tuple[int, int], UnitRow], node="Unit"):
    """Units by (aim key, unit key)."""

    keys_of = "unit"

    def __init__(self, loaders: Loaders) -> None:
        super().__init__(loaders)
        self._units_of_aim = loaders[UnitsOfAimLoader]

    async def fetch(self, keys: list[tuple[int, int]]) -> dict[tuple[int, int], UnitRow]:
        lists = await self._units_of_aim.load_many(list({aim_key for aim_key, _ in keys}))
        return {unit.key: unit for units in lists for unit in units}


class _ByUnit(BaseLoader[UnitRow, V], Generic[V]):
    """Takes units that were read already."""

    def get_cache_key(self, unit: UnitRow) -> tuple[int, int]:
        return unit.key


class CriteriaOfUnitLoader(_ByUnit[list[CriterionRow]]):
    """A unit's criteria in order, all or what is left to do; every unit of an aim costs one statement together."""

    def __init__(self, loaders: Loaders, which: CriterionFilter) -> None:
        super().__init__()
        self._progress = loaders[CriterionProgressLoader]
        self._which = which

    async def read(self, units: list[UnitRow]) -> list[list[CriterionRow]]:
        aim_keys = list({unit.aim.key for unit in units})
        progress_of_aim = dict(zip(aim_keys, await self._progress.load_many(aim_keys), strict=True))
        lists = []
        for unit in units:
            reached = progress_of_aim[unit.aim.key].get
            lists.append([CriterionRow(unit, each, reached(each.key, NOT_STARTED)) for each in unit.unit.criteria])
        if self._which is CriterionFilter.ALL:
            return lists
        return [[row for row in rows if row.status is not CriterionStatus.SIGNED_OFF] for rows in lists]


class UnitProgressLoader(_ByUnit[UnitProgressRow]):
    """A unit's criteria counted; reads nothing that the list of criteria has not read."""

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self._criteria = loaders.get(CriteriaOfUnitLoader, CriterionFilter.ALL)

    async def read(self, units: list[UnitRow]) -> list[UnitProgressRow]:
        return [_counted(criteria) for criteria in await self._criteria.load_many(units)]


def _counted(criteria: list[CriterionRow]) -> UnitProgressRow:
    statuses = [criterion.status for criterion in criteria]
    untouched, signed_off = statuses.count(CriterionStatus.NOT_STARTED), statuses.count(CriterionStatus.SIGNED_OFF)
    return UnitProgressRow(len(statuses), len(statuses) - untouched, signed_off)


class UnitSignaturesLoader(ManyLoader[tuple[int, int], UnitSignatureRow]):
    """By (aim key, unit key), in the order of the roles: those that the provider requires, signed or not, and any other
    that signed. Withdrawn signatures are left out."""

    keys_of = "unit"

    async def fetch(self, keys: list[tuple[int, int]]) -> dict[tuple[int, int], list[UnitSignatureRow]]:
        required = self.reading.viewer.rules.unit_signatures
        found = {key: {role: UnitSignatureRow(role, True) for role in required} for key in keys}
        rows = await self.reading.rows(
            _signatures(self.reading.viewer.role),
            keys=list({aim_key for aim_key, _ in keys}),
            units=list({unit_key for _, unit_key in keys}),
        )
        for aim_key, unit_key, role, by, by_name, at in rows:
            if (aim_key, unit_key) in found:
                signed = UnitSignatureRow(role, role in required, UserRow(by, by_name), at)
                found[aim_key, unit_key][role] = signed
        return {key: [roles[role] for role in Role if role in roles] for key, roles in found.items()}


class CriterionLoader(OneLoader[tuple[int, int], CriterionRow], node="Criterion"):
    """Criteria by (aim key, criterion key)."""

    keys_of = "criterion"

    def __init__(self, loaders: Loaders) -> None:
        super().__init__(loaders)
        self._units_of_aim = loaders[UnitsOfAimLoader]
        self._criteria = loaders.get(CriteriaOfUnitLoader, CriterionFilter.ALL)

    async def fetch(self, keys: list[tuple[int, int]]) -> dict[tuple[int, int], CriterionRow]:
        wanted = set(keys)
        lists = await self._units_of_aim.load_many(list({aim_key for aim_key, _ in keys}))
        holding = [
            unit
            for units in lists
            for unit in units
            if any((unit.aim.key, criterion.key) in wanted for criterion in unit.unit.criteria)
        ]
        return {row.key: row for rows in await self._criteria.load_many(holding) for row in rows}
