"""File links, exports and subscriptions give only what the viewer may see.

A link is signed. These tests sign links that the API never issued, because permissions are checked again when a link is
followed.
"""

import asyncio
from contextlib import aclosing
from functools import reduce
from operator import getitem
from typing import Any
from unittest.mock import patch

import pytest

from auth.signed_urls import DOWNLOAD, EXPORT
from domain import clock
from domain.enums import Role
from loaders.core.registry import Loaders
from resolvers import signed_urls as link
from resolvers.exports import export_data
from resolvers.signed_url_service import SignedUrlService
from tests.authorization.conftest import Crawlers
from tests.authorization.field_inventory import REQUEST_FIELDS
from tests.authorization.schema_crawler import found, graph, schema, selection
from tests.authorization.viewer_crawler import differences, leaks, without_fields


def _claims(crawlers: Crawlers, who: str, role: Role, **about: Any) -> dict[str, Any]:
    user = crawlers.user(who)
    return {**about, "user": user, "role": role.value, "signIn": user}


async def test_file_links_open_visible_files_only(crawlers: Crawlers) -> None:
    url_service = SignedUrlService(crawlers.full.services)
    for who, role in crawlers.viewers:
        visibility = crawlers.visibility(who, role)
        for file in crawlers.rows["file"]:
            held = await url_service.stored_download(_claims(crawlers, who, role, file=file["id"]))
            assert (held is not None) == (file["id"] in visibility.files), (who, role, file["name"])


async def test_links_in_a_response_are_signed_for_the_viewer(crawlers: Crawlers) -> None:
    """Each link names its record and the viewer."""
    links = crawlers.full.services.links
    subjects = {"File": "file", "Aim": "aim", "Learner": "learner", "BulkExport": "bulk"}
    stored = ("File_download", "File_preview", "BulkExport_download")
    for who, role in crawlers.viewers:
        mine, links_found = {"user": crawlers.user(who), "role": role.value}, 0
        for record in found(await crawlers.crawled(who, role)):
            for name, value in record.items():
                if isinstance(value, dict) and value.get("__typename") == "Download":
                    purpose = DOWNLOAD if name in stored else EXPORT
                    # As of the crawl: on a slow machine its links have expired by now.
                    with patch.object(clock, "now", lambda: crawlers.full.now):
                        claims = links.verify(purpose, value["Download_url"].rpartition("/")[2])
                    subject = f"{record['__typename']}_{claims[subjects[record['__typename']]]}"
                    assert (subject, mine) == (record["id"], {key: claims[key] for key in mine})
                    links_found += 1
        assert links_found > 10


async def test_exports_contain_visible_records_only(crawlers: Crawlers) -> None:
    crawler = crawlers.full
    for who, role in crawlers.viewers:
        visibility = crawlers.visibility(who, role)
        reduced = await crawlers.reduce_to(who, role)
        for learner in crawlers.rows["learner"]:
            data = await export_data.time_log(_loaders(crawlers, crawler, who, role), learner["id"], {})
            expected = await export_data.time_log(
                _loaders(crawlers, reduced, who, Role.MASTER_ADMIN), learner["id"], {}
            )
            assert (data is not None) == (learner["id"] in visibility.learners)
            assert data == expected
            entries = [
                row for row in visibility.of("time_log_entry", learner_id=learner["id"]) if visibility.follows(row)
            ]
            assert data is None or len(data.lines) == len(entries)
        for aim in crawlers.rows["aim"]:
            for export in (export_data.progress_map, export_data.record_of_achievement):
                arguments = () if export is export_data.record_of_achievement else (link.CriterionFilter.ALL,)
                data = await export(_loaders(crawlers, crawler, who, role), aim["id"], *arguments)
                assert (data is not None) == (aim["id"] in visibility.aims), (who, role, export.__name__)
                assert data == await export(_loaders(crawlers, reduced, who, Role.MASTER_ADMIN), aim["id"], *arguments)


def _loaders(crawlers: Crawlers, crawler: Any, who: str, role: Role) -> Loaders:
    return crawler.context(crawlers.user(who), role).loaders


async def test_the_service_checks_the_user_of_a_link(crawlers: Crawlers) -> None:
    url_service, aim, learner = (
        SignedUrlService(crawlers.full.services),
        crawlers.scenario.aims["main"].id,
        crawlers.scenario.ada.id,
    )
    wanted = (
        {"export": link.TIME_LOG, "learner": learner, "filters": {}},
        {"export": link.PROGRESS_MAP, "aim": aim, "filter": "ALL"},
        {"export": link.RECORD_OF_ACHIEVEMENT, "aim": aim},
    )
    for who, role in (
        ("ann", Role.ASSESSOR),
        ("bob", Role.ASSESSOR),
        ("nat", Role.EMPLOYER_MANAGER),
        ("zoo", Role.MASTER_ADMIN),
    ):
        for about in wanted:
            made = await url_service.generate_export(_claims(crawlers, who, role, **about))
            if made is not None and made.release is not None:
                made.release()
            seen = who == "ann" or (who == "bob" and "learner" in about)
            assert (made is not None) == seen, (who, about)
    # A link with a role that the user does not hold gives nothing.
    assert await url_service.generate_export(_claims(crawlers, "ann", Role.MASTER_ADMIN, **wanted[0])) is None


async def test_subscriptions_send_visible_learners_only(crawlers: Crawlers) -> None:
    """All learners change at once. Each viewer receives those that they see, with the values that a query returns."""
    if not crawlers.full.database.is_sqlite:
        return  # The same loaders read the messages; the notification of a commit has tests of its own.
    await asyncio.gather(*(_listen(crawlers, who, role) for who, role in crawlers.viewers))


async def _listen(crawlers: Crawlers, who: str, role: Role) -> None:
    visibility, crawler = crawlers.visibility(who, role), crawlers.full
    learner = selection(graph().type_map["Learner"], 1)
    stream = await schema().subscribe(
        f"subscription {{ learnerChanged {learner} }}", context_value=crawler.context(visibility.me, role)
    )
    received: list[dict[str, Any]] = []
    complete = asyncio.Event()

    async def listen() -> None:
        async with aclosing(stream) as messages:
            async for message in messages:
                assert message.errors is None, message.errors
                received.append(message.data["learnerChanged"])
                if len(received) >= len(visibility.learners):
                    complete.set()

    listening = asyncio.ensure_future(listen())
    await asyncio.sleep(0.05)
    # Every learner of every provider: the subscription itself must check what its viewer may see.
    crawler.services.changes.notify_committed(visibility.provider, {row["id"] for row in crawlers.rows["learner"]})
    async with asyncio.timeout(20):
        await complete.wait()
    await asyncio.sleep(0.3)
    listening.cancel()
    assert {message["id"] for message in received} == {f"Learner_{key}" for key in visibility.learners}
    assert leaks(visibility, received) == []
    nodes = (await crawlers.crawled(who, role))["nodes"]
    for message in received:
        assert (
            differences(without_fields(message, REQUEST_FIELDS), without_fields(nodes[message["id"]], REQUEST_FIELDS))
            == []
        )


@pytest.mark.parametrize(
    ("subscription", "path"),
    [("learnerChanged(id: $id) { id }", ()), ("portfolioChanged(learnerId: $id) { learner { id } }", ("learner",))],
    ids=["learnerChanged", "portfolioChanged"],
)
async def test_a_subscription_to_an_invisible_learner_sends_nothing(
    crawlers: Crawlers, subscription: str, path: tuple[str, ...]
) -> None:
    services, received = crawlers.full.services, []
    if not crawlers.full.database.is_sqlite:
        return

    async def listen(who: str, role: Role, id: str) -> None:
        stream = await schema().subscribe(
            f"subscription($id: ID) {{ {subscription} }}",
            variable_values={"id": id},
            context_value=crawlers.full.context(crawlers.user(who), role),
        )
        async with aclosing(stream) as messages:
            async for message in messages:
                found = message.data[subscription.partition("(")[0]]
                received.append((who, reduce(getitem, path, found)["id"]))

    it = crawlers.scenario
    tasks = [
        asyncio.ensure_future(listen(who, role, f"Learner_{learner.id}"))
        for who, role, learner in (
            ("mo", Role.EMPLOYER_MANAGER, it.bea), ("mo", Role.EMPLOYER_MANAGER, it.ada),
            ("ann", Role.ASSESSOR, it.dan), ("ada", Role.LEARNER, it.bea), ("may", Role.MASTER_ADMIN, it.zoe),
            ("olu", Role.EMPLOYER_OVERVIEW, it.dan),
        )
    ]  # fmt: skip
    await asyncio.sleep(0.1)
    for provider in crawlers.rows["provider"]:
        services.changes.notify_committed(provider["id"], {row["id"] for row in crawlers.rows["learner"]})
    await asyncio.sleep(0.8)
    for listening in tasks:
        listening.cancel()
    assert received == [("mo", f"Learner_{it.ada.id}")]


async def test_streamed_kpis_equal_queried_kpis(crawlers: Crawlers) -> None:
    kpis = selection(graph().type_map["Kpis"], 1)
    for who, role in crawlers.viewers:
        stream = await schema().subscribe(
            f"subscription {{ kpisChanged(take: 1) {kpis} }}",
            context_value=crawlers.full.context(crawlers.user(who), role),
        )
        messages = [message.data["kpisChanged"] async for message in stream]
        answer = (await crawlers.crawled(who, role))["Query_viewer"]["Viewer_kpis"]
        assert [without_fields(message, REQUEST_FIELDS) for message in messages] == [
            without_fields(answer, REQUEST_FIELDS)
        ]
