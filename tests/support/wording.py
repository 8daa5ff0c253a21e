"""Finds words that do not belong in plain technical English: private metaphors, riddles, names that no longer exist.

Each finding is a line `path:line: "phrase", write instead: alternative`. A phrase matches whole words in any case, also
across line breaks and in parts of identifiers (`own_desk`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

# Phrase -> what to write instead.
PHRASES: dict[str, str] = {
    # Metaphors.
    "the house": "the project, the repository", "house rule": "rule", "house rules": "rules",
    "house.md": "architecture.md", "the door": "the entry point", "doors": "interfaces", "desk": "service, client",
    "shelf": "cache, scenario", "rooms": "packages", "look at who is asking": "authentication check",
    # Riddles.
    "whoever": "the user who, everybody who", "whomever": "the user whom", "nobody's": "of no user",
    "somebody's": "a user's", "told": "notified, informed, given, reported", "is telling": "reports",
    "held to": "compared with, must follow", "held against": "compared with", "held back": "restricted, must first",
    "mend": "correct, fix", "mends": "corrects", "mended": "corrected", "let in": "allowed", "lets in": "allows",
    "let go": "released, dropped", "lets go": "releases", "let go of": "releases", "as it stands": "unchanged",
    "as they stand": "unchanged", "of its own accord": "automatically", "of their own accord": "automatically",
    "is asked": "name the request", "are asked": "name the request", "was asked": "name the request",
    "be asked": "name the request", "asked for": "requested, selected", "what is asked": "the request",
    "who asks": "the viewer", "who is asking": "the viewer", "anew": "again", "afresh": "again",
    "at fault": "invalid", "hangs on": "depends on", "hang on": "depend on", "hears of": "receives, is notified of",
    "hear of": "receive", "hears by": "gets", "put back": "restored", "unasked": "without a preflight",
    "of ours": "say whose", "good for": "valid for", "good once": "valid once", "unless told": "by default",
    "unless said": "by default", "whose time is over": "expired", "whose time": "say which",
    "slip of the pen": "mistake", "comes of": "results from", "in the way of": "say what it does",
    # Numbers of the source documents, which say nothing to a reader: docs/behaviours.md names the documents.
    "[000]": "employer guide", "[001]": "learner guide", "[002]": "college guide",
    # Names of classes that have others now.
    "TurnedAway": "HttpError", "Unrunnable": "OperationRejected", "HeldBack": "SetupRequired",
    "SettingsFault": "SettingsError", "GuideFault": "GuideError", "PatientProtocol": "TimeoutProtocol",
}  # fmt: skip

# (path, phrase) -> why it may stay. One that is no longer needed is a finding.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("docs/changelog.md", "house.md"): "the name of a page that was removed",
    ("domain/confirmation_statements.py", "as it stands"): "a statement that people have signed",
}

# Files that list the phrases, and texts that are not ours.
_EXEMPT = {"tests/support/wording.py", "tests/test_wording.py", "LICENSE"}
# Schemas of releases, which never change.
# Texts that are not ours to change: released schemas, and libraries of others.
_UNCHANGED = ("schema/released/", "web/vendor/")
_TEXT = {".css", ".graphql", ".html", ".js", ".md", ".mjs", ".py", ".toml", ".typ", ".yaml", ".yml", ""}


def _pattern(phrase: str) -> re.Pattern[str]:
    # Between two words: spaces and line breaks, with the signs that begin a line of a comment. It begins with letters,
    # which is found many times faster than what is not preceded by a letter.
    words = r"[\s#*/]+".join(re.escape(word) for word in phrase.lower().split())
    return re.compile(rf"{words}(?![a-z])")


def forbidden_words(
    root: Path,
    paths: Iterable[str],
    exceptions: Mapping[tuple[str, str], str] = EXCEPTIONS,
) -> list[str]:
    """The phrases that the checked files contain, and exceptions that nothing needs."""
    patterns = {phrase: _pattern(phrase) for phrase in PHRASES}
    found: list[str] = []
    needed: set[tuple[str, str]] = set()
    for path in paths:
        if path in _EXEMPT or path.startswith(_UNCHANGED) or Path(path).suffix not in _TEXT:
            continue
        text = (root / path).read_text()
        for phrase, lines in _matches(text, patterns):
            if (path, phrase) in exceptions:
                needed.add((path, phrase))
            else:
                found += [f'{path}:{line}: "{phrase}", write instead: {PHRASES[phrase]}' for line in lines]
    unneeded = [f'{path}: the exception for "{phrase}" is not needed' for path, phrase in exceptions.keys() - needed]
    return found + sorted(unneeded)


def _matches(text: str, patterns: Mapping[str, re.Pattern[str]]) -> Iterator[tuple[str, list[int]]]:
    lowered = text.lower()
    for phrase, pattern in patterns.items():
        starts = [match.start() for match in pattern.finditer(lowered)]
        # Not the end of a longer word.
        lines = [
            lowered.count("\n", 0, start) + 1 for start in starts if not re.match("[a-z]", lowered[start - 1 : start])
        ]
        if lines:
            yield phrase, lines
