"""Each loader by itself, with keys that no query would pass to it: `tests/authorization/loader_probe.py` says why."""

import pytest

from domain.enums import Role
from tests.authorization.authorization_scenario import ONE_OF_EACH
from tests.authorization.conftest import Worlds
from tests.authorization.loader_probe import disagreements, given, lists, loader_classes
from tests.authorization.viewer_crawler import differences

# Besides one of each role: who holds one aim of several, in both roles, and a manager of nobody.
LOOKS = [("sqlite", *viewer) for viewer in ONE_OF_EACH]
LOOKS += [("sqlite", "max", Role.ASSESSOR), ("sqlite", "max", Role.IQA), ("sqlite", "nell", Role.EMPLOYER_MANAGER)]
LOOKS += [("postgresql", "ann", Role.ASSESSOR), ("postgresql", "olu", Role.EMPLOYER_OVERVIEW)]


def test_loaders_and_lists_are_found() -> None:
    names = {each.__name__ for each in loader_classes()}
    assert {"AimLoader", "EvidenceMappingsLoader", "KpisOfEmployerLoader"} <= names
    assert {"LEARNERS", "ACTIONS", "EVIDENCE_OLDEST_FIRST", "AUDIT_TRAIL"} <= set(lists())


@pytest.mark.parametrize(
    ("backend", "who", "role"),
    [pytest.param(*look, id=f"{look[0]}-{look[1]}-{look[2].value}") for look in LOOKS],
    indirect=["backend"],
    scope="session",
)
async def test_a_loader_gives_what_is_seen_whatever_it_is_asked_for(worlds: Worlds, who: str, role: Role) -> None:
    sight = worlds.sight(who, role)
    cut = await worlds.cut_to(who, role)
    assert differences(await given(worlds.looker, sight), await given(cut, sight)) == []
    assert await disagreements(worlds.looker, sight) == []
