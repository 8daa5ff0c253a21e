"""Words that somebody who knows a person would try first in their password: names, and a season with a year."""

import re
import unicodedata

from domain.sentences import say

PRODUCT = "Waymark"
# Shorter parts of names are in too many other words. Those of three letters count where they stand alone.
_MIN_PART = 4
# In the names of many training providers, and in many harmless passwords.
_GENERIC = (
    "academy", "and", "apprentice", "apprentices", "apprenticeship", "apprenticeships", "centre", "center", "college",
    "community", "company", "council", "education", "further", "group", "higher", "learning", "limited", "ltd",
    "national", "north", "school", "services", "skills", "south", "the", "trading", "training", "trust", "university",
    "west", "work", "works",
)  # fmt: skip
# What people write for letters. L and I are alike, because 1 and ! are written for either.
_SUBSTITUTES = str.maketrans({
    "@": "a", "4": "a", "8": "b", "(": "c", "{": "c", "[": "c", "<": "c", "3": "e", "€": "e", "6": "g", "9": "g",
    "!": "i", "1": "i", "|": "i", "l": "i", "0": "o", "$": "s", "5": "s", "7": "t", "+": "t", "2": "z",
})  # fmt: skip
_LETTERS = re.compile(r"[^\W\d_]+")
_SEASONS = ("spring", "summer", "autumn", "winter", "fall")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_SHORT_YEAR = re.compile(rf"(?:{'|'.join(_SEASONS)})[\W_]*\d\d(?!\d)")


def named_words(password: str, own_words: tuple[str, ...], provider: str) -> str | None:
    """Returns what is wrong with the words in a password, without repeating any; None if nothing is.

    `own_words`: the username and the name of its owner. `provider`: the name of their training provider. Case, accents,
    separators and the usual substitutes of letters make no difference.
    """
    folded = _folded(password)
    # Digits may follow a word as well as stand for its letters.
    alone = {*folded.split(), *map(_folded, _LETTERS.findall(password))}
    joined = folded.replace(" ", "")
    if _contains(joined, alone, _parts(PRODUCT)):
        return say("PASSWORD_NAMES_PRODUCT")
    if _contains(joined, alone, {part for word in own_words for part in _parts(word)}):
        return say("PASSWORD_NAMES_PERSON")
    if _contains(joined, alone, _parts(provider)):
        return say("PASSWORD_NAMES_PROVIDER")
    plain = password.casefold()
    if (any(season in joined for season in _FOLDED_SEASONS) and _YEAR.search(plain)) or _SHORT_YEAR.search(plain):
        return say("PASSWORD_NAMES_SEASON")
    return None


def _parts(name: str) -> set[str]:
    """Returns the folded words of a name, and all of them together. An address counts up to its @."""
    words = [_folded(word) for word in re.split(r"[\W_\d]+", name.partition("@")[0]) if word]
    return {word for word in words if word not in _FOLDED_GENERIC} | {"".join(words)}


def _contains(joined: str, alone: set[str], parts: set[str]) -> bool:
    return any(part in joined if len(part) >= _MIN_PART else len(part) == 3 and part in alone for part in parts)


def _folded(text: str) -> str:
    """Returns the letters of a text in one form, and a space for everything that stands between words."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_SUBSTITUTES)
    return "".join(letter if letter.isalnum() else " " for letter in plain if not unicodedata.combining(letter))


_FOLDED_GENERIC = frozenset(map(_folded, _GENERIC))
_FOLDED_SEASONS = tuple(map(_folded, _SEASONS))
