"""Provider settings: valid values, permissions, and their effect on numbers and users at once."""

from typing import Any

import pytest

from auth.viewer import SetupRequired, read_viewer
from db.models.provider import Provider
from domain import global_id as ids
from domain.enums import TrafficLight
from loaders.aim import AimLoader
from resolvers.authentication import login as sign_in
from resolvers.authentication.disclaimer import accept as disclaimer_accept
from resolvers.core.context import Context
from tests.support.client import InProcessClient
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

_WORDS = "I have read how my data is used."


async def signed_in(scenario: EmptyPortfolio, who: str) -> Context:
    """Returns the context of a user with real tokens, whose settings are read with each request."""
    there = Context(scenario.services)
    await sign_in.login(there, username=scenario.user(who).username, password=PASSWORD)
    return there


async def update(there: Context, **settings: Any) -> dict[str, Any]:
    return await InProcessClient.of(there).mutate("providerSettingsUpdate", input=settings)


async def provider(scenario: EmptyPortfolio) -> Provider:
    return await scenario.one(Provider, scenario.user("master").provider_id)


async def test_settings_are_changed_and_omitted_fields_are_not(scenario: EmptyPortfolio) -> None:
    there = await signed_in(scenario, "master")
    settings = {
        "trafficLightTolerance": 7.5, "ratedFromPercent": 12, "reviewIntervalWeeks": 8,
        "unitSignatures": ["LEARNER", "ASSESSOR", "LEARNER"],
    }  # fmt: skip
    settings = await update(there, **settings)
    assert settings == {**settings, "unitSignatures": ["ASSESSOR", "LEARNER"], "disclaimer": None}
    # The rest of the operation uses the new settings.
    assert there.viewer_or_raise().rules.traffic_light_tolerance == 7.5
    assert await update(there, reviewIntervalWeeks=10, ratedFromPercent=None) == {**settings, "reviewIntervalWeeks": 10}
    await update(there, reviewIntervalWeeks=10)
    assert (await provider(scenario)).settings_version == 3
    assert await scenario.audit_trail() == ["login", "providerSettingsUpdate", "providerSettingsUpdate"]


async def test_the_traffic_light_follows_the_settings_at_once(scenario: EmptyPortfolio) -> None:
    there = await signed_in(scenario, "master")
    lights = []
    for tolerance in (100, 1):
        await update(there, trafficLightTolerance=tolerance)
        lights.append((await there.loaders[AimLoader].load(ids.decode("Aim", scenario.aim))).traffic_light)
    assert lights == [TrafficLight.ON_TRACK, TrafficLight.OFF_TRACK]


async def test_a_changed_disclaimer_must_be_accepted_again(scenario: EmptyPortfolio) -> None:
    master, assessor = await signed_in(scenario, "master"), await signed_in(scenario, "assessor")
    settings = await update(master, disclaimer=f"  {_WORDS} ")
    assert settings["disclaimer"] == _WORDS
    # By the user who changed it too, and by users who are signed in.
    with pytest.raises(SetupRequired):
        _ = master.require_active_viewer()
    assert (await read_viewer(scenario.database, assessor.claims)).must_accept_disclaimer
    await disclaimer_accept(assessor)
    await disclaimer_accept(master)
    assert not (await read_viewer(scenario.database, assessor.claims)).must_accept_disclaimer
    # The same text with other settings, or no text, need not be accepted.
    await update(master, disclaimer=_WORDS, reviewIntervalWeeks=3)
    assert not (await read_viewer(scenario.database, assessor.claims)).must_accept_disclaimer
    assert (await update(master, disclaimer=None))["disclaimer"] is None
    assert not (await read_viewer(scenario.database, assessor.claims)).must_accept_disclaimer
    # The same text after a change is a new version.
    await update(master, disclaimer=_WORDS)
    assert (await read_viewer(scenario.database, assessor.claims)).must_accept_disclaimer
    assert (await provider(scenario)).disclaimer_version == 4


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"trafficLightTolerance": -0.1}, {"input.trafficLightTolerance": "INVALID"}),
        ({"trafficLightTolerance": 100.1}, {"input.trafficLightTolerance": "INVALID"}),
        ({"trafficLightTolerance": 9.95}, {"input.trafficLightTolerance": "INVALID"}),
        (
            {"ratedFromPercent": 101, "reviewIntervalWeeks": 0, "unitSignatures": []},
            {
                "input.ratedFromPercent": "INVALID", "input.reviewIntervalWeeks": "INVALID",
                "input.unitSignatures": "REQUIRED",
            },
        ),
        ({"reviewIntervalWeeks": 53}, {"input.reviewIntervalWeeks": "INVALID"}),
        ({"unitSignatures": ["ASSESSOR", "MASTER_ADMIN"]}, {"input.unitSignatures.1": "INVALID"}),
        ({"disclaimer": "x" * 20_001}, {"input.disclaimer": "INVALID"}),
    ],
    ids=lambda value: next(iter(value)),
)  # fmt: skip
async def test_invalid_settings(scenario: EmptyPortfolio, settings: dict[str, Any], expected: dict[str, str]) -> None:
    assert await scenario.client("master").user_errors("providerSettingsUpdate", input=settings) == expected
    assert (await provider(scenario)).settings_version == 1


async def test_the_limits_of_the_ranges_are_accepted(scenario: EmptyPortfolio) -> None:
    for settings in (
        {"trafficLightTolerance": 0, "ratedFromPercent": 0, "reviewIntervalWeeks": 1},
        {"trafficLightTolerance": 100, "ratedFromPercent": 100, "reviewIntervalWeeks": 52},
        {"trafficLightTolerance": 0.3, "unitSignatures": ["IQA", "EMPLOYER_MANAGER", "EMPLOYER_OVERVIEW"]},
    ):
        assert (await scenario.client("master").payload("providerSettingsUpdate", input=settings))["errors"] == []


@pytest.mark.parametrize("who", ["learner", "assessor", "iqa", "manager", "overview", "basic"])
async def test_only_a_master_admin_changes_settings(scenario: EmptyPortfolio, who: str) -> None:
    answer = await scenario.client(who).user_errors("providerSettingsUpdate", input={"reviewIntervalWeeks": 3})
    assert answer == {None: "NOT_ALLOWED"}
    assert (await provider(scenario)).review_interval_weeks == 12
