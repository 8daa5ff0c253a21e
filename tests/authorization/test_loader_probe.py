"""Each loader by itself, with keys that no query would pass to it: `tests/authorization/loader_probe.py` says why."""

import pytest

from domain.enums import Role
from tests.authorization.conftest import Crawlers
from tests.authorization.loader_probe import disagreements, given, lists, loader_classes
from tests.authorization.viewer_crawler import differences
from tests.support.scenarios.authorization import ONE_OF_EACH

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
async def test_a_loader_gives_what_is_seen_whatever_it_is_asked_for(crawlers: Crawlers, who: str, role: Role) -> None:
    visibility = crawlers.visibility(who, role)
    cut = await crawlers.reduce_to(who, role)
    assert differences(await given(crawlers.full, visibility), await given(cut, visibility)) == []
    assert await disagreements(crawlers.full, visibility) == []
