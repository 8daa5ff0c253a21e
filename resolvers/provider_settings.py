"""Provider settings: what the numbers and the signing of units hang on, changed by a Master Admin."""

from typing import Any, TypedDict, Unpack

from auth.viewer import ProviderRules
from domain.enums import Role, UserErrorCode
from repositories.people import lock_provider
from resolvers.authentication import set_viewer
from resolvers.core.context import Context
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from resolvers.exports.labels import ROLE

# An admin is no party to a learner's unit.
WHO_SIGN = (Role.ASSESSOR, Role.IQA, Role.LEARNER, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW)
_MOST_WEEKS = 52


class SettingsChanges(TypedDict, total=False):
    """What a change of the settings may set; what is left out or None stays, but None takes the disclaimer away."""

    traffic_light_tolerance: float | None
    rated_from_percent: float | None
    review_interval_weeks: int | None
    unit_signatures: list[Role] | None
    disclaimer: str | None


async def update(context: Context, **changes: Unpack[SettingsChanges]) -> ProviderRules:
    """Changes the settings; the rules as they now are, by which the operation goes on.

    A disclaimer in other words is asked of everybody again, of the viewer too. Refuses with NOT_ALLOWED, or with
    REQUIRED and INVALID for the fields.
    """
    await _update(context, **changes)
    if context.claims is not None:
        await set_viewer(context, context.claims)
    return context.viewer_or_raise().rules


@mutation("providerSettingsUpdate")
async def _update(uow: UnitOfWork, **changes: Unpack[SettingsChanges]) -> None:
    uow.authorize()
    provider = await lock_provider(uow.session, uow.viewer.provider_key)
    wanted: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    for name, field in (
        ("traffic_light_tolerance", "trafficLightTolerance"),
        ("rated_from_percent", "ratedFromPercent"),
    ):
        if name in wanted:
            _check_percent(uow, wanted[name], "input", field)
    if not 1 <= wanted.get("review_interval_weeks", 1) <= _MOST_WEEKS:
        message = f"Give a number of weeks from 1 to {_MOST_WEEKS}."
        uow.add_error(UserErrorCode.INVALID, message, "input", "reviewIntervalWeeks")
    if "unit_signatures" in wanted:
        wanted["unit_signatures"] = _signers(uow, wanted["unit_signatures"])
    if "disclaimer" in changes:
        wanted["disclaimer"] = (
            multi_line(uow, changes["disclaimer"] or "", "input", "disclaimer", required=False) or None
        )
    uow.raise_errors()
    changed = sorted(name for name, value in wanted.items() if getattr(provider, name) != value)
    for name in changed:
        setattr(provider, name, wanted[name])
    if "disclaimer" in changed:
        provider.disclaimer_version += 1
    if changed:
        provider.settings_version += 1
        uow.audit(None, None, fields=changed)


def _check_percent(uow: UnitOfWork, value: float, *field: str) -> None:
    if not 0 <= value <= 100:
        uow.add_error(UserErrorCode.INVALID, "Give a number from 0 to 100.", *field)
    elif round(value, 1) != value:
        uow.add_error(UserErrorCode.INVALID, "Give at most one decimal: that is how exact the percentages are.", *field)


def _signers(uow: UnitOfWork, roles: list[Role]) -> list[str]:
    """The roles' words, each once, in the order in which they are always told; notes REQUIRED or INVALID."""
    field = ("input", "unitSignatures")
    if not roles:
        uow.add_error(UserErrorCode.REQUIRED, "Choose at least one role that must sign a unit.", *field)
    for place, role in enumerate(roles):
        if role not in WHO_SIGN:
            uow.add_error(UserErrorCode.INVALID, f"The role {ROLE[role]} signs no units.", *field, str(place))
    return [role.value for role in WHO_SIGN if role in roles]
