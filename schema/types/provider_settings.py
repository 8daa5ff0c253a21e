"""The provider's settings for progress and for the signing of units."""

import strawberry

from auth.viewer import ReviewRuleRow
from schema.enums import Role
from schema.field_builders import attribute, resolved
from schema.relay import value


@value(ReviewRuleRow, "When a formal review is due after the last one: after weeks, or by the end of a month.")
class ReviewRule:
    every_weeks: int | None = attribute("Weeks after the last review; null if months are counted.")
    every_months: int | None = attribute(
        "It is due at the end of the month that lies so many months after the last review; null if weeks are counted."
    )
    source: str = attribute("Where the rule comes from.")


@strawberry.type(
    description="The training provider's settings. They decide how progress is rated and which signatures a unit needs."
)
class ProviderSettings:
    traffic_light_tolerance: float = attribute(
        "The tolerance of the traffic light in percentage points: an aim that is this much behind the expected "
        "progress is off track, one that is this much ahead of it is ahead."
    )
    rated_from_percent: float = attribute(
        "How much of an aim's duration must have passed before it has a traffic light, in percent, 0 to 100."
    )
    review_interval_weeks: int = attribute(
        "Weeks from one formal review to the next. 12 means the standard rule (`reviewRule`); any other number holds "
        "for every aim."
    )
    review_rule: ReviewRule = attribute("When a formal review is due after the last one, for aims that start now.")
    unit_signatures: list[Role] = attribute("The roles that must sign each unit. Other roles may sign too.")
    review_signatures: list[Role] = attribute(
        "The roles that sign a progress review: learner and assessor, and the employer's if the provider wants it. An "
        "employer's role signs where the learner has an employer."
    )
    disclaimer: str | None = attribute(
        "The text that each user has to accept at the first login; null if there is none."
    )
    reminder_every_days: int = attribute(
        "Days between two e-mails that remind of the same task, as long as it waits; 0 sends none."
    )
    require_second_factor: list[Role] = attribute(
        "The roles that need a second factor: a user who acts in one of them has to set it up before anything else."
    )


@strawberry.type
class ProviderSettingsQueries:
    provider_settings: ProviderSettings = resolved(
        "The settings of the viewer's provider.", lambda root, info: info.context.require_active_viewer().rules
    )
