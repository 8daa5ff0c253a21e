"""The provider's settings for progress, reviews, unit signatures and the disclaimer, changed by a Master Admin."""

from typing import Any, TypedDict, Unpack

from auth import policy
from db.models.provider import Provider
from domain.enums import Role, UserErrorCode
from domain.sentences import say
from repositories.provider import lock_provider
from resolvers.core.changes import assign, changed_texts
from resolvers.core.unit_of_work import UnitOfWork, mutation

# The roles that can sign a unit, in the order in which they are shown. Admins do not sign.
SIGNING_ROLES = (Role.ASSESSOR, Role.IQA, Role.LEARNER, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW)
_MAX_WEEKS, _MAX_MONTHS, _MAX_REMINDER_DAYS = 52, 12, 90


class SettingsChanges(TypedDict, total=False):
    """The changes of the settings: what is missing or None is not changed, except that None removes the disclaimer."""

    traffic_light_tolerance: float | None
    rated_from_percent: float | None
    review_interval_weeks: int | None
    review_rule_months: int | None
    unit_signatures: list[Role] | None
    review_signatures: list[Role] | None
    disclaimer: str | None
    reminder_every_days: int | None
    require_second_factor: list[Role] | None


@mutation("providerSettingsUpdate")
async def update(uow: UnitOfWork, **changes: Unpack[SettingsChanges]) -> None:
    """Changes the settings, which apply to the rest of the operation too.

    After a change of the disclaimer every user, the viewer too, must accept it again. Rejects with NOT_ALLOWED, or with
    REQUIRED and INVALID for the fields.
    """
    uow.authorize()
    provider = await lock_provider(uow.session, uow.viewer.provider_key)
    values: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    for name, field in (
        ("traffic_light_tolerance", "trafficLightTolerance"),
        ("rated_from_percent", "ratedFromPercent"),
    ):
        if name in values:
            _check_percent(uow, values[name], "input", field)
    if not 1 <= values.get("review_interval_weeks", 1) <= _MAX_WEEKS:
        message = say("WEEKS_OUT_OF_RANGE", most=_MAX_WEEKS)
        uow.add_error(UserErrorCode.INVALID, message, "input", "reviewIntervalWeeks")
    if not 1 <= values.get("review_rule_months", 1) <= _MAX_MONTHS:
        message = say("MONTHS_OUT_OF_RANGE", most=_MAX_MONTHS)
        uow.add_error(UserErrorCode.INVALID, message, "input", "reviewRuleMonths")
    if not 0 <= values.get("reminder_every_days", 0) <= _MAX_REMINDER_DAYS:
        message = say("REMINDER_DAYS_OUT_OF_RANGE", most=_MAX_REMINDER_DAYS)
        uow.add_error(UserErrorCode.INVALID, message, "input", "reminderEveryDays")
    if "unit_signatures" in values:
        values["unit_signatures"] = _parse_signing_roles(uow, values["unit_signatures"])
    if "review_signatures" in values:
        values["review_signatures"] = _parse_review_roles(uow, values["review_signatures"])
    if "require_second_factor" in values:
        values["require_second_factor"] = [role.value for role in Role if role in values["require_second_factor"]]
    values |= changed_texts(uow, Provider, changes)
    uow.raise_errors()
    changed = sorted(assign(provider, values))
    if "disclaimer" in changed:
        provider.disclaimer_version += 1
    if changed:
        provider.settings_version += 1
        uow.audit(None, None, fields=changed)
    uow.after_commit(uow.context.reload_viewer)


def _check_percent(uow: UnitOfWork, value: float, *field: str) -> None:
    if not 0 <= value <= 100:
        uow.add_error(UserErrorCode.INVALID, say("PERCENT_OUT_OF_RANGE"), *field)
    elif round(value, 1) != value:
        uow.add_error(UserErrorCode.INVALID, say("PERCENT_TOO_PRECISE"), *field)


def _parse_review_roles(uow: UnitOfWork, roles: list[Role]) -> list[str]:
    """Returns the values of the roles, each once; records REQUIRED or INVALID."""
    field = ("input", "reviewSignatures")
    if not {Role.LEARNER, Role.ASSESSOR} <= set(roles):
        uow.add_error(UserErrorCode.REQUIRED, say("REVIEW_SIGNERS_MISSING"), *field)
    for index, role in enumerate(roles):
        if not policy.may(role, "reviewSign"):
            uow.add_error(UserErrorCode.INVALID, say("ROLE_CANNOT_SIGN_REVIEWS", role=role), *field, str(index))
    return [role.value for role in Role if role in roles]


def _parse_signing_roles(uow: UnitOfWork, roles: list[Role]) -> list[str]:
    """Returns the values of the roles, each once, in the order of SIGNING_ROLES; records REQUIRED or INVALID."""
    field = ("input", "unitSignatures")
    if not roles:
        uow.add_error(UserErrorCode.REQUIRED, say("UNIT_SIGNATURES_MISSING"), *field)
    for index, role in enumerate(roles):
        if role not in SIGNING_ROLES:
            message = say("ROLE_CANNOT_SIGN_UNITS", role=role)
            uow.add_error(UserErrorCode.INVALID, message, *field, str(index))
    return [role.value for role in SIGNING_ROLES if role in roles]
