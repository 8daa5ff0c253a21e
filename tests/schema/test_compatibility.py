"""The SDL is a promise: what breaks was deprecated a release before, and the changelog says what changed."""

import re

import pytest

from schema.root import printed
from tests.support.architecture import ROOT
from tests.support.schema_compatibility import broken, differences

RELEASED = ROOT / "schema/released"
CHANGELOG = (ROOT / "docs/changelog.md").read_text()


def version(name: str) -> tuple[int, ...]:
    return tuple(int(projection) for projection in name.split("."))


def last_release() -> str:
    """The newest version whose SDL is kept."""
    return max((path.stem for path in RELEASED.glob("*.graphql")), key=version)


def said_since(release: str) -> str | None:
    """What the changelog says above a release that it dates; None while the release is still being made."""
    above, heading, _ = re.split(rf"^## {re.escape(release)}\b(.*)$", CHANGELOG, maxsplit=1, flags=re.MULTILINE)
    return above if re.search(r"\d{4}-\d\d-\d\d", heading) else None


def test_nothing_breaks_that_the_last_release_did_not_deprecate() -> None:
    assert broken((RELEASED / f"{last_release()}.graphql").read_text(), printed()) == []


def test_the_changelog_names_what_changed_since_the_last_release() -> None:
    said = said_since(last_release())
    if said is not None:
        released = (RELEASED / f"{last_release()}.graphql").read_text()
        assert {each for each in differences(released, printed()) if f"`{each}`" not in said} == set()


def test_every_release_that_the_changelog_dates_is_kept() -> None:
    dated = re.findall(r"^## (\d[\d.]*\d)\b.*\d{4}-\d\d-\d\d", CHANGELOG, re.MULTILINE)
    assert [each for each in dated if not (RELEASED / f"{each}.graphql").exists()] == []
    assert f"## {last_release()}" in CHANGELOG


BEFORE = """
type Query {
  learner(id: ID!, slug: String @deprecated, deep: Boolean): Learner
  node(id: ID!): Node
  find(filter: Filter): Box @deprecated
}
interface Node { id: ID! }
type Learner implements Node { id: ID! name: String! photo: Photo @deprecated light: Light! }
type Photo { url: String }
type Box { learners: [Learner!]! }
enum Light { RED GREEN AMBER @deprecated }
input Filter { site: ID old: ID @deprecated }
type Mutation { log(filter: Filter!): Learner }
type Unit implements Node { id: ID! }
"""


@pytest.mark.parametrize(
    ("taken", "put"),
    [
        (" slug: String @deprecated,", ""),
        (" photo: Photo @deprecated", ""),
        # with the field goes the type that nothing else leads to
        ("find(filter: Filter): Box @deprecated", ""),
        (" AMBER @deprecated", ""),
        (" old: ID @deprecated", ""),
        ("light: Light!", "light: Light! age: Int"),
        ("deep: Boolean", "deep: Boolean, wide: Boolean"),
        ("name: String!", 'name: String! @deprecated(reason: "Two names.")'),
    ],
)
def test_what_was_deprecated_may_go_and_more_may_come(taken: str, put: str) -> None:
    assert taken in BEFORE
    now = BEFORE.replace(taken, put)
    assert broken(BEFORE, now.replace("type Box { learners: [Learner!]! }", "") if "find" in taken else now) == []


@pytest.mark.parametrize(
    ("taken", "put", "sentence"),
    [
        ("name: String! ", "", "Learner.name was removed"),
        ("name: String!", "name: String", "changed type"),
        (", deep: Boolean", "", "deep"),
        ("deep: Boolean", "deep: Boolean, must: Int!", "must"),
        (" GREEN", "", "GREEN was removed"),
        ("site: ID ", "", "Filter.site was removed"),
        ("site: ID", "site: ID must: ID!", "must"),
        ("type Unit implements Node { id: ID! }", "", "Unit was removed"),
        ("type Learner implements Node", "type Learner", "no longer implements"),
        ("type Mutation { log(filter: Filter!): Learner }", "", "Mutation was removed"),
    ],
)
def test_a_break_is_found(taken: str, put: str, sentence: str) -> None:
    assert taken in BEFORE
    found = broken(BEFORE, BEFORE.replace(taken, put))
    assert found and sentence in " ".join(found)


def test_a_type_that_something_else_still_gives_may_not_go_with_a_deprecated_field() -> None:
    before = BEFORE.replace("Unit implements Node { id: ID!", "Unit implements Node { id: ID! badge: Photo")
    now = before
    for gone in (" photo: Photo @deprecated", " badge: Photo", "type Photo { url: String }"):
        now = now.replace(gone, "")
    assert broken(before, now) == ["Field Unit.badge was removed.", "Photo was removed."]


def test_a_change_is_reported_by_its_coordinate() -> None:
    now = (
        BEFORE.replace("name: String!", "name: String! @deprecated")
        .replace("light: Light!", "light: Light")
        .replace(" slug: String @deprecated,", "")
        .replace("RED", "RED BLUE")
        + "type Fresh { a: Int b: Int }"
    )
    assert differences(BEFORE, now) == {"Learner.name", "Learner.light", "Query.learner", "Light.BLUE", "Fresh"}
