"""The dictionary: what each field and each value of an enum means, as data."""

import asyncio
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import strawberry
from graphql import EnumTypeDefinitionNode, ObjectTypeDefinitionNode, parse, print_ast

from schema.field_builders import Info, argument, attribute, resolved
from schema.relay import value

# The served schema, which a test compares with this file.
SCHEMA_FILE = Path(__file__).parents[1] / "schema.graphql"


@dataclass(frozen=True, slots=True)
class DictionaryRow:
    """One field, or one value of an enum."""

    name: str
    type: str
    description: str


@cache
def entries() -> list[DictionaryRow]:
    """Returns every field of a type and every value of an enum that has a description, by name."""
    found = []
    for node in parse(SCHEMA_FILE.read_text(encoding="utf-8"), no_location=True).definitions:
        if isinstance(node, ObjectTypeDefinitionNode):
            members: Any = [(field, print_ast(field.type)) for field in node.fields or ()]
        elif isinstance(node, EnumTypeDefinitionNode):
            members = [(each, node.name.value) for each in node.values or ()]
        else:
            continue
        for member, type_name in members:
            text = " ".join(member.description.value.split()) if member.description else ""
            if text:
                found.append(DictionaryRow(f"{node.name.value}.{member.name.value}", type_name, text))
    return sorted(found, key=lambda entry: entry.name)


async def _found(info: Info, search: str | None) -> list[DictionaryRow]:
    _ = info.context.require_active_viewer()
    wanted = _letters(search or "")
    # In a thread the first time: it parses the schema.
    return [each for each in await asyncio.to_thread(entries) if wanted in _letters(each.name + each.description)]


def _letters(text: str) -> str:
    """Returns letters and digits only, so that "off the job" finds `offTheJob`, `OFF_THE_JOB` and off-the-job."""
    return "".join(filter(str.isalnum, text.casefold()))


@value(DictionaryRow, "What a field, or a value of an enum, means: an entry of the data dictionary.")
class DictionaryEntry:
    name: str = attribute("The type and the field or value, such as `Kpis.aimCount` or `TrafficLight.AHEAD`.")
    type: str = attribute("The type of the field's values, such as `Int!`; of a value, the enum.")
    description: str = attribute("What it means.")


@strawberry.type
class DictionaryQueries:
    dictionary: list[DictionaryEntry] = resolved(
        "The data dictionary, by name: the fields and values that have a description. It is the same for everybody.",
        lambda root, info, search: _found(info, search),
        search=argument(str, "Only entries with this text in their name or their description."),
        list_size=1000,
    )
