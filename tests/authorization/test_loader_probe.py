"""Calls each loader directly, also with keys that no query passes to it; see `loader_probe.py`."""

import pytest

from domain.enums import Role
from tests.authorization.conftest import Crawlers
from tests.authorization.loader_probe import disagreements, lists, loader_classes, results
from tests.authorization.viewer_crawler import differences
from tests.support.scenarios.authorization import ONE_OF_EACH

# One user of each role; Max, who is assessor and IQA of one aim of several; Bob, who sees several learners and not all
# of their aims; Nell, who manages no learner.
CASES = [("sqlite", *viewer) for viewer in ONE_OF_EACH]
CASES += [("sqlite", "max", Role.ASSESSOR), ("sqlite", "max", Role.IQA), ("sqlite", "bob", Role.ASSESSOR)]
CASES += [("sqlite", "nell", Role.EMPLOYER_MANAGER)]
CASES += [("postgresql", "ann", Role.ASSESSOR), ("postgresql", "olu", Role.EMPLOYER_OVERVIEW)]


def test_loaders_and_lists_are_found() -> None:
    names = {each.__name__ for each in loader_classes()}
    assert {"AimLoader", "EvidenceMappingsLoader", "KpisOfEmployerLoader"} <= names
    assert {"LEARNERS", "ACTIONS", "EVIDENCE_OLDEST_FIRST", "AUDIT_TRAIL"} <= set(lists())


@pytest.mark.parametrize(
    ("backend", "who", "role"),
    [pytest.param(*case, id=f"{case[0]}-{case[1]}-{case[2].value}") for case in CASES],
    indirect=["backend"],
    scope="session",
)
async def test_a_loader_returns_visible_rows_for_any_key(crawlers: Crawlers, who: str, role: Role) -> None:
    visibility = crawlers.visibility(who, role)
    reduced = await crawlers.reduce_to(who, role)
    assert differences(await results(crawlers.full, visibility), await results(reduced, visibility)) == []
    assert await disagreements(crawlers.full, visibility) == []
