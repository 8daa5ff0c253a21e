"""Units of a learner's aim, made from the cached units of the qualification, and their signatures."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Select

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.unit_signature import UnitSignature
from db.models.user import User
from db.sql.any_of import any_of
from domain.enums import Role
from domain.global_id import Identifier
from loaders.aim import AimLoader, AimRow
from loaders.aim_version import EarlierVersionsLoader
from loaders.core.base import ManyLoader, OneLoader
from loaders.core.qualification_cache import UnitReference
from loaders.core.registry import Loaders
from loaders.core.row_properties import Delegated
from loaders.core.rows import Attributes, LightRow, column, nested, row
from loaders.user import UserRow


@dataclass(slots=True, eq=False)
class UnitRow:
    """A unit of a learner's aim."""

    aim: AimRow
    unit: UnitReference

    # What its fields, loaders and rules read of the aim.
    other_rows: ClassVar[Attributes] = {AimRow: ("qualification_key", "chosen_units", "learner_key")}

    id = Identifier("Unit", "aim.key", "unit.key")
    number = Delegated[str]("unit.number")
    title = Delegated[str]("unit.title")
    mandatory = Delegated[bool]("unit.mandatory")

    @property
    def chosen(self) -> bool:
        """Returns whether the unit counts for the learner: it is mandatory or chosen, and of the aim's version."""
        if self.unit.qualification_key != self.aim.qualification_key:
            return False
        return self.unit.mandatory or self.unit.key in self.aim.chosen_units

    @property
    def key(self) -> tuple[int, int]:
        """Returns (aim key, key of the qualification's unit)."""
        return self.aim.key, self.unit.key


class UnitsOfAimLoader(ManyLoader[int, UnitRow]):
    """Loads the units of an aim in the order of the qualification. Versions in the cache are not read.

    `counted_only`: only the units that count for the learner, which are mandatory or chosen.
    """

    keys_of = "aim"
    other_rows = UnitRow.other_rows

    def __init__(self, loaders: Loaders, counted_only: bool = True) -> None:
        super().__init__(loaders)
        self._aims = loaders[AimLoader]
        self._counted_only = counted_only

    async def fetch(self, keys: list[int]) -> dict[int, list[UnitRow]]:
        aims = [aim for aim in await self._aims.load_many(keys) if aim is not None]
        versions = await self.reading.qualifications.qualifications(aim.qualification_key for aim in aims)
        found: dict[int, list[UnitRow]] = {}
        for aim in aims:
            chosen = aim.chosen_units
            found[aim.key] = [
                UnitRow(aim, unit)
                for unit in versions[aim.qualification_key].units
                if not self._counted_only or unit.mandatory or unit.key in chosen
            ]
        return found


class UnitsOfEarlierVersionsLoader(ManyLoader[int, UnitRow]):
    """Loads the units of the versions that an aim was measured against before."""

    keys_of = "aim"

    def __init__(self, loaders: Loaders) -> None:
        super().__init__(loaders)
        self._aims = loaders[AimLoader]
        self._versions = loaders[EarlierVersionsLoader]

    async def fetch(self, keys: list[int]) -> dict[int, list[UnitRow]]:
        lists = await self._versions.load_many(keys)
        earlier = {version.aim_key: version.qualification_key for versions in lists for version in versions}
        if not earlier:
            return {}
        aims = {aim.key: aim for aim in await self._aims.load_many(list(earlier)) if aim is not None}
        found: dict[int, list[UnitRow]] = {}
        read = await self.reading.qualifications.qualifications(
            version.qualification_key for versions in lists for version in versions
        )
        for versions in lists:
            for version in versions:
                if (aim := aims.get(version.aim_key)) is not None:
                    units = read[version.qualification_key].units
                    found.setdefault(aim.key, []).extend(UnitRow(aim, unit) for unit in units)
        return found


class UnitLoader(OneLoader[tuple[int, int], UnitRow], node="Unit"):
    """Loads units by (aim key, unit key), also those of an aim's earlier versions."""

    keys_of = "unit"

    def __init__(self, loaders: Loaders) -> None:
        super().__init__(loaders)
        self._units_of_aim = loaders.get(UnitsOfAimLoader, False)
        self._earlier = loaders[UnitsOfEarlierVersionsLoader]

    async def fetch(self, keys: list[tuple[int, int]]) -> dict[tuple[int, int], UnitRow]:
        lists = await self._units_of_aim.load_many(list({aim_key for aim_key, _ in keys}))
        found = {unit.key: unit for units in lists for unit in units}
        # Of an aim that the viewer sees, a unit that is not in its version may be in an earlier one.
        aims_left = {aim_key for aim_key, unit_key in keys if (aim_key, unit_key) not in found}
        seen = [aim_key for aim_key in aims_left if any(key[0] == aim_key for key in found)]
        for units in await self._earlier.load_many(seen):
            found |= {unit.key: unit for unit in units if unit.key not in found}
        return found


# ---------------------------------------------------------------------- signatures


@dataclass(slots=True)
class UnitSignatureRow:
    """The place for the signature of one role under a unit's confirmation statement, or one that was withdrawn."""

    role: Role
    required: bool
    # None until the role has signed.
    signed_by: UserRow | None = None
    signed_at: dt.datetime | None = None
    signed_statement: str | None = None
    completes_unit: bool = False
    # None while the signature stands.
    withdrawn_at: dt.datetime | None = None
    withdrawn_reason: str | None = None


def unit_signed_off(signatures: Iterable[UnitSignatureRow]) -> bool:
    """Returns whether the roles have signed that the provider requires, today or on the day of the last signature."""
    standing = [signature for signature in signatures if signature.withdrawn_at is None]
    signed = all(signature.signed_at for signature in standing if signature.required)
    return signed or any(signature.completes_unit for signature in standing)


@row(
    UnitSignature,
    joins=lambda statement: statement.join(Aim, Aim.id == UnitSignature.aim_id).join(
        User, User.id == UnitSignature.signed_by_id
    ),
)
class _GivenSignatureRow(LightRow):
    aim_key: int = column(UnitSignature.aim_id)
    unit_key: int = column(UnitSignature.unit_id)
    role: Role = column(UnitSignature.role)
    signed_at: dt.datetime = column(UnitSignature.signed_at)
    signed_statement: str = column(UnitSignature.statement)
    completes_unit: bool = column(UnitSignature.completes_unit)
    withdrawn_at: dt.datetime | None = column(UnitSignature.withdrawn_at)
    withdrawn_reason: str | None = column(UnitSignature.withdrawn_reason)
    signed_by: UserRow = nested(UserRow, key=UnitSignature.signed_by_id)


@cached_statement
def _given_signatures(role: Role) -> Select:
    return (
        _GivenSignatureRow.select(role)
        .where(
            any_of(UnitSignature.aim_id),
            any_of(Aim.id),
            any_of(UnitSignature.unit_id, "unit_keys"),
            scope.sees_aim(role),
        )
        .order_by(UnitSignature.signed_at, UnitSignature.id)
    )


class UnitSignaturesLoader(ManyLoader[tuple[int, int], UnitSignatureRow]):
    """Loads the signatures of a unit by (aim key, unit key).

    They are those that the provider requires, given or not, and any others that were given, in the order of the roles;
    then those that were withdrawn, oldest first, which are no longer required.
    """

    keys_of = "unit"

    async def fetch(self, keys: list[tuple[int, int]]) -> dict[tuple[int, int], list[UnitSignatureRow]]:
        required = self.reading.viewer.rules.unit_signatures
        found = {key: {role: UnitSignatureRow(role, required=True) for role in required} for key in keys}
        withdrawn: dict[tuple[int, int], list[UnitSignatureRow]] = {key: [] for key in keys}
        given = await self.reading.read(
            _GivenSignatureRow,
            _given_signatures(self.reading.viewer.role),
            keys=list({aim_key for aim_key, _ in keys}),
            unit_keys=list({unit_key for _, unit_key in keys}),
        )
        for each in given:
            # The statement combines all aims with all units, so it also finds pairs that are not among the keys.
            if (by_role := found.get((each.aim_key, each.unit_key))) is not None:
                stands = each.withdrawn_at is None
                signature = UnitSignatureRow(
                    each.role, stands and each.role in required, each.signed_by, each.signed_at, each.signed_statement,
                    each.completes_unit, each.withdrawn_at, each.withdrawn_reason,
                )  # fmt: skip
                if stands:
                    by_role[each.role] = signature
                else:
                    withdrawn[each.aim_key, each.unit_key].append(signature)
        return {
            key: [by_role[role] for role in Role if role in by_role] + withdrawn[key] for key, by_role in found.items()
        }
