"""The mutation of units: signing within the confirmation statement."""

import strawberry

from loaders.unit import UnitLoader
from resolvers import unit as units
from schema.field_builders import Id
from schema.payload import changed, mutation, payload, required
from schema.types.unit import Unit


@payload("The unit, changed.")
class UnitPayload:
    unit: Unit | None = changed(UnitLoader, "The unit as it now is.")


@strawberry.type
class UnitMutations:
    unit_sign = mutation(
        UnitPayload,
        units.sign,
        "Signs a complete unit in the viewer's own role, within its confirmation statement, whose words are kept; signing "
        "again changes nothing.",
        id=Id,
        password=required(str, "The viewer's own password."),
    )
