"""The sentences of errors that a user reads: one catalogue a language, in `domain/languages/`.

    raise reject(UserErrorCode.INVALID, say("TOO_MANY_FILES", most=MAX_FILES), "input", "fileIds")

`say` returns the English sentence, which knows its reason and its parameters, so that it can be said in the language of
the request. A second language is a second file with the same reasons and parameters.
"""

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

# A text with its parameters in braces; with the forms `one` and `other` where it depends on a number.
Template = str | Mapping[str, str]

_FOLDER = Path(__file__).parent / "languages"


class Sentence(str):
    """An English sentence with its reason, a stable name, and its parameters, the values that it contains."""

    reason: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Language:
    """A catalogue. `words` are the names of enum members by the name of the enum; `articles` the same with an article.

    A sentence with the forms `one` and `other` depends on its parameter `count`.
    """

    tag: str
    sentences: Mapping[str, Template]
    # What a parameter of a sentence may be.
    parts: Mapping[str, Template]
    words: Mapping[str, Mapping[str, str]]
    articles: Mapping[str, Mapping[str, str]]
    months: Sequence[str]
    # "{day} {month} {year}", the separator of thousands, that of the entries of a list, and what joins the last one.
    date: str
    thousands: str
    separator: str
    last_and: str
    last_or: str

    @classmethod
    def of(cls, tag: str, catalogue: Mapping[str, Any]) -> "Language":
        """Returns the language of a catalogue as it is in its file."""
        return cls(tag, **catalogue)

    def sentence(self, reason: str, parameters: Mapping[str, Any]) -> str:
        """Returns the sentence for a reason. Raises KeyError for a reason or a parameter that does not exist."""
        template = self.sentences.get(reason) or self.parts[reason]
        if not isinstance(template, str):
            template = template["one" if parameters["count"] == 1 else "other"]
        return template.format_map({name: _Value(self, value) for name, value in parameters.items()})

    def say(self, sentence: str) -> str:
        """Returns a sentence in this language; text that is no `Sentence` is returned as it is."""
        return self.sentence(sentence.reason, sentence.parameters) if isinstance(sentence, Sentence) else sentence

    def value(self, value: Any, form: str = "") -> str:
        """Returns a parameter as words: with an article in the form `a`, as alternatives in the form `or`."""
        if isinstance(value, Enum):
            return (self.articles if form == "a" else self.words)[type(value).__name__][value.name]
        if isinstance(value, dt.datetime):
            return f"{self.value(value.date())}, {value:%H:%M}"
        if isinstance(value, dt.date):
            return self.date.format(day=value.day, month=self.months[value.month - 1], year=value.year)
        if isinstance(value, int):
            return f"{value:,}".replace(",", self.thousands)
        if isinstance(value, Sequence) and not isinstance(value, str):
            *first, last = [self.value(each, form) for each in value]
            joined = self.last_or if form == "or" else self.last_and
            return f"{self.separator.join(first)}{joined}{last}" if first else last
        return self.say(value)


@dataclass(frozen=True, slots=True)
class _Value:
    """A parameter in a template, in a form of `Language.value`: `{role}`, `{role:a}`, `{roles:or}`."""

    language: Language
    value: Any

    def __format__(self, form: str) -> str:
        return self.language.value(self.value, form)


@cache
def languages() -> dict[str, Language]:
    """Returns the languages by their tags; English is the first."""
    files = sorted(_FOLDER.glob("*.toml"), key=lambda file: (file.stem != "en", file.stem))
    return {file.stem: Language.of(file.stem, tomllib.loads(file.read_text())) for file in files}


ENGLISH = languages()["en"]


def say(reason: str, **parameters: Any) -> Sentence:
    """Returns the English sentence for a reason, which `Language.say` can say in another language."""
    sentence = Sentence(ENGLISH.sentence(reason, parameters))
    sentence.reason, sentence.parameters = reason, parameters
    return sentence


def as_text(value: Any) -> str:
    """Returns a parameter for a program: names of enum members, ISO dates, plain numbers, entries with commas."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(as_text(each) for each in value)
    return value.reason if isinstance(value, Sentence) else str(value)


@lru_cache(maxsize=100)
def language_of(accept_language: str | None) -> Language:
    """Returns the language that fits a header `Accept-Language` best; English if none does."""
    wanted: list[tuple[float, str]] = []
    for part in (accept_language or "").split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((float(weight) if weight else 1.0, tag.strip().lower()))
        except ValueError:
            continue
    for quality, tag in sorted(wanted, key=lambda each: -each[0]):
        primary = tag.partition("-")[0]
        if quality > 0 and primary in languages():
            return languages()[primary]
    return ENGLISH
