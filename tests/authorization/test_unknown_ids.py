"""What is out of sight is answered as what never was: the same bytes, whichever way it is asked for."""

import json
from typing import Any

from domain.enums import Role
from tests.authorization.conftest import Crawlers
from tests.authorization.schema_crawler import by_id_roots, nodes_document, schema

# Every way in that takes an id, in one document a record; `$id` is that record's.
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


def _never_was(id: str, taken: set[str]) -> str:
    """An id of that type and, where one is free, of that length, that names nothing."""
    name, _, key = id.partition("_")
    aim, dot, digits = key.rpartition(".")
    for number in (10 ** len(digits) - 1, 10 ** len(digits) - 2, 10 ** (len(digits) + 2)):
        if (made := f"{name}_{aim}{dot}{number}") not in taken:
            return made
    raise AssertionError(f"no free id like {id}")


async def test_foreign_unseen_and_unknown_are_told_alike(crawlers: Crawlers) -> None:
    taken, document = set(crawlers.full.ids), _document()
    for who, role in crawlers.viewers:
        seen = set().union(*crawlers.visibility(who, role).ids.values())
        # People are named, and units are of aims, wherever they stand; of each type some are looked at.
        unseen: dict[str, list[str]] = {}
        for id in crawlers.full.ids:
            if id not in seen:
                unseen.setdefault(id.partition("_")[0], []).append(id)
        assert unseen or role is Role.MASTER_ADMIN
        for ids in unseen.values():
            for id in {ids[0], ids[len(ids) // 2], ids[-1]}:
                asked = [await _bytes(crawlers, who, role, document, one) for one in (id, _never_was(id, taken))]
                assert asked[0] == asked[1], (who, role, id)
                assert asked[0].count(b'"nodes": [null]') == 1


async def _bytes(crawlers: Crawlers, who: str, role: Role, document: str, id: str) -> bytes:
    context = crawlers.full.context(crawlers.user(who), role)
    answer = await schema().execute(document, variable_values={"id": id}, context_value=context)
    body: dict[str, Any] = {"data": answer.data}
    if answer.errors:
        body["errors"] = [error.formatted for error in answer.errors]
    return json.dumps(body).encode()


async def test_what_was_never_an_id_is_nothing_too(crawlers: Crawlers) -> None:
    odd = [
        "",
        "Learner",
        "Learner_",
        "Learner_0",
        "learner_1",
        "Learner_1.1",
        "Unit_1",
        "Learner_１",
        "Nobody_1",
        "\0" * 9,
    ]
    answer = await crawlers.full.ask(crawlers.user("may"), Role.MASTER_ADMIN, nodes_document(), ids=odd)
    assert answer["nodes"] == [None] * len(odd)
