"""Limits of the values in a request, for every argument: checked once, before an operation runs.

JSON and GraphQL themselves exclude lone surrogates, wrong UTF-8 and numbers that are not finite. The scalars of the
schema say what a date or a time may be.
"""

import re
from collections.abc import Mapping
from typing import Any

from transport.graphql.errors import BAD_USER_INPUT, OperationRejected, operation_rejected
from transport.limits import Limits

_NUL = "\0"
_NUL_ESCAPE = re.compile(r"\\u(?:0000|\{0+\})")
# A place in the variables is named up to here.
_MAX_PLACE = 100


def check_variables(variables: Mapping[str, Any] | None, limits: Limits) -> None:
    """Checks variables as they come out of JSON.

    Raises OperationRejected, which names the place in the variables, for a value that no argument takes. That is a text
    with the character U+0000, which PostgreSQL cannot store, or with more than `text_characters`; and more than
    `input_values` values in all, since each of them is coerced on the event loop.
    """
    if not variables:
        return
    count = 0
    level: list[tuple[Any, tuple[Any, ...]]] = [(variables, ())]
    while level:
        inner: list[tuple[Any, tuple[Any, ...]]] = []
        for container, place in level:
            count += len(container)
            if count > limits.input_values:
                raise operation_rejected(
                    f"The variables have more than {limits.input_values} values. Send them in several requests.",
                    BAD_USER_INPUT,
                    limit="input_values",
                    max=limits.input_values,
                )
            for key, value in container.items() if isinstance(container, dict) else enumerate(container):
                kind = value.__class__
                if kind is str:
                    if len(value) > limits.text_characters or _NUL in value:
                        raise _text_rejected(value, (*place, key), limits)
                elif kind is dict or kind is list:
                    inner.append((value, (*place, key)))
        level = inner


def _text_rejected(text: str, place: tuple[Any, ...], limits: Limits) -> OperationRejected:
    if len(text) > limits.text_characters:
        problem = f"is longer than {limits.text_characters} characters. Shorten it."
    else:
        problem = "contains the character U+0000, which cannot be stored. Remove it."
    name = ".".join(map(str, ("variables", *place)))[:_MAX_PLACE]
    return operation_rejected(f"{name} {problem}", BAD_USER_INPUT)


def check_literals(document: str) -> None:
    """Raises OperationRejected for a document that writes the character U+0000, which it can only as an escape."""
    if found := _NUL_ESCAPE.search(document):
        line = document.count("\n", 0, found.start()) + 1
        column = found.start() - document.rfind("\n", 0, found.start())
        raise operation_rejected(
            f"The document contains the character U+0000 at line {line}, column {column}. It cannot be stored: remove "
            "it.",
            BAD_USER_INPUT,
        )
