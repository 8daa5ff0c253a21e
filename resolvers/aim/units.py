"""Chooses the optional units that count for a learner; sums, lights and exports follow."""

from collections.abc import Iterable, Sequence

from db.models.aim import Aim
from db.models.aim_unit import AimUnit
from domain import global_id
from domain.enums import UserErrorCode
from domain.errors import reject
from domain.sentences import say
from repositories.aim_unit import chosen_units, units_of_version
from resolvers.aim.result import AimChange, of_aim
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.rules.aim import AIM, AimState
from services.importer.draft import MAX_UNITS


@mutation("aimUnitsChoose")
async def choose(uow: UnitOfWork, *, id: str, unit_ids: Sequence[str]) -> AimChange:
    """Makes these the chosen units of an aim; mandatory ones among them need no choice.

    What was reached in a unit that is no longer chosen is kept, and counts again if it is chosen again. Rejects with
    NOT_FOUND, NOT_ALLOWED, and INVALID for units of another aim.
    """
    aim = await uow.get(Aim, id, "id")
    uow.require(AIM, AimState.of(aim))
    if len(unit_ids) > MAX_UNITS:
        message = say("TOO_MANY_UNITS", most=MAX_UNITS)
        raise reject(UserErrorCode.INVALID, message, "unitIds")
    units = await units_of_version(uow.session, aim.qualification_id)
    wanted: set[int] = set()
    for index, unit_id in enumerate(unit_ids):
        aim_key, unit_key = global_id.decode_pair("Unit", unit_id) or (0, 0)
        if aim_key != aim.id or unit_key not in units:
            uow.add_not_found("unitIds", str(index))
        elif not units[unit_key].mandatory:
            wanted.add(unit_key)
    uow.raise_errors()
    if await set_chosen(uow, aim, wanted):
        uow.audit("Aim", aim.id, learner_id=aim.learner_id, aim_id=aim.id, fields=["units"], units=sorted(wanted))
    return of_aim(aim)


async def set_chosen(uow: UnitOfWork, aim: Aim, wanted: Iterable[int]) -> bool:
    """Stores which optional units count. Returns whether that changes anything."""
    existing, wanted = await chosen_units(uow.session, aim.id), set(wanted)
    for key in existing.keys() - wanted:
        await uow.session.delete(existing[key])
    for key in sorted(wanted - existing.keys()):
        uow.session.add(
            AimUnit(
                aim_id=aim.id, unit_id=key, provider_id=aim.provider_id, learner_id=aim.learner_id,
                chosen_by_id=uow.viewer.user_key, chosen_at=uow.now,
            )
        )  # fmt: skip
    uow.recount_choice(aim)
    uow.recount_progress(aim.id)
    return existing.keys() != wanted
