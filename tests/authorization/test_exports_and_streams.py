"""Ways out of the graph: links to files, exports, subscriptions. Each gives what the table says, to whom it says.

A link is signed, so these make links that nobody was given: whoever holds one is looked at again when it is followed.
"""

import asyncio
from contextlib import aclosing
from typing import Any

from auth.signed_urls import DOWNLOAD, EXPORT
from domain.enums import Role
from loaders.core.registry import Loaders
from resolvers import signed_urls as link
from resolvers.exports import export_data as gathered
from resolvers.exports.export_service import ExportService
from tests.authorization.conftest import Crawlers
from tests.authorization.field_inventory import OF_THE_REQUEST
from tests.authorization.schema_crawler import found, graph, schema, selection
from tests.authorization.viewer_crawler import differences, leaks, without_fields


def _claims(crawlers: Crawlers, who: str, role: Role, **about: Any) -> dict[str, Any]:
    user = crawlers.user(who)
    return {**about, "user": user, "role": role.value, "signIn": user}


async def test_links_to_files_open_what_is_seen(crawlers: Crawlers) -> None:
    export_service = ExportService(crawlers.full.services)
    for who, role in crawlers.viewers:
        visibility = crawlers.visibility(who, role)
        for file in crawlers.rows["file"]:
            held = await export_service.stored_download(_claims(crawlers, who, role, file=file["id"]))
            assert (held is not None) == (file["id"] in visibility.files), (who, role, file["name"])


async def test_links_in_an_answer_are_the_viewers_own(crawlers: Crawlers) -> None:
    """Each link names the record it stands under, and whom it was made for."""
    links, subjects = crawlers.full.services.links, {"File": "file", "Aim": "aim", "Learner": "learner"}
    for who, role in crawlers.viewers:
        mine, told_links = {"user": crawlers.user(who), "role": role.value}, 0
        for record in found(await crawlers.crawled(who, role)):
            for name, value in record.items():
                if isinstance(value, dict) and value.get("__typename") == "Download":
                    purpose = DOWNLOAD if name == "File_download" else EXPORT
                    claims = links.verify(purpose, value["Download_url"].rpartition("/")[2])
                    subject = f"{record['__typename']}_{claims[subjects[record['__typename']]]}"
                    assert (subject, mine) == (record["id"], {key: claims[key] for key in mine})
                    told_links += 1
        assert told_links > 10


async def test_exports_hold_what_is_seen(crawlers: Crawlers) -> None:
    crawler = crawlers.full
    for who, role in crawlers.viewers:
        visibility = crawlers.visibility(who, role)
        cut = await crawlers.reduce_to(who, role)
        for learner in crawlers.rows["learner"]:
            data = await gathered.time_log(_loaders(crawlers, crawler, who, role), learner["id"], {})
            beside = await gathered.time_log(_loaders(crawlers, cut, who, Role.MASTER_ADMIN), learner["id"], {})
            assert (data is not None) == (learner["id"] in visibility.learners)
            assert data == beside
            entries = [
                row for row in visibility.of("time_log_entry", learner_id=learner["id"]) if visibility.follows(row)
            ]
            assert data is None or len(data.lines) == len(entries)
        for aim in crawlers.rows["aim"]:
            for export in (gathered.progress_map, gathered.record_of_achievement):
                asked = () if export is gathered.record_of_achievement else (link.CriterionFilter.ALL,)
                data = await export(_loaders(crawlers, crawler, who, role), aim["id"], *asked)
                assert (data is not None) == (aim["id"] in visibility.aims), (who, role, export.__name__)
                assert data == await export(_loaders(crawlers, cut, who, Role.MASTER_ADMIN), aim["id"], *asked)


def _loaders(crawlers: Crawlers, crawler: Any, who: str, role: Role) -> Loaders:
    return crawler.context(crawlers.user(who), role).loaders


async def test_the_desk_looks_again_at_whom_an_export_was_made_for(crawlers: Crawlers) -> None:
    export_service, aim, learner = (
        ExportService(crawlers.full.services),
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
            made = await export_service.generate_export(_claims(crawlers, who, role, **about))
            seen = who == "ann" or (who == "bob" and "learner" in about)
            assert (made is not None) == seen, (who, about)
    # Nobody's role but their own: a link that says otherwise opens nothing.
    assert await export_service.generate_export(_claims(crawlers, "ann", Role.MASTER_ADMIN, **wanted[0])) is None


async def test_streams_tell_of_who_is_seen(crawlers: Crawlers) -> None:
    """Everybody at the provider changes at once; each viewer is told of those that they see, as a query tells it."""
    if not crawlers.full.database.is_sqlite:
        return  # What a stream tells is read by the same loaders; how a commit is heard of is held by its own tests.
    await asyncio.gather(*(_listen(crawlers, who, role) for who, role in crawlers.viewers))


async def _listen(crawlers: Crawlers, who: str, role: Role) -> None:
    visibility, crawler = crawlers.visibility(who, role), crawlers.full
    learner = selection(graph().type_map["Learner"], 1)
    stream = await schema().subscribe(
        f"subscription {{ learnerChanged {learner} }}", context_value=crawler.context(visibility.me, role)
    )
    told_of: list[dict[str, Any]] = []
    all_told = asyncio.Event()

    async def listen() -> None:
        async with aclosing(stream) as messages:
            async for message in messages:
                assert message.errors is None, message.errors
                told_of.append(message.data["learnerChanged"])
                if len(told_of) >= len(visibility.learners):
                    all_told.set()

    listening = asyncio.ensure_future(listen())
    await asyncio.sleep(0.05)
    # Every learner of every provider: a stream must not take another's word for whom it may tell.
    crawler.services.changes.notify_committed(visibility.provider, {row["id"] for row in crawlers.rows["learner"]})
    async with asyncio.timeout(20):
        await all_told.wait()
    await asyncio.sleep(0.3)
    listening.cancel()
    assert {message["id"] for message in told_of} == {f"Learner_{key}" for key in visibility.learners}
    assert leaks(visibility, told_of) == []
    nodes = (await crawlers.crawled(who, role))["nodes"]
    for message in told_of:
        assert (
            differences(without_fields(message, OF_THE_REQUEST), without_fields(nodes[message["id"]], OF_THE_REQUEST))
            == []
        )


async def test_a_stream_of_one_who_is_out_of_sight_is_silent(crawlers: Crawlers) -> None:
    services, heard = crawlers.full.services, []
    if not crawlers.full.database.is_sqlite:
        return

    async def listen(who: str, role: Role, id: str) -> None:
        stream = await schema().subscribe(
            "subscription($id: ID) { learnerChanged(id: $id) { id } }",
            variable_values={"id": id},
            context_value=crawlers.full.context(crawlers.user(who), role),
        )
        async with aclosing(stream) as messages:
            async for message in messages:
                heard.append((who, message.data["learnerChanged"]["id"]))

    it = crawlers.scenario
    asked = [
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
    for listening in asked:
        listening.cancel()
    assert heard == [("mo", f"Learner_{it.ada.id}")]


async def test_kpis_are_streamed_as_they_are_asked_for(crawlers: Crawlers) -> None:
    kpis = selection(graph().type_map["Kpis"], 1)
    for who, role in crawlers.viewers:
        stream = await schema().subscribe(
            f"subscription {{ kpisChanged(take: 1) {kpis} }}",
            context_value=crawlers.full.context(crawlers.user(who), role),
        )
        messages = [message.data["kpisChanged"] async for message in stream]
        answer = (await crawlers.crawled(who, role))["Query_viewer"]["Viewer_kpis"]
        assert [without_fields(message, OF_THE_REQUEST) for message in messages] == [
            without_fields(answer, OF_THE_REQUEST)
        ]
