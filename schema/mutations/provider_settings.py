"""Mutations of the provider's settings."""

import strawberry

from resolvers import provider_settings
from schema.enums import Role
from schema.payload import mutation, payload, required, result
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


@payload("The settings, changed.")
class ProviderSettingsPayload:
    # Not through a loader: loaders refuse a viewer who has a disclaimer to accept.
    provider_settings: ProviderSettings | None = result("The settings as they now are.")


@strawberry.type
class ProviderSettingsMutations:
    provider_settings_update = mutation(
        ProviderSettingsPayload,
        provider_settings.update,
        "Changes the provider's settings; every number follows at once. After a change of the disclaimer everybody, the "
        "viewer too, has to accept it before anything else.",
        input=required(ProviderSettingsInput, "What to change."),
    )
