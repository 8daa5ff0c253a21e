"""Mutations of the provider's settings."""

from typing import Annotated

import strawberry

from domain.errors import DomainError
from resolvers import provider_settings
from schema.enums import Role
from schema.field_builders import Info, attribute
from schema.payload import UserError, errors_field, errors_of, plain
from schema.types.provider_settings import ProviderSettings


@strawberry.input(description="What to change of the provider's settings; what is left out stays.")
class ProviderSettingsInput:
    traffic_light_tolerance: float | None = strawberry.field(
        default=strawberry.UNSET,
        description="Percentage points either side of on track: 0 to 100, with one decimal at most.",
    )
    rated_from_percent: float | None = strawberry.field(
        default=strawberry.UNSET,
        description="How much of its duration must be gone before an aim is rated: 0 to 100, with one decimal at most.",
    )
    review_interval_weeks: int | None = strawberry.field(
        default=strawberry.UNSET, description="Weeks from one formal review to the next, 1 to 52."
    )
    unit_signatures: list[Role] | None = strawberry.field(
        default=strawberry.UNSET, description="The roles that must sign a unit: at least one, and no admin's."
    )
    disclaimer: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The words to accept before anything else; everybody is asked again when they change. Null for none.",
    )


@strawberry.type(description="The settings, changed.")
class ProviderSettingsPayload:
    provider_settings: ProviderSettings | None = attribute("The settings as they now are.")
    errors: list[UserError] = errors_field()


@strawberry.type
class ProviderSettingsMutations:
    @strawberry.mutation(
        description="Changes the provider's settings; every number follows at once. After a change of the disclaimer the "
        "viewer has to accept it too (`disclaimerAccept`)."
    )
    async def provider_settings_update(
        self, info: Info, input: Annotated[ProviderSettingsInput, strawberry.argument(description="What to change.")]
    ) -> ProviderSettingsPayload:
        try:
            rules = await provider_settings.update(info.context, changes=plain(input))
        except DomainError as refused:
            return ProviderSettingsPayload(provider_settings=None, errors=errors_of(refused))
        # Not through the loaders: they let nobody in who has a disclaimer to accept.
        return ProviderSettingsPayload(provider_settings=rules, errors=[])
