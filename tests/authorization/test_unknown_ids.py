"""An invisible id gets the same bytes as an unknown id, in every field that takes an id."""

import json
from typing import Any

from domain.enums import Role
from tests.authorization.conftest import Crawlers
from tests.authorization.schema_crawler import by_id_roots, nodes_document, schema

# Lists with an argument that takes an id.
LISTS = """
  learners(filter: {assessorId: $id}) { totalCount nodes { id } } employed: learners(filter: {employerId: $id}) { totalCount nodes { id } }
  actions(assessorId: $id) { totalCount nodes { id } } at: actions(employerId: $id) { totalCount nodes { id } }
  evidenceLibrary(assessorId: $id) { totalCount nodes { id } } from: evidenceLibrary(employerId: $id) { totalCount nodes { id } }
  auditTrail(subjectId: $id) { totalCount nodes { id } }
  in: learners { nodes { id evidence(filter: {aimId: $id}) { totalCount nodes { id } }
    timeLog(filter: {aimId: $id}) { totalCount totalMinutes nodes { id } } } }
"""  # noqa: E501


def _document() -> str:
    roots = " ".join(f"{name}(id: $id) {{ __typename id }}" for name in by_id_roots())
    return f"query($id: ID!) {{ {roots} nodes(ids: [$id]) {{ __typename id }} {LISTS} }}"


def _unknown_id(id: str, taken: set[str]) -> str:
    """Returns an id of the same type without a record, of the same length if possible."""
    name, _, key = id.partition("_")
    aim, dot, digits = key.rpartition(".")
    for number in (10 ** len(digits) - 1, 10 ** len(digits) - 2, 10 ** (len(digits) + 2)):
        if (made := f"{name}_{aim}{dot}{number}") not in taken:
            return made
    raise AssertionError(f"every id of the type of {id} is used")


async def test_foreign_invisible_and_unknown_ids_get_the_same_response(crawlers: Crawlers) -> None:
    taken, document = set(crawlers.full.ids), _document()
    for who, role in crawlers.viewers:
        seen = set().union(*crawlers.visibility(who, role).ids.values())
        # Three ids of each type.
        invisible: dict[str, list[str]] = {}
        for id in crawlers.full.ids:
            if id not in seen:
                invisible.setdefault(id.partition("_")[0], []).append(id)
        assert invisible or role is Role.MASTER_ADMIN
        for ids in invisible.values():
            for id in {ids[0], ids[len(ids) // 2], ids[-1]}:
                responses = [await _bytes(crawlers, who, role, document, one) for one in (id, _unknown_id(id, taken))]
                assert responses[0] == responses[1], (who, role, id)
                assert responses[0].count(b'"nodes": [null]') == 1


async def _bytes(crawlers: Crawlers, who: str, role: Role, document: str, id: str) -> bytes:
    context = crawlers.full.context(crawlers.user(who), role)
    answer = await schema().execute(document, variable_values={"id": id}, context_value=context)
    body: dict[str, Any] = {"data": answer.data}
    if answer.errors:
        body["errors"] = [error.formatted for error in answer.errors]
    return json.dumps(body).encode()


async def test_a_malformed_id_gives_null(crawlers: Crawlers) -> None:
    odd = [
        "",
        "Learner",
        "Learner_",
        "Learner_0",
        "learner_1",
        "Learner_1.1",
        "Unit_1",
        "Learner_１",
        "Unknown_1",
        "\0" * 9,
    ]
    document = nodes_document()
    answer = await crawlers.full.ask(crawlers.user("may"), Role.MASTER_ADMIN, document, compiled=True, ids=odd)
    assert answer["nodes"] == [None] * len(odd)
