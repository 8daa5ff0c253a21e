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
from tests.authorization.conftest import Worlds
from tests.authorization.field_inventory import OF_THE_REQUEST
from tests.authorization.schema_crawler import found, graph, schema, selection
from tests.authorization.viewer_crawler import beyond, differences, told


def _claims(worlds: Worlds, who: str, role: Role, **about: Any) -> dict[str, Any]:
    user = worlds.user(who)
    return {**about, "user": user, "role": role.value, "signIn": user}


async def test_links_to_files_open_what_is_seen(worlds: Worlds) -> None:
    export_service = ExportService(worlds.looker.services)
    for who, role in worlds.some:
        sight = worlds.sight(who, role)
        for file in worlds.rows["file"]:
            held = await export_service.stored_download(_claims(worlds, who, role, file=file["id"]))
            assert (held is not None) == (file["id"] in sight.files), (who, role, file["name"])


async def test_links_in_an_answer_are_the_viewers_own(worlds: Worlds) -> None:
    """Each link names the record it stands under, and whom it was made for."""
    links, subjects = worlds.looker.services.links, {"File": "file", "Aim": "aim", "Learner": "learner"}
    for who, role in worlds.some:
        mine, told_links = {"user": worlds.user(who), "role": role.value}, 0
        for record in found(await worlds.answer(who, role)):
            for name, value in record.items():
                if isinstance(value, dict) and value.get("__typename") == "Download":
                    purpose = DOWNLOAD if name == "File_download" else EXPORT
                    claims = links.verify(purpose, value["Download_url"].rpartition("/")[2])
                    subject = f"{record['__typename']}_{claims[subjects[record['__typename']]]}"
                    assert (subject, mine) == (record["id"], {key: claims[key] for key in mine})
                    told_links += 1
        assert told_links > 10


async def test_exports_hold_what_is_seen(worlds: Worlds) -> None:
    looker = worlds.looker
    for who, role in worlds.some:
        sight = worlds.sight(who, role)
        cut = await worlds.cut_to(who, role)
        for learner in worlds.rows["learner"]:
            data = await gathered.time_log(_loaders(worlds, looker, who, role), learner["id"], {})
            beside = await gathered.time_log(_loaders(worlds, cut, who, Role.MASTER_ADMIN), learner["id"], {})
            assert (data is not None) == (learner["id"] in sight.learners)
            assert data == beside
            entries = [row for row in sight.of("time_log_entry", learner_id=learner["id"]) if sight.follows(row)]
            assert data is None or len(data.lines) == len(entries)
        for aim in worlds.rows["aim"]:
            for export in (gathered.progress_map, gathered.record_of_achievement):
                asked = () if export is gathered.record_of_achievement else (link.CriterionFilter.ALL,)
                data = await export(_loaders(worlds, looker, who, role), aim["id"], *asked)
                assert (data is not None) == (aim["id"] in sight.aims), (who, role, export.__name__)
                assert data == await export(_loaders(worlds, cut, who, Role.MASTER_ADMIN), aim["id"], *asked)


def _loaders(worlds: Worlds, looker: Any, who: str, role: Role) -> Loaders:
    return looker.context(worlds.user(who), role).loaders


async def test_the_desk_looks_again_at_whom_an_export_was_made_for(worlds: Worlds) -> None:
    export_service, aim, learner = (
        ExportService(worlds.looker.services),
        worlds.made.it.aims["main"].id,
        worlds.made.it.ada.id,
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
            made = await export_service.generate_export(_claims(worlds, who, role, **about))
            seen = who == "ann" or (who == "bob" and "learner" in about)
            assert (made is not None) == seen, (who, about)
    # Nobody's role but their own: a link that says otherwise opens nothing.
    assert await export_service.generate_export(_claims(worlds, "ann", Role.MASTER_ADMIN, **wanted[0])) is None


async def test_streams_tell_of_who_is_seen(worlds: Worlds) -> None:
    """Everybody at the provider changes at once; each viewer is told of those that they see, as a query tells it."""
    if not worlds.looker.database.is_sqlite:
        return  # What a stream tells is read by the same loaders; how a commit is heard of is held by its own tests.
    await asyncio.gather(*(_listen(worlds, who, role) for who, role in worlds.some))


async def _listen(worlds: Worlds, who: str, role: Role) -> None:
    sight, looker = worlds.sight(who, role), worlds.looker
    learner = selection(graph().type_map["Learner"], 1)
    stream = await schema().subscribe(
        f"subscription {{ learnerChanged {learner} }}", context_value=looker.context(sight.me, role)
    )
    told_of: list[dict[str, Any]] = []
    all_told = asyncio.Event()

    async def listen() -> None:
        async with aclosing(stream) as messages:
            async for message in messages:
                assert message.errors is None, message.errors
                told_of.append(message.data["learnerChanged"])
                if len(told_of) >= len(sight.learners):
                    all_told.set()

    listening = asyncio.ensure_future(listen())
    await asyncio.sleep(0.05)
    # Every learner of every provider: a stream must not take another's word for whom it may tell.
    looker.services.changes.notify_committed(sight.provider, {row["id"] for row in worlds.rows["learner"]})
    async with asyncio.timeout(20):
        await all_told.wait()
    await asyncio.sleep(0.3)
    listening.cancel()
    assert {message["id"] for message in told_of} == {f"Learner_{key}" for key in sight.learners}
    assert beyond(sight, told_of) == []
    nodes = (await worlds.answer(who, role))["nodes"]
    for message in told_of:
        assert differences(told(message, OF_THE_REQUEST), told(nodes[message["id"]], OF_THE_REQUEST)) == []


async def test_a_stream_of_one_who_is_out_of_sight_is_silent(worlds: Worlds) -> None:
    services, heard = worlds.looker.services, []
    if not worlds.looker.database.is_sqlite:
        return

    async def listen(who: str, role: Role, id: str) -> None:
        stream = await schema().subscribe(
            "subscription($id: ID) { learnerChanged(id: $id) { id } }",
            variable_values={"id": id},
            context_value=worlds.looker.context(worlds.user(who), role),
        )
        async with aclosing(stream) as messages:
            async for message in messages:
                heard.append((who, message.data["learnerChanged"]["id"]))

    it = worlds.made.it
    asked = [
        asyncio.ensure_future(listen(who, role, f"Learner_{learner.id}"))
        for who, role, learner in (
            ("mo", Role.EMPLOYER_MANAGER, it.bea), ("mo", Role.EMPLOYER_MANAGER, it.ada),
            ("ann", Role.ASSESSOR, it.dan), ("ada", Role.LEARNER, it.bea), ("may", Role.MASTER_ADMIN, it.zoe),
            ("olu", Role.EMPLOYER_OVERVIEW, it.dan),
        )
    ]  # fmt: skip
    await asyncio.sleep(0.1)
    for provider in worlds.rows["provider"]:
        services.changes.notify_committed(provider["id"], {row["id"] for row in worlds.rows["learner"]})
    await asyncio.sleep(0.8)
    for listening in asked:
        listening.cancel()
    assert heard == [("mo", f"Learner_{it.ada.id}")]


async def test_kpis_are_streamed_as_they_are_asked_for(worlds: Worlds) -> None:
    kpis = selection(graph().type_map["Kpis"], 1)
    for who, role in worlds.some:
        stream = await schema().subscribe(
            f"subscription {{ kpisChanged(take: 1) {kpis} }}",
            context_value=worlds.looker.context(worlds.user(who), role),
        )
        messages = [message.data["kpisChanged"] async for message in stream]
        answer = (await worlds.answer(who, role))["Query_viewer"]["Viewer_kpis"]
        assert [told(message, OF_THE_REQUEST) for message in messages] == [told(answer, OF_THE_REQUEST)]
