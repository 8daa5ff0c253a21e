"""Each field of the served schema says what it reads of rows, so that no operation has to run again with whole rows."""

from collections.abc import AsyncIterator, Iterator

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    parse,
    validate,
)

from db.database import Database
from domain import clock
from domain.enums import Role
from tests.authorization.rows import read_rows
from tests.schema.executor_comparison import Comparison
from tests.support.databases import Databases
from tests.support.scenarios.authorization import build_authorization

# Few of everything: a page, so that cursors are made too.
PAGE = "{ nodes { id } edges { cursor } pageInfo { endCursor } }"
LITERALS = {"Date": '"2026-01-05"', "DateTime": '"2026-01-05T09:00:00Z"'}


@pytest.fixture(scope="module")
async def served(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Comparison]:
    # The databases do not differ here.
    url, scenario = await databases.fresh_with_value("sqlite", build_authorization)
    database = Database(url)
    yield Comparison(database, tmp_path_factory.mktemp("shapes"), scenario, await read_rows(database), clock.now())
    await database.close()
    await databases.release(url)


class Selections:
    """Operations that together select each field of each record, and no two fields of one record beside each other.

    Of what is no record all fields are selected. A record within another has only its id, so that a field that looks
    into other rows is found.
    """

    def __init__(self, served: Comparison) -> None:
        self.graph = served.graph
        node = self.graph.type_map["Node"]
        self.records = {each.name: each for each in self.graph.get_possible_types(node)}
        # Enough of each type for records in every state.
        self.ids = {name: [id for id in served.ids if id.startswith(f"{name}_")][:40] for name in self.records}

    def operations(self) -> Iterator[str]:
        """Yields the operations: one for each field of Query, then those of each third of the types."""
        query = self.graph.query_type
        for turn in range(len(query.fields)):
            yield f"{{ {self.one(query, turn)} }}"
        for third in range(3):
            names = list(self.records)[third::3]
            ids = ", ".join(f'"{id}"' for name in names for id in self.ids[name])
            for turn in range(max(len(self.records[name].fields) for name in names)):
                records = " ".join(f"... on {name} {{ {self.one(self.records[name], turn)} }}" for name in names)
                yield f"{{ nodes(ids: [{ids}]) {{ id {records} }} }}"

    def one(self, type_: GraphQLObjectType, turn: int) -> str:
        """Returns the field of a type whose turn it is."""
        fields = self.selectable(type_)
        # Fields of one name may have other types elsewhere.
        return f"of{type_.name}: {fields[turn % len(fields)]}"

    def selectable(self, type_: GraphQLObjectType, *above: str) -> list[str]:
        """Returns all fields of a type that have no id as an argument, with what is selected below them."""
        found = []
        for name, field in type_.fields.items():
            if name == "viewerActions":  # may look into any row
                continue
            named = get_named_type(field.type)
            below = "{ id }" if named.name in {"Node", *self.records} else ""
            if not below and named.name.endswith("Connection"):
                below = PAGE
            elif not below and not is_leaf_type(named):
                if named.name in above:
                    continue
                below = f"{{ {' '.join(self.selectable(named, *above, named.name))} }}"
            if all(get_named_type(each.type).name in LITERALS for each in required(field)):
                found.append(f"{name}{self.arguments(field)} {below}")
        return found

    def arguments(self, field: GraphQLField) -> str:
        given = [
            f"{name}: {LITERALS[get_named_type(each.type).name]}"
            for name, each in field.args.items()
            if is_required_argument(each)
        ]
        return f"({', '.join(given)})" if given else ""


def required(field: GraphQLField) -> list[GraphQLArgument]:
    return [each for each in field.args.values() if is_required_argument(each)]


async def test_no_field_reads_what_it_does_not_declare(served: Comparison) -> None:
    for text in Selections(served).operations():
        document = parse(text)
        assert not validate(served.graph, document), text
        await served.execute(served.compiled, Role.MASTER_ADMIN, document, {})
        assert served.counters.widened == 0, text
