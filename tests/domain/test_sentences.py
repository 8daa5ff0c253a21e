"""The catalogues of sentences: each language has every reason, and the code says nothing that is not in them."""

import ast
import datetime as dt
import re
import string
from collections.abc import Iterator
from typing import Any

import pytest

from domain.enums import AimStatus, Role, UserErrorCode
from domain.errors import user_error
from domain.sentences import ENGLISH, Language, language_of, languages, say
from tests.support.architecture import ROOT, files

# The functions that make an error, and the position of the message in their arguments.
MAKERS = {"add_error": 1, "user_error": 1, "reject": 1, "not_allowed": 0, "UserError": 2}
# Reasons stand in the code as words of capitals: as the argument of `say`, or where one of several is chosen.
EVERY: dict[str, Any] = {**ENGLISH.sentences, **ENGLISH.parts}
_REASON = re.compile(r"[A-Z]+(_[A-Z0-9]+)+")


def forms(template: Any) -> list[str]:
    return [template] if isinstance(template, str) else list(template.values())


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def sources() -> Iterator[tuple[str, ast.AST]]:
    for path in files():
        if path.endswith(".py") and path.split("/")[0] in ("auth", "domain", "resolvers", "schema", "services"):
            yield path, ast.parse((ROOT / path).read_text())


@pytest.mark.parametrize("language", languages().values(), ids=languages())
def test_a_language_has_every_sentence_with_its_parameters(language: Language) -> None:
    assert language.sentences.keys() == ENGLISH.sentences.keys()
    assert {name: words.keys() for name, words in language.words.items()} == {
        name: words.keys() for name, words in ENGLISH.words.items()
    }
    assert language.parts.keys() == ENGLISH.parts.keys()
    for reason, template in EVERY.items():
        every = set().union(*map(names, forms(template)))
        other = set().union(*map(names, forms({**language.sentences, **language.parts}[reason])))
        assert other | {"count"} == every | {"count"}, reason


def test_no_error_is_made_of_a_text_in_the_code() -> None:
    found = []
    for path, tree in sources():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name in MAKERS and len(call.args) > MAKERS[name]:
                message = call.args[MAKERS[name]]
                if isinstance(message, ast.JoinedStr) or (isinstance(message, ast.Constant) and message.value):
                    found.append(f"{path}:{call.lineno}")
        for assigned in (node for node in ast.walk(tree) if isinstance(node, ast.Assign)):
            target = assigned.targets[0]
            text = assigned.value
            is_text = isinstance(text, ast.JoinedStr) or (
                isinstance(text, ast.Constant) and isinstance(text.value, str)
            )
            if path.startswith("resolvers/") and isinstance(target, ast.Name) and target.id == "message" and is_text:
                found.append(f"{path}:{assigned.lineno}")
    assert not found, f"use domain.sentences.say: {found}"


def test_the_catalogue_has_what_the_code_says_and_nothing_else() -> None:
    said = {
        node.value
        for path, tree in sources()
        if path != "domain/enums.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    used = {each for each in said if _REASON.fullmatch(each)} & EVERY.keys()
    assert used == EVERY.keys()
    for path, tree in sources():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if getattr(call.func, "id", "") == "say" and isinstance(call.args[0], ast.Constant):
                template = EVERY[call.args[0].value]
                given = {keyword.arg for keyword in call.keywords}
                assert given >= set().union(*map(names, forms(template))) or None in given, (path, call.lineno)


def test_values_are_words_in_the_sentence_and_plain_for_a_program() -> None:
    error = user_error(UserErrorCode.CONFLICT, say("STATUS_CANNOT_FOLLOW", status=AimStatus.COMPLETED, next=[
        AimStatus.IN_TRAINING, AimStatus.SUSPENDED, AimStatus.WITHDRAWN]), "input", "status")  # fmt: skip
    assert error.message == (
        'The status of this component is "Completed". It can only change to In training, Suspended or Withdrawn.'
    )
    assert error.reason == "STATUS_CANNOT_FOLLOW"
    assert [(each.name, each.value) for each in error.parameters] == [
        ("status", "COMPLETED"), ("next", "IN_TRAINING,SUSPENDED,WITHDRAWN"),
    ]  # fmt: skip
    day = user_error(UserErrorCode.INVALID, say("BREAK_BEFORE_START", start=dt.date(2026, 3, 2)))
    assert "on 2 March 2026," in day.message and day.parameters[0].value == "2026-03-02"
    long = user_error(UserErrorCode.INVALID, say("TEXT_TOO_LONG", length=20_001, most=20_000))
    assert "20,001" in long.message and [each.value for each in long.parameters] == ["20001", "20000"]


def test_a_number_chooses_the_form_and_a_role_gets_its_article() -> None:
    one, two = (say("LEARNER_HAS_OTHER_ROLES", roles=roles, count=len(roles)) for roles in ([Role.IQA], list(Role)[:2]))
    assert one == "This person is also an IQA. Remove that role first."
    waits = (say("TOO_MANY_WRONG_CODES", seconds=seconds, count=seconds) for seconds in (1, 2))
    assert [text.rpartition("in ")[2] for text in waits] == ["1 second.", "2 seconds."]
    assert two == "This person is also a Learner and an Assessor. Remove those roles first."


@pytest.mark.parametrize(
    ("header", "tag"),
    [(None, "en"), ("", "en"), ("en-GB,en;q=0.9", "en"), ("xx, cy;q=0.5", "en"), ("cy;q=0, en", "en"), ("a;q=b", "en")],
)
def test_the_language_is_that_of_the_header_or_english(header: str | None, tag: str) -> None:
    assert language_of(header).tag == tag
