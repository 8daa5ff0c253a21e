"""The guides: every role has the guides that it needs, and an invalid guide is rejected by name."""

from pathlib import Path

import pytest

from domain.enums import Role
from services.guides import GuideError, guides, load

PAGE = "---\ntitle: A page\naudience: LEARNER, IQA\norder: 3\n---\n\nWords.\n"


def test_the_documented_guides_exist_in_order_and_have_content():
    slugs = [guide.slug for guide in guides()]
    assert {
        "dashboard", "signing-documents", "uploading-evidence", "signing-off-units", "time-log", "learning-plan",
        "progress-map", "messages", "cv", "kpi-app", "assessing", "people-and-access",
    } <= set(slugs)  # fmt: skip
    assert slugs[0] == "getting-started" and len(set(slugs)) == len(slugs)
    assert all(len(guide.body) > 200 and not guide.body.startswith("---") for guide in guides())
    assert len({guide.title for guide in guides()}) == len(slugs)


def test_each_role_has_guides_for_what_it_can_do_only():
    audience = {guide.slug: set(guide.audience) for guide in guides()}
    assert all(any(role in roles for roles in audience.values()) for role in Role)
    assert audience["assessing"] <= {Role.ASSESSOR, Role.IQA}
    assert audience["provider-settings"] == {Role.MASTER_ADMIN}
    assert audience["kpi-app"] == {Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW}
    assert audience["cv"] == {Role.LEARNER}


def test_a_guide_is_read_with_its_whole_body(tmp_path: Path):
    (tmp_path / "a-page.md").write_text(PAGE + "\n---\n\nA rule in the body is not front matter.\n", encoding="utf-8")
    (guide,) = load(tmp_path)
    assert (guide.slug, guide.title, guide.audience) == ("a-page", "A page", (Role.LEARNER, Role.IQA))
    assert guide.body == "Words.\n\n---\n\nA rule in the body is not front matter.\n"


@pytest.mark.parametrize(
    ("name", "page", "words"),
    [
        ("Bad Name.md", PAGE, "lower-case"),
        ("page.md", "Words alone.\n", "front matter"),
        ("page.md", PAGE.replace("---\n\nWords", "\nWords"), "front matter"),
        ("page.md", PAGE.replace("IQA", "DEAN"), "DEAN"),
        ("page.md", PAGE.replace("IQA", "LEARNER"), "twice"),
        ("page.md", PAGE.replace("title: A page\n", ""), "has no title"),
        ("page.md", PAGE.replace("title: A page", "title:"), "not a front matter line"),
        ("page.md", PAGE.replace("order: 3", "order: 3\norder: 4"), "once each"),
        ("page.md", PAGE.replace("order: 3", "order: first"), "whole number"),
        ("page.md", PAGE.replace("order: 3", "ordre: 3"), "ordre"),
        ("page.md", PAGE.replace("Words.", ""), "body is empty"),
    ],
)
def test_an_invalid_guide_is_rejected_by_name(tmp_path: Path, name: str, page: str, words: str):
    (tmp_path / name).write_text(page, encoding="utf-8")
    with pytest.raises(GuideError, match=words) as raised:
        load(tmp_path)
    assert str(raised.value).startswith(name)
