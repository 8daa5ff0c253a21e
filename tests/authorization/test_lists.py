"""Filtered lists and lists read page by page give only what the viewer may see.

A filter can leak: `learners(filter: {assessorId: ...})` must not show that an invisible aim has this assessor. Every
list with a filter by id is read with every id of the database. It must return what a Master Admin gets from a database
that has only the rows which the viewer may see.
"""

import json
from typing import Any

from graphql import get_named_type

from domain.enums import Role
from tests.authorization.conftest import Crawlers
from tests.authorization.schema_crawler import filters, found, graph, read_types
from tests.authorization.viewer_crawler import differences

# The root field for each type that has such a list.
ROOTS = {"Learner": "learners(first: 100)", "Employer": "employers(first: 100)", "User": "users(first: 100)"}
# The type of the id by the name of the argument; the subject of the audit trail can be of any type.
TYPES = {
    "assessorId": "User", "employerId": "Employer", "aimId": "Aim", "learnerId": "Learner",
    "qualificationId": "Qualification",
}  # fmt: skip


def _ids_for(argument: str, ids: list[str]) -> list[str]:
    names = [type_ for part, type_ in TYPES.items() if part in argument]
    return [id for id in ids if not names or id.partition("_")[0] in names]


def _filtered(ids: list[str]) -> list[str]:
    """Returns queries of each list with each id."""
    documents = []
    for name, owner, argument in filters():
        connection = get_named_type(graph().type_map[owner].fields[name].type)
        counts = " ".join(field for field in connection.fields if field.startswith("total"))
        fields = [
            f"a{place}: {name}(first: 100, {argument.replace('$id', json.dumps(id))}) {{ {counts} nodes {{ id }} }}"
            for place, id in enumerate(_ids_for(argument, ids))
        ]
        for start in range(0, len(fields), 60):
            some = " ".join(fields[start : start + 60])
            documents.append(
                f"{{ {some} }}" if owner == "Query" else f"{{ {ROOTS[owner]} {{ nodes {{ id {some} }} }} }}"
            )
    return documents


async def test_a_filter_reveals_no_invisible_record(crawlers: Crawlers) -> None:
    some = {}
    for id in crawlers.full.ids:
        # For the audit trail, a few ids of each type are enough.
        some.setdefault(id.partition("_")[0], []).append(id)
    ids = [id for name, listed in some.items() for id in (listed if name in TYPES.values() else listed[::6])]
    documents = _filtered(ids)
    assert len(documents) > 10
    for who, role in crawlers.viewers:
        reduced, user = await crawlers.reduce_to(who, role), crawlers.user(who)
        for document in documents:
            answer = await crawlers.full.ask(user, role, document)
            if "auditTrail" in document and role not in (Role.MASTER_ADMIN, Role.ASSESSOR, Role.IQA, Role.LEARNER):
                assert not any(record["nodes"] for record in answer.values())
            assert differences(answer, await reduced.ask(user, Role.MASTER_ADMIN, document)) == [], (
                who,
                role,
                document[:90],
            )


def _paged_roots() -> list[tuple[str, str]]:
    """Returns (name, type that has the field) of every paged list of Query and Viewer."""
    roots = [(name, "Query") for name, field in graph().query_type.fields.items() if "first" in field.args]
    return roots + [(name, "Viewer") for name, field in read_types()["Viewer"].fields.items() if "first" in field.args]


async def test_all_pages_together_are_the_whole_list(crawlers: Crawlers) -> None:
    for who, role in crawlers.viewers:
        answer = await crawlers.crawled(who, role)
        for name, owner in _paged_roots():
            whole = (answer["Query_viewer"] if owner == "Viewer" else answer)[f"{owner}_{name}"]
            connection = whole["__typename"]
            expected = [_id(node) for node in whole[f"{connection}_nodes"]]
            assert whole[f"{connection}_totalCount"] == len(expected)
            edges = [record["node"] for record in _edges(whole)]
            assert edges == expected
            assert await _walk(crawlers, who, role, name, owner, size=max(2, len(expected) // 3)) == expected


def _edges(whole: dict[str, Any]) -> list[dict[str, Any]]:
    kind = whole["__typename"].removesuffix("Connection") + "Edge"
    return [{"node": _id(record[f"{kind}_node"])} for record in found(whole) if f"{kind}_cursor" in record]


def _id(node: dict[str, Any]) -> str:
    """Returns the id of a record, or the one that a deleted record had."""
    return node["id"] if "id" in node else node[f"{node['__typename']}_id"]


async def _walk(crawlers: Crawlers, who: str, role: Role, name: str, owner: str, size: int) -> list[str]:
    below = "{ totalCount nodes { id } pageInfo { hasNextPage endCursor } }"
    field = f"list: {name}(first: {size}, after: $after) {below}"
    document = f"query($after: String) {{ {field if owner == 'Query' else f'viewer {{ {field} }}'} }}"
    listed: list[str] = []
    after, counts = None, set()
    while True:
        answer = await crawlers.full.ask(crawlers.user(who), role, document, after=after)
        page = answer["list"] if owner == "Query" else answer["viewer"]["list"]
        listed += [node["id"] for node in page["nodes"]]
        counts.add(page["totalCount"])
        if not page["pageInfo"]["hasNextPage"]:
            assert counts == {len(listed)}
            return listed
        assert len(page["nodes"]) == size
        after = page["pageInfo"]["endCursor"]
