"""The kind of a qualification, from the word that its file gives."""

from domain.enums import QualificationKind

# Parts of the words for English and mathematics, whose learning never counts as off the job.
ENGLISH_OR_MATHS = ("functional", "english", "math")
_PARTS = {
    **dict.fromkeys(ENGLISH_OR_MATHS, QualificationKind.FUNCTIONAL_SKILL),
    "standard": QualificationKind.STANDARD,
    "diploma": QualificationKind.DIPLOMA,
}


def qualification_kind(word: str | None) -> QualificationKind:
    """Returns the kind named by a word such as `functional_skills` or `Diploma`; OTHER for any other word."""
    folded = (word or "").casefold()
    return next((kind for part, kind in _PARTS.items() if part in folded), QualificationKind.OTHER)
