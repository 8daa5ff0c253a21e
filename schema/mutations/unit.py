"""The mutation of units: signing within the confirmation statement."""

from typing import Annotated

import strawberry

from loaders.unit import UnitLoader
from resolvers import unit as unit_
from schema.field_builders import Id, Info, attribute
from schema.payload import UserError, answer, errors_field
from schema.types.unit import Unit


@strawberry.type(description="The unit, changed.")
class UnitPayload:
    unit: Unit | None = attribute("The unit as it now is.")
    errors: list[UserError] = errors_field()


@strawberry.type
class UnitMutations:
    @strawberry.mutation(
        description="Signs a complete unit in the viewer's own role, within its confirmation statement, whose words "
        "are kept; signing again changes nothing."
    )
    async def unit_sign(
        self,
        info: Info,
        id: Id,
        password: Annotated[str, strawberry.argument(description="The viewer's own password.")],
    ) -> UnitPayload:
        write = unit_.sign(info.context, id=id, password=password)
        # A key that was kept with an Idempotency-Key comes back from JSON as a list.
        return await answer(info, UnitPayload, write, unit=lambda key, load: load[UnitLoader].load(tuple(key)))
