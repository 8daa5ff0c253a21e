"""A language for tests: the English sentences in brackets, so that a text that is in no catalogue shows."""

import dataclasses

from domain.sentences import ENGLISH, Language, Template

OPENING, CLOSING = "⟦", "⟧"


def _bracketed(template: Template) -> Template:
    if isinstance(template, str):
        return f"{OPENING}{template}{CLOSING}"
    return {form: f"{OPENING}{text}{CLOSING}" for form, text in template.items()}


PSEUDO: Language = dataclasses.replace(
    ENGLISH, tag="qps", sentences={reason: _bracketed(template) for reason, template in ENGLISH.sentences.items()}
)


def is_translated(message: str) -> bool:
    """Returns whether the whole message comes from the catalogue."""
    return message.startswith(OPENING) and message.endswith(CLOSING)
