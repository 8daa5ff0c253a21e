"""Every type, field, path and role of two providers: a viewer reads what the table of permissions allows.

Two things are compared for each viewer. Ids: the viewer reaches those that the oracle allows (`oracle.py`). Values: the
viewer reads what a Master Admin reads from a database with only the rows that the viewer may see, so an invisible
record changes no list, count, sum, rating or page. The queries are generated from the schema and cover new fields
automatically.
"""

from typing import Any

import pytest
from sqlalchemy.orm import InstrumentedAttribute

from db.models.personal_data import is_exported
from db.models.registry import entities
from domain.enums import Role
from domain.submodules import import_submodules
from loaders.core.registry import node_loaders
from loaders.core.rows import LightRow
from tests.authorization.cases import each_viewer
from tests.authorization.conftest import Crawlers
from tests.authorization.field_inventory import REQUEST_FIELDS, ROLE_FIELDS
from tests.authorization.oracle import Visibility
from tests.authorization.schema_crawler import by_id_roots, found, graph, ids_in, node_types, read_types
from tests.authorization.viewer_crawler import (
    differences,
    leaks,
    node_mismatches,
    unreachable,
    without_fields,
    without_own,
)
from tests.support.scenarios.authorization import GUEST, ONE_OF_EACH, VIEWERS

every_viewer = each_viewer(
    {"sqlite": VIEWERS, "postgresql": VIEWERS},
    {"sqlite": "max nell olu may eve", "postgresql": ""},
)


@every_viewer
async def test_reads_by_id_and_by_path_match_the_oracle(crawlers: Crawlers, who: str, role: Role) -> None:
    answer, visibility = await crawlers.crawled(who, role), crawlers.visibility(who, role)
    assert node_mismatches(visibility, answer["nodes"], crawlers.full.ids) == []
    assert leaks(visibility, answer) == []
    assert unreachable(visibility, answer) == []


@every_viewer
async def test_each_root_by_id_returns_its_own_type_only(crawlers: Crawlers, who: str, role: Role) -> None:
    visibility = crawlers.visibility(who, role)
    seen = set().union(*visibility.ids.values())
    for alias, record in (await crawlers.full.by_id(crawlers.user(who), role)).items():
        root, _, place = alias.rpartition("_")
        id = crawlers.full.ids[int(place)]
        expected = id if id in seen and by_id_roots()[root] in ("Node", id.partition("_")[0]) else None
        assert (record and record["id"]) == expected, alias


@each_viewer({"sqlite": VIEWERS, "postgresql": VIEWERS}, {"sqlite": "max nell olu eve", "postgresql": ""})
async def test_invisible_records_change_no_value(crawlers: Crawlers, who: str, role: Role) -> None:
    left_out = REQUEST_FIELDS | ROLE_FIELDS
    visibility = crawlers.visibility(who, role)
    answer = without_fields(await crawlers.crawled(who, role), left_out)
    reduced = await crawlers.reduce_to(who, role)
    expected = without_fields(await reduced.crawl(crawlers.user(who), Role.MASTER_ADMIN), left_out)
    # The reduced database keeps all users; the test of ids compares the visible ones with the oracle.
    invisible_users = {f"User_{row['id']}" for row in crawlers.rows["user_account"]} - visibility.ids["User"]
    for each in (answer, expected):
        each["nodes"] = {id: node for id, node in without_own(each["nodes"]).items() if id not in invisible_users}
    assert differences(answer, expected) == []


@every_viewer
async def test_fields_that_depend_on_the_role(crawlers: Crawlers, who: str, role: Role) -> None:
    answer, visibility = await crawlers.crawled(who, role), crawlers.visibility(who, role)
    people = {f"User_{row['id']}": row for row in crawlers.rows["user_account"]}
    learners = {f"Learner_{row['id']}": row for row in crawlers.rows["learner"]}
    for record in found(answer):
        if "User_email" in record:
            known, person = record["id"] in visibility.contacts, people[record["id"]]
            last = person["last_login_at"]
            assert record["User_email"] == (person["email"] if known else None)
            assert record["User_lastLoginAt"] == (last.isoformat() if known and last else None)
        if "Learner_uln" in record:
            key = int(record["id"].partition("_")[2])
            assert record["Learner_uln"] == (learners[record["id"]]["uln"] if visibility.sees_uln else None)
            waiting = [learner for _, learner in visibility.awaiting].count(key)
            assert record.get("Learner_awaitingSignatureCount", waiting) == waiting
        if work := record.get("User_assessorWorkload"):
            user = int(record["id"].partition("_")[2])
            assert work["AssessorWorkload_assessedCount"] == visibility.decided_by(user, "evidenceAssess")
            assert work["AssessorWorkload_returnedCount"] == visibility.decided_by(user, "evidenceReturn")
        if "SignatureSlot_guestEmail" in record:
            invited = visibility.sees_guest_email and record["SignatureSlot_role"] == Role.EMPLOYER_OVERVIEW.value
            assert record["SignatureSlot_guestEmail"] == (GUEST if invited else None)
        if "SignatureRequest_awaitingViewer" in record:
            assert record["SignatureRequest_awaitingViewer"] == (record["id"] in {id for id, _ in visibility.awaiting})
    _check_viewer(answer["Query_viewer"], visibility)
    listed = {f"User_{row['id']}" for row in crawlers.rows["user_account"] if row["archived_at"] is None}
    users = answer["Query_users"]
    assert ids_in(users["UserConnection_nodes"])["User"] == visibility.ids["User"] & listed
    assert users["UserConnection_totalCount"] == len(visibility.ids["User"] & listed)


def _check_viewer(viewer: dict[str, Any], visibility: Visibility) -> None:
    waiting, requests = len(visibility.awaiting), viewer["Viewer_signatureRequests"]
    assert viewer["Viewer_awaitingSignatureCount"] == waiting
    assert viewer["Viewer_kpis"]["Kpis_awaitingSignatureCount"] == waiting
    assert ids_in(requests["SignatureRequestConnection_nodes"])["SignatureRequest"] == visibility.documents_with_slot
    assert requests["SignatureRequestConnection_totalCount"] == len(visibility.documents_with_slot)
    assert viewer["Viewer_role"] == visibility.role.value
    own = viewer["Viewer_learner"]
    assert (own and own["id"]) == (f"Learner_{min(visibility.learners)}" if visibility.role is Role.LEARNER else None)
    for grant in viewer["Viewer_grants"]:
        sites = ids_in(grant["RoleGrant_employers"])["Employer"]
        over = grant["RoleGrant_role"] == "EMPLOYER_OVERVIEW"
        assert sites == (visibility.ids["Employer"] if over else set())


# Which fields have a value does not depend on the database: the matrix reads each of them on both.
@pytest.mark.parametrize(
    "backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True, scope="session"
)
async def test_every_field_has_a_value_for_some_viewer(crawlers: Crawlers) -> None:
    """A field that is empty for every viewer would not be tested."""
    with_value = set()
    for who, role in ONE_OF_EACH:
        for record in found(await crawlers.crawled(who, role)):
            if "id" in record:
                with_value.add(f"{record['__typename']}_id")
            with_value |= {name for name, value in record.items() if value not in (None, [])}
    every_field = {f"{name}_{field}" for name, type_ in read_types().items() for field in type_.fields}
    # A browser subscribes in an authentication session, which is part of no portfolio: tests/resolvers/test_push.py.
    of_session = {name for name in every_field if name.startswith("PushSubscription_")} | {"Viewer_pushSubscriptions"}
    assert every_field - with_value - of_session == set()


def test_each_type_declares_its_visibility() -> None:
    """The mapped class declares it. A unit or criterion is visible with its aim, a task to its viewer."""
    declared = {entity.type_name() for entity in entities()}
    with_their_aim = {name for name, loader in node_loaders().items() if loader.takes_pairs}
    known = declared | with_their_aim | {"Task"}
    assert {type_.name for type_ in node_types()} == known == set(node_loaders())
    assert known <= read_types().keys()


def test_the_oracle_has_a_rule_for_each_type(crawlers: Crawlers) -> None:
    assert set(crawlers.visibility("may", Role.MASTER_ADMIN).ids) == {type_.name for type_ in node_types()}


def test_each_field_with_a_rule_of_its_own_is_in_the_schema() -> None:
    types = {"Query": graph().query_type, **read_types()}
    served = {f"{name}_{field}" for name, type_ in types.items() for field in type_.fields}
    assert (REQUEST_FIELDS | ROLE_FIELDS).keys() <= served


def test_no_light_row_reads_a_secret() -> None:
    """A secret is a column that subject access leaves out, or of a table that no viewer sees."""
    import_submodules("loaders")
    secrets, waiting, rows = set(), [LightRow], 0
    while waiting:
        row = waiting.pop()
        waiting += row.__subclasses__()
        for name, part in getattr(row, "__parts__", {}).items():
            attribute = getattr(part, "expression", None)
            if isinstance(attribute, InstrumentedAttribute):
                rows += 1
                if attribute.class_.__internal__ or not is_exported(attribute.property.columns[0]):
                    secrets.add(f"{row.__name__}.{name}")
    assert rows > 100
    # A download reads its content by the key, and the address of a calendar is made with the nonce: no type has them.
    # The role of a browser is that of its authentication session.
    assert secrets == {
        "StoredFileRow.storage_key", "BulkExportRow.storage_key", "NotificationSettingsRow.calendar_nonce",
        "PushSubscriptionRow.role",
    }  # fmt: skip
