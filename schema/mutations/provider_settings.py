"""Mutations of the provider's settings."""

import strawberry

from resolvers import provider_settings
from schema.enums import Role
from schema.payload import mutation, payload, required, result
from schema.types.provider_settings import ProviderSettings


@strawberry.input(description="The changes of the provider's settings; omitted fields are not changed.")
class ProviderSettingsInput:
    traffic_light_tolerance: float | None = strawberry.field(
        default=strawberry.UNSET,
        description="How far an aim may be ahead or behind to count as on track, in percentage points: 0 to 100, with "
        "up to one decimal place.",
    )
    rated_from_percent: float | None = strawberry.field(
        default=strawberry.UNSET,
        description="How much of its duration must have passed before an aim is rated, in percent: 0 to 100, with up "
        "to one decimal place.",
    )
    review_interval_weeks: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Weeks between formal reviews, 1 to 52. 12 means the standard rule; any other number holds for "
        "every aim.",
    )
    review_rule_months: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Months between formal reviews of aims that started from 1 August 2025, 1 to 12; 3 by default.",
    )
    unit_signatures: list[Role] | None = strawberry.field(
        default=strawberry.UNSET, description="The roles that must sign a unit: at least one, never an admin role."
    )
    review_signatures: list[Role] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The roles that must sign a progress review: LEARNER, ASSESSOR, and an employer's role if it must "
        "sign too.",
    )
    disclaimer: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The text that every user must accept before they continue, again after each change; null for "
        "none.",
    )
    reminder_every_days: int | None = strawberry.field(
        default=strawberry.UNSET, description="Days between two reminders of the same task, up to 90; 0 for none."
    )
    require_second_factor: list[Role] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The roles that need a second factor, from the next request on; an empty list for none.",
    )


@payload("The result of a change of the settings.")
class ProviderSettingsPayload:
    # Not read by a loader, because loaders reject a viewer who must accept a new disclaimer.
    provider_settings: ProviderSettings | None = result(
        "The settings after the change.", make=lambda context, _: context.viewer_or_raise().rules
    )


@strawberry.type
class ProviderSettingsMutations:
    provider_settings_update = mutation(
        ProviderSettingsPayload,
        provider_settings.update,
        "Changes the provider's settings, which apply to every number at once. After a change of the disclaimer every "
        "user, the viewer too, must accept it before they continue.",
        input=required(ProviderSettingsInput, "The changes."),
    )
