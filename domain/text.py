"""What people type: cleaned before it is stored, and folded so that it is found however it is typed."""

import re
import unicodedata

# Vertical tab, form feed, carriage returns, next line, line and paragraph separator: all of them end a line.
_LINE_BREAKS = re.compile("\r\n|[\r\v\f\u0085\u2028\u2029]")
_ZERO_WIDTH_NON_JOINER, _ZERO_WIDTH_JOINER = "\u200c", "\u200d"
_JOINERS = {_ZERO_WIDTH_NON_JOINER, _ZERO_WIDTH_JOINER}
# The flags of England, Scotland and Wales are a black flag followed by tag characters.
_BLACK_FLAG, _TAGS = "\U0001f3f4", re.compile("[\U000e0020-\U000e007f]")
# Letters that are displayed as nothing, although their category is not that of invisible characters.
_FILLERS = set("\u115f\u1160\u17b4\u17b5\u3164\uffa0")
# Looks like a space.
_BLANK_PATTERN = "\u2800"

# Letters of a text that a search reads.
_SEARCHED = 2_000
_APOSTROPHES = set("'`´ʹʻʼʽʾʿˈ‘’‚‛′＇")
# Names of letters without a decomposition, as in "LATIN SMALL LETTER L WITH STROKE".
_LETTER_WITH = re.compile(r"LATIN SMALL (?:LETTER|LIGATURE) ([A-Z]{1,2})(?: WITH .*)?$")
_NAMED_LETTERS = {"ð": "d", "þ": "th", "ı": "i", "ŋ": "n", "ə": "e", "ĸ": "q"}


def clean(text: str) -> str:
    """Returns text as it is stored: NFC, lines that end with a line feed, and nothing that nobody sees.

    Control characters go, and so do invisible and direction-changing ones; joiners stay between visible characters.
    Spaces that are not ordinary ones stay.
    """
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    text = _LINE_BREAKS.sub("\n", unicodedata.normalize("NFC", text))
    letters = set(text)
    unseen = {letter for letter in letters if letter not in _JOINERS and _is_invisible(letter)}
    kept = "".join(letter for letter in text if letter not in unseen) if unseen else text
    kept = _keep_flags_only(kept)
    if letters.isdisjoint(_JOINERS):
        return kept
    return "".join(letter for index, letter in enumerate(kept) if letter not in _JOINERS or _joins(kept, index))


def clean_line(text: str) -> str:
    """Returns text as one line: cleaned, with runs of ordinary white space as one space; empty if nothing is seen."""
    return " ".join(part for part in re.split("[ \t\n]+", _trim(clean(text))) if part)


def clean_lines(text: str) -> str:
    """Returns text of any number of lines: cleaned and trimmed; empty if nothing is seen."""
    return _trim(clean(text))


def number_of(count: int, one: str, several: str | None = None) -> str:
    """Returns "1 file" or "1,200 files"; `several` is the plural where it is not that with an s."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def fold_name(text: str) -> str:
    """Returns a name in the form that is sorted, the same on both databases: without accents, capitals and apostrophes.

    Hyphens of every kind are spaces, and runs of spaces are one.
    """
    return _fold(text)[:300]


def fold_words(*texts: str) -> str:
    """Returns texts in the form that is searched, folded as names are: up to 2,000 letters."""
    return _fold(" ".join(texts)[:_SEARCHED])[:_SEARCHED]


def fold_search(text: str) -> str:
    """Returns what is typed in the form that is searched: a folded name without spaces."""
    return fold_name(text).replace(" ", "")


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", clean(text).casefold())
    # A text has many letters, and few different ones.
    folded = {letter: "" if unicodedata.combining(letter) else _fold_letter(letter) for letter in set(plain)}
    return " ".join("".join(map(folded.__getitem__, plain)).split())


def _is_invisible(letter: str) -> bool:
    category = unicodedata.category(letter)
    if category in ("Cc", "Cs"):
        return letter not in "\n\t"
    return category == "Cf" and not _TAGS.match(letter) or letter in _FILLERS


def _keep_flags_only(text: str) -> str:
    """Removes tag characters that do not belong to a flag."""
    if not _TAGS.search(text):
        return text
    kept, in_flag = [], False
    for letter in text:
        is_tag = _TAGS.match(letter) is not None
        in_flag = letter == _BLACK_FLAG or (in_flag and is_tag)
        if in_flag or not is_tag:
            kept.append(letter)
    return "".join(kept)


def _joins(text: str, index: int) -> bool:
    """Whether the joiner at that position is between two visible characters."""
    around = text[index - 1 : index] + text[index + 1 : index + 2]
    return len(around) == 2 and not any(letter.isspace() or letter in _JOINERS for letter in around)


def _trim(text: str) -> str:
    is_blank = not text.replace(_BLANK_PATTERN, "").strip()
    return "" if is_blank else text.strip()


def _fold_letter(letter: str) -> str:
    if letter < "\x7f" and letter not in _APOSTROPHES and letter != "-":
        return letter
    if letter in _APOSTROPHES:
        return ""
    if unicodedata.category(letter) == "Pd":
        return " "
    if letter in _NAMED_LETTERS:
        return _NAMED_LETTERS[letter]
    if found := _LETTER_WITH.match(unicodedata.name(letter, "")):
        return found.group(1).lower()
    return "" if letter in _JOINERS else letter
