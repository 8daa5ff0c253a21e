"""Calls each loader directly, also with keys that no query passes to it; see `loader_probe.py`."""

from domain.enums import Role
from tests.authorization.cases import each_viewer
from tests.authorization.conftest import Crawlers
from tests.authorization.loader_probe import disagreements, lists, loader_classes, read_alone, results
from tests.authorization.viewer_crawler import differences
from tests.support.scenarios.authorization import ONE_OF_EACH

# One user of each role; Max, who is assessor and IQA of one aim of several; Bob, who sees several learners and not all
# of their aims; Nell, who manages no learner.
USERS = [*ONE_OF_EACH, ("max", Role.ASSESSOR), ("max", Role.IQA), ("bob", Role.ASSESSOR)]
USERS += [("nell", Role.EMPLOYER_MANAGER)]


def test_loaders_and_lists_are_found() -> None:
    names = {each.__name__ for each in loader_classes()}
    assert {"AimLoader", "EvidenceMappingsLoader", "KpisOfEmployerLoader"} <= names
    assert {"LEARNERS", "ACTIONS", "EVIDENCE_OLDEST_FIRST", "AUDIT_TRAIL"} <= set(lists())


# test_cross_tenant_rows.py probes the same loaders, with further rows, for the other roles.
@each_viewer({"sqlite": USERS, "postgresql": USERS}, {"sqlite": "", "postgresql": "mo"})
async def test_a_loader_returns_visible_rows_for_any_key(crawlers: Crawlers, who: str, role: Role) -> None:
    visibility = crawlers.visibility(who, role)
    reduced = await crawlers.reduce_to(who, role)
    assert differences(await results(crawlers.full, visibility), await results(reduced, visibility)) == []
    assert await disagreements(crawlers.full, visibility) == []


@each_viewer({"sqlite": USERS, "postgresql": USERS}, {"sqlite": "", "postgresql": "bob"})
async def test_one_record_is_read_as_several_are(crawlers: Crawlers, who: str, role: Role) -> None:
    compared = [each async for each in read_alone(crawlers.full, crawlers.visibility(who, role))]
    assert [each for each in compared if each[1] != each[2]] == []
    assert any(alone for _, alone, _ in compared)
