"""The mutation of units: sign one."""

import strawberry

from loaders.unit import UnitLoader
from resolvers import unit as units
from schema.field_builders import Id
from schema.payload import changed, mutation, payload, required
from schema.types.unit import Unit


@payload("The result of signing a unit.")
class UnitPayload:
    unit: Unit | None = changed(UnitLoader, "The unit after the change.")


@strawberry.type
class UnitMutations:
    unit_sign = mutation(
        UnitPayload,
        units.sign,
        "Signs the confirmation statement of a complete unit in the viewer's role. The statement is kept with the "
        "signature. Signing it again changes nothing.",
        id=Id,
        password=required(str, "The viewer's own password; without one, a code of `signingCodeRequest`."),
    )
