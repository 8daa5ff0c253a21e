"""Provider settings: what the numbers and the signing of units hang on."""

import strawberry

from schema.enums import Role
from schema.field_builders import Info, attribute


@strawberry.type(description="The provider's settings, which every number in the graph follows.")
class ProviderSettings:
    traffic_light_tolerance: float = attribute(
        "Percentage points either side of the expected progress that still count as on track; at the tolerance itself "
        "an aim is off track or ahead."
    )
    rated_from_percent: float = attribute("Aims are rated once this much of their duration has passed, 0 to 100.")
    review_interval_weeks: int = attribute("Weeks from one formal review to the next.")
    unit_signatures: list[Role] = attribute("The roles that must sign a unit; any other role may.")
    disclaimer: str | None = attribute("The words to accept at the first sign-in; null where there are none.")


@strawberry.type
class ProviderSettingsQueries:
    @strawberry.field(description="The settings of the viewer's provider.")
    def provider_settings(root: object, info: Info) -> ProviderSettings:
        return info.context.require_active_viewer().rules  # type: ignore[return-value]
